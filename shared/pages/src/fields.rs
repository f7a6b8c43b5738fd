//! The fields of every form: their names, labels and hints, and what a browser may fill in.

use action::Role;
use crm::{Company, Email, Name, OrganizationName};

/// The constant part of a field. Its name is also its id on the page.
pub(crate) struct FieldSpec {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// The type of an `input`, or `textarea`, or `select` (for a role).
    pub(crate) kind: &'static str,
    pub(crate) autocomplete: &'static str,
    pub(crate) required: bool,
    /// What the label of a field says that is not required: `optional`, or what may stand instead.
    pub(crate) otherwise: &'static str,
    /// The most characters that the browser lets a user enter: those of the input. None for a password, a
    /// phone number and notes: a browser would silently cut off the end of what is pasted.
    pub(crate) max: Option<u64>,
    pub(crate) hint: Option<&'static str>,
}

impl FieldSpec {
    const fn new(name: &'static str, label: &'static str, kind: &'static str) -> Self {
        Self {
            name,
            label,
            kind,
            autocomplete: "off",
            required: false,
            otherwise: "optional",
            max: None,
            hint: None,
        }
    }

    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    const fn otherwise(self, otherwise: &'static str) -> Self {
        Self { otherwise, ..self }
    }

    const fn max(self, max: u64) -> Self {
        Self {
            max: Some(max),
            ..self
        }
    }

    const fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self {
            autocomplete,
            ..self
        }
    }

    const fn hint(self, hint: &'static str) -> Self {
        Self {
            hint: Some(hint),
            ..self
        }
    }
}

/// The fields of a contact. `autocomplete` is off: a browser would offer the user's own details.
pub(crate) const CONTACT_FIELDS: &[FieldSpec] = &[
    FieldSpec::new("name", "Name", "text")
        .max(Name::MAX)
        .required(),
    FieldSpec::new("email", "Email", "email")
        .max(Email::MAX)
        .otherwise("or phone"),
    FieldSpec::new("company", "Company", "text").max(Company::MAX),
    FieldSpec::new("phone", "Phone", "tel"),
    FieldSpec::new("notes", "Notes", "textarea"),
];

pub(crate) const PROJECT_FIELDS: &[FieldSpec] = &[FieldSpec::new("name", "Name", "text")
    .max(Name::MAX)
    .required()];

pub(crate) const RESTORE_FIELDS: &[FieldSpec] = &[FieldSpec::new("email", "Email", "email")
    .max(Email::MAX)
    .hint("Only if another contact has its email now")];

pub(crate) const SIGN_IN_FIELDS: &[FieldSpec] = &[
    FieldSpec::new("email", "Email", "email")
        .max(Email::MAX)
        .required()
        .autocomplete("username"),
    FieldSpec::new("password", "Password", "password")
        .required()
        .autocomplete("current-password"),
];

pub(crate) const SIGN_UP_FIELDS: &[FieldSpec] = &[
    FieldSpec::new("name", "Your name", "text")
        .max(Name::MAX)
        .required()
        .autocomplete("name"),
    FieldSpec::new("email", "Email", "email")
        .max(Email::MAX)
        .required()
        .autocomplete("username"),
    FieldSpec::new("password", "Password", "password")
        .required()
        .autocomplete("new-password")
        .hint("8 to 128 characters"),
    FieldSpec::new("organization", "Organization", "text")
        .max(OrganizationName::MAX)
        .required()
        .autocomplete("organization")
        .hint("Your team or company: its contacts are shared among its members"),
];

pub(crate) const FORGOT_FIELDS: &[FieldSpec] = &[FieldSpec::new("email", "Email", "email")
    .max(Email::MAX)
    .required()
    .autocomplete("username")];

pub(crate) const RESET_FIELDS: &[FieldSpec] =
    &[FieldSpec::new("password", "New password", "password")
        .required()
        .autocomplete("new-password")
        .hint("8 to 128 characters")];

pub(crate) const PROFILE_FIELDS: &[FieldSpec] = &[FieldSpec::new("name", "Your name", "text")
    .max(Name::MAX)
    .required()
    .autocomplete("name")];

pub(crate) const PASSWORD_FIELDS: &[FieldSpec] = &[
    FieldSpec::new("currentPassword", "Current password", "password")
        .required()
        .autocomplete("current-password"),
    FieldSpec::new("newPassword", "New password", "password")
        .required()
        .autocomplete("new-password")
        .hint("8 to 128 characters. You stay signed in here, and are signed out everywhere else."),
];

/// The roles to choose from, and what each may do. Each includes the ones before it.
pub(crate) const ROLES: [(Role, &str); 4] = [
    (Role::Viewer, "Viewer: reads"),
    (Role::Member, "Member: adds and edits contacts"),
    (Role::Admin, "Admin: looks after members too"),
    (Role::Owner, "Owner: looks after the organization"),
];

pub(crate) const INVITE_FIELDS: &[FieldSpec] = &[
    FieldSpec::new("email", "Email", "email")
        .max(Email::MAX)
        .required(),
    FieldSpec::new("role", "Role", "select").required(),
];

pub(crate) const ROLE_FIELDS: &[FieldSpec] = &[FieldSpec::new("role", "Role", "select").required()];

/// Accepting an invitation without an account.
pub(crate) const JOIN_FIELDS: &[FieldSpec] = &[
    FieldSpec::new("name", "Your name", "text")
        .max(Name::MAX)
        .required()
        .autocomplete("name"),
    FieldSpec::new("password", "Password", "password")
        .required()
        .autocomplete("new-password")
        .hint("8 to 128 characters"),
];

pub(crate) const CHANGE_EMAIL_FIELDS: &[FieldSpec] = &[
    FieldSpec::new("email", "New email", "email")
        .max(Email::MAX)
        .required()
        .autocomplete("email"),
    FieldSpec::new("password", "Your password", "password")
        .required()
        .autocomplete("current-password")
        .hint("The one you sign in with"),
];

pub(crate) const ORGANIZATION_FIELDS: &[FieldSpec] = &[FieldSpec::new("name", "Name", "text")
    .max(OrganizationName::MAX)
    .required()
    .autocomplete("organization")];

pub(crate) const NEW_ORGANIZATION_FIELDS: &[FieldSpec] = &[FieldSpec::new("name", "Name", "text")
    .max(OrganizationName::MAX)
    .required()
    .autocomplete("organization")
    .hint("Your team or company")];

/// Accepting an invitation with an account: the password proves that it is one's own.
pub(crate) const CONFIRM_PASSWORD_FIELDS: &[FieldSpec] =
    &[FieldSpec::new("password", "Your password", "password")
        .required()
        .autocomplete("current-password")
        .hint("The one you sign in with")];
