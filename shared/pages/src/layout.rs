//! What stands around every page.

use crate::assets::{ICON, SCRIPT, STYLESHEET};
use crate::paths;
use askama::Template;
use commit::{Chrome, Role};

/// Whether to offer adding, editing and deleting.
pub(crate) fn can_write(chrome: &Chrome) -> bool {
    chrome.role >= Role::Member
}

/// The part of a page that `layout.html` needs.
pub(crate) struct Page<'a> {
    pub(crate) title: String,
    pub(crate) chrome: Option<&'a Chrome>,
    /// Whether this is the list of contacts itself, for the navigation to say so.
    pub(crate) is_list: bool,
}

impl<'a> Page<'a> {
    pub(crate) fn new(title: impl Into<String>, chrome: Option<&'a Chrome>) -> Self {
        Self {
            title: title.into(),
            chrome,
            is_list: false,
        }
    }

    /// Where the contacts are.
    pub(crate) fn contacts(&self) -> String {
        paths::contacts(self.chrome, "")
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
