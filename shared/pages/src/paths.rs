//! Where things are.

use commit::{Chrome, TenantId};

/// Where somebody finds themselves who has left their organisation.
pub const LEFT: &str = "/sign-in#left";

/// Where somebody finds themselves who has set a password and belongs to no organisation.
pub const PASSWORD_SET: &str = "/sign-in#password-set";

/// The list of an organisation's contacts.
#[must_use]
pub fn contacts_of(tenant: &TenantId) -> String {
    format!("/t/{tenant}/contacts")
}

/// The list, with what follows it, such as the fragment that shows a message; the start page
/// where nobody is signed in.
#[must_use]
pub fn contacts(chrome: Option<&Chrome>, rest: &str) -> String {
    chrome.map_or_else(
        || "/".to_owned(),
        |chrome| contacts_of(&chrome.tenant) + rest,
    )
}

/// The list of projects, with what follows it; the start page where nobody is signed in.
#[must_use]
pub fn projects(chrome: Option<&Chrome>, rest: &str) -> String {
    chrome.map_or_else(
        || "/".to_owned(),
        |chrome| format!("/t/{}/projects{rest}", chrome.tenant),
    )
}

/// The settings, with what follows them; the start page where nobody is signed in.
#[must_use]
pub fn settings(chrome: Option<&Chrome>, rest: &str) -> String {
    chrome.map_or_else(
        || "/".to_owned(),
        |chrome| format!("/t/{}/settings{rest}", chrome.tenant),
    )
}

/// One contact, with what follows it; the start page where nobody is signed in.
#[must_use]
pub fn contact(chrome: Option<&Chrome>, id: &str, rest: &str) -> String {
    contacts(chrome, &format!("/{id}{rest}"))
}

/// What was done in an organisation.
#[must_use]
pub fn audit(tenant: &TenantId) -> String {
    format!("/t/{tenant}/audit")
}

/// The same as a file.
#[must_use]
pub fn audit_file(tenant: &TenantId) -> String {
    format!("/t/{tenant}/audit.csv")
}

/// The organisation's members, with what follows the path; the start page where nobody is signed
/// in.
#[must_use]
pub fn members(chrome: Option<&Chrome>, rest: &str) -> String {
    chrome.map_or_else(
        || "/".to_owned(),
        |chrome| format!("/t/{}/members{rest}", chrome.tenant),
    )
}

/// The page to change or remove one member, with what follows the path.
#[must_use]
pub fn member(chrome: Option<&Chrome>, id: &str, rest: &str) -> String {
    members(chrome, &format!("/{id}/edit{rest}"))
}
