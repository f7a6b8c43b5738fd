//! The paths of pages.
//!
//! A function that takes `rest` appends it to the path: a query, a further segment, or the fragment
//! that shows a message. Without a layout, no user is signed in, and the path is the start page.

use action::{Layout, TenantId};

/// The page for signing in.
pub const SIGN_IN: &str = "/sign-in";

/// The page for signing up.
pub const SIGN_UP: &str = "/sign-up";

/// The page for requesting a link that resets a forgotten password.
pub const FORGOT_PASSWORD: &str = "/forgot-password";

/// The page after leaving an organization.
pub const LEFT: &str = "/sign-in#left";

/// The page after setting a password, for a user who belongs to no organization.
pub const PASSWORD_SET: &str = "/sign-in#password-set";

/// The sign-in page, with the message that the account is deleted.
pub const ACCOUNT_DELETED: &str = "/sign-in#account-deleted";

/// The sign-in page, which returns to the page of a confirmation link.
#[must_use]
pub fn sign_in_to_confirm(token: &str) -> String {
    format!("{SIGN_IN}?return_to=/confirm-email?token={token}")
}

/// The list of an organization's contacts.
#[must_use]
pub fn contacts_of(tenant: &TenantId) -> String {
    format!("/t/{tenant}/contacts")
}

/// The list of contacts, or the start page.
#[must_use]
pub fn contacts(layout: Option<&Layout>, rest: &str) -> String {
    layout.map_or_else(
        || "/".to_owned(),
        |layout| contacts_of(&layout.tenant) + rest,
    )
}

/// The list of projects, or the start page.
#[must_use]
pub fn projects(layout: Option<&Layout>, rest: &str) -> String {
    layout.map_or_else(
        || "/".to_owned(),
        |layout| format!("/t/{}/projects{rest}", layout.tenant),
    )
}

/// The settings, or the start page.
#[must_use]
pub fn settings(layout: Option<&Layout>, rest: &str) -> String {
    layout.map_or_else(
        || "/".to_owned(),
        |layout| format!("/t/{}/settings{rest}", layout.tenant),
    )
}

/// The page of one contact, or the start page.
#[must_use]
pub fn contact(layout: Option<&Layout>, id: &str, rest: &str) -> String {
    contacts(layout, &format!("/{id}{rest}"))
}

/// The audit of an organization.
#[must_use]
pub fn audit(tenant: &TenantId) -> String {
    format!("/t/{tenant}/audit")
}

/// The audit as a CSV file.
#[must_use]
pub fn audit_file(tenant: &TenantId) -> String {
    format!("/t/{tenant}/audit.csv")
}

/// The list of members, or the start page.
#[must_use]
pub fn members(layout: Option<&Layout>, rest: &str) -> String {
    layout.map_or_else(
        || "/".to_owned(),
        |layout| format!("/t/{}/members{rest}", layout.tenant),
    )
}

/// The page for changing or removing one member, or the start page.
#[must_use]
pub fn member(layout: Option<&Layout>, id: &str, rest: &str) -> String {
    members(layout, &format!("/{id}/edit{rest}"))
}
