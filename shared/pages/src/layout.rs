//! The frame of every page: its title, header and navigation.

use crate::assets::{ICON, SCRIPT, STYLESHEET};
use crate::paths;
use action::{Layout, Role};
use askama::Template;

/// Whether the page offers to add, edit and delete.
pub(crate) fn can_write(layout: &Layout) -> bool {
    layout.role >= Role::Member
}

/// A section of the product that the navigation links to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Contacts,
    Projects,
    Members,
    Audit,
    Settings,
}

impl Section {
    const ALL: [Self; 5] = [
        Self::Contacts,
        Self::Projects,
        Self::Members,
        Self::Audit,
        Self::Settings,
    ];

    /// The text of its link.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Contacts => "Contacts",
            Self::Projects => "Projects",
            Self::Members => "Members",
            Self::Audit => "Audit",
            Self::Settings => "Settings",
        }
    }

    /// The path of its first page.
    pub(crate) fn path(self, layout: &Layout) -> String {
        let name = self.label().to_ascii_lowercase();
        format!("/t/{}/{name}", layout.tenant)
    }

    /// Whether a user with this role may open the section. Others do not see its link.
    fn is_visible_to(self, role: Role) -> bool {
        self != Self::Audit || role >= Role::Admin
    }
}

/// What `layout.html` needs to render the frame around a page.
pub(crate) struct PageFrame<'a> {
    pub(crate) title: String,
    /// `None` if no user is signed in.
    pub(crate) layout: Option<&'a Layout>,
    /// The section whose first page this is. The navigation marks its link.
    pub(crate) section: Option<Section>,
}

impl<'a> PageFrame<'a> {
    pub(crate) fn new(title: impl Into<String>, layout: Option<&'a Layout>) -> Self {
        Self {
            title: title.into(),
            layout,
            section: None,
        }
    }

    /// The sections in the navigation of this user.
    pub(crate) fn sections(&self, layout: &Layout) -> impl Iterator<Item = Section> {
        let role = layout.role;
        Section::ALL
            .into_iter()
            .filter(move |section| section.is_visible_to(role))
    }

    /// Whether this is the first page of `section`.
    pub(crate) fn is_first_page_of(&self, section: &Section) -> bool {
        self.section == Some(*section)
    }

    /// The path of the list of contacts.
    pub(crate) fn contacts(&self) -> String {
        paths::contacts(self.layout, "")
    }

    pub(crate) fn script(&self) -> &'static str {
        SCRIPT.path()
    }

    pub(crate) fn stylesheet(&self) -> &'static str {
        STYLESHEET.path()
    }

    pub(crate) fn icon(&self) -> &'static str {
        ICON.path()
    }
}

/// Renders a complete document. Writing to a `String` fails only if a `Display` implementation
/// fails, and none of ours does. If one ever did, the user would get a sentence instead of half a
/// page.
pub(crate) fn render(template: &impl Template) -> String {
    template.render().unwrap_or_else(|_| {
        "<!doctype html><html lang=\"en\"><title>Edge CRM</title><p>Something went wrong.</p></html>".to_owned()
    })
}
