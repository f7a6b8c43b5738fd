//! What stands around every page.

use crate::assets::{ICON, SCRIPT, STYLESHEET};
use crate::paths;
use action::{Layout, Role};
use askama::Template;

/// Whether to offer adding, editing and deleting.
pub(crate) fn can_write(layout: &Layout) -> bool {
    layout.role >= Role::Member
}

/// What the navigation leads to.
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

    /// Its name on the page.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Contacts => "Contacts",
            Self::Projects => "Projects",
            Self::Members => "Members",
            Self::Audit => "Audit",
            Self::Settings => "Settings",
        }
    }

    /// Its path.
    pub(crate) fn path(self, layout: &Layout) -> String {
        let name = self.label().to_ascii_lowercase();
        format!("/t/{}/{name}", layout.tenant)
    }

    /// Who sees the link: whoever may look at the page.
    fn is_for(self, role: Role) -> bool {
        self != Self::Audit || role >= Role::Admin
    }
}

/// The part of a page that `layout.html` needs.
pub(crate) struct PageFrame<'a> {
    pub(crate) title: String,
    pub(crate) layout: Option<&'a Layout>,
    /// The section that this page is the first of, for the navigation to say so.
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

    /// What the navigation leads to, for whoever looks.
    pub(crate) fn sections(&self, layout: &Layout) -> impl Iterator<Item = Section> {
        let role = layout.role;
        Section::ALL
            .into_iter()
            .filter(move |section| section.is_for(role))
    }

    /// Whether the page is the first of this section.
    pub(crate) fn is_at(&self, section: &Section) -> bool {
        self.section == Some(*section)
    }

    /// Where the contacts are.
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

/// The document. Writing to a `String` fails only where a `Display` does, and none here does;
/// should one ever, the reader gets a sentence instead of half a page.
pub(crate) fn render(template: &impl Template) -> String {
    template.render().unwrap_or_else(|_| {
        "<!doctype html><html lang=\"en\"><title>Edge CRM</title><p>Something went wrong.</p></html>".to_owned()
    })
}
