//! Where things are.

use action::{Layout, TenantId};

/// The page to sign in.
pub const SIGN_IN: &str = "/sign-in";

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
pub fn contacts(layout: Option<&Layout>, rest: &str) -> String {
    layout.map_or_else(
        || "/".to_owned(),
        |layout| contacts_of(&layout.tenant) + rest,
    )
}

/// The list of projects, with what follows it; the start page where nobody is signed in.
#[must_use]
pub fn projects(layout: Option<&Layout>, rest: &str) -> String {
    layout.map_or_else(
        || "/".to_owned(),
        |layout| format!("/t/{}/projects{rest}", layout.tenant),
    )
}

/// The settings, with what follows them; the start page where nobody is signed in.
#[must_use]
pub fn settings(layout: Option<&Layout>, rest: &str) -> String {
    layout.map_or_else(
        || "/".to_owned(),
        |layout| format!("/t/{}/settings{rest}", layout.tenant),
    )
}

/// One contact, with what follows it; the start page where nobody is signed in.
#[must_use]
pub fn contact(layout: Option<&Layout>, id: &str, rest: &str) -> String {
    contacts(layout, &format!("/{id}{rest}"))
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
pub fn members(layout: Option<&Layout>, rest: &str) -> String {
    layout.map_or_else(
        || "/".to_owned(),
        |layout| format!("/t/{}/members{rest}", layout.tenant),
    )
}

/// The page to change or remove one member, with what follows the path.
#[must_use]
pub fn member(layout: Option<&Layout>, id: &str, rest: &str) -> String {
    members(layout, &format!("/{id}/edit{rest}"))
}
