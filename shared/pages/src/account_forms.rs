//! The pages with one form about the account or the organisation of a signed-in user.

use crate::fields::{
    CHANGE_EMAIL_FIELDS, CONFIRM_PASSWORD_FIELDS, NEW_ORGANIZATION_FIELDS, ORGANIZATION_FIELDS,
};
use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, render};
use crate::paths;
use action::{FormState, Layout};
use askama::Template;

/// A page of the settings with one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountForm {
    /// Changes the email of the account.
    Email,
    /// Renames the organization.
    Organization,
    /// Deletes the account.
    Delete,
}

static EMAIL: FormSpec = FormSpec {
    action: "change-email",
    submit: "Send me a link",
    pending: "Sending…",
    failed: "Failed to send a link. Please try again.",
    success: "go",
    fields: CHANGE_EMAIL_FIELDS,
};

static ORGANIZATION: FormSpec = FormSpec {
    action: "rename-organization",
    submit: "Rename",
    pending: "Renaming…",
    failed: "Failed to rename. Please try again.",
    success: "go",
    fields: ORGANIZATION_FIELDS,
};

static DELETE: FormSpec = FormSpec {
    action: "delete-account",
    submit: "Delete my account",
    pending: "Deleting…",
    failed: "Failed to delete your account. Please try again.",
    success: "go",
    fields: CONFIRM_PASSWORD_FIELDS,
};

static NEW_ORGANIZATION: FormSpec = FormSpec {
    action: "create-organization",
    submit: "Create organization",
    pending: "Creating…",
    failed: "Failed to create the organization. Please try again.",
    success: "enter",
    fields: NEW_ORGANIZATION_FIELDS,
};

static CONFIRM: FormSpec = FormSpec {
    action: "confirm-email",
    submit: "Confirm my email",
    pending: "Confirming…",
    failed: "Failed to confirm your email. Please try again.",
    success: "go",
    fields: &[],
};

#[derive(Template)]
#[template(path = "one_form.html")]
pub(crate) struct OneFormPage<'a> {
    pub(crate) frame: PageFrame<'a>,
    pub(crate) heading: &'a str,
    pub(crate) intro: Option<String>,
    /// The page above: its path and its name.
    pub(crate) back: Option<(String, &'static str)>,
    pub(crate) form: Option<Form<'a>>,
}

fn page(
    layout: Option<&Layout>,
    heading: &str,
    intro: Option<String>,
    form: Option<Form<'_>>,
) -> String {
    let title = form
        .as_ref()
        .map_or_else(|| heading.to_owned(), |form| form.title(heading));
    render(&OneFormPage {
        frame: PageFrame::new(title, layout),
        heading,
        intro,
        back: layout.map(|_| (paths::settings(layout, ""), "Settings")),
        form,
    })
}

/// A page of the settings with one form. `user` is the id of the user, if it is known. Not cacheable.
#[must_use]
pub fn account_form(
    layout: Option<&Layout>,
    kind: AccountForm,
    state: &FormState,
    user: Option<&str>,
) -> String {
    let (spec, heading, intro) = match kind {
        AccountForm::Email => (
            &EMAIL,
            "Change your email",
            "We send a link to the new address. Once you have opened it, you sign in with the new \
             address, and your old one is told.",
        ),
        AccountForm::Organization => (
            &ORGANIZATION,
            "Rename the organization",
            "Its address stays the same. Pages that others have just opened may show the old name \
             for five minutes.",
        ),
        AccountForm::Delete => (
            &DELETE,
            "Delete your account",
            "You leave all your organizations and are signed out everywhere. This cannot be undone. \
             The contacts that you added stay with the organizations.",
        ),
    };
    let mut form = Form::new(spec, state);
    if kind != AccountForm::Organization {
        form = form.of_account(user);
    }
    if kind == AccountForm::Delete {
        form.button_class = "danger";
    }
    page(layout, heading, Some(intro.to_owned()), Some(form))
}

/// The page for making an organization, for a user who is signed in or has a token. Not cacheable.
#[must_use]
pub fn new_organization(layout: Option<&Layout>, state: &FormState) -> String {
    let (token, mut form) = (state.value("token"), Form::new(&NEW_ORGANIZATION, state));
    let mut intro = "You become its owner. Its contacts are shared among its members only.";
    if !token.is_empty() {
        form = form.hidden("token", token);
        intro = "You belong to no organization. Create one, or ask an admin of yours for an invitation.";
    }
    page(
        layout,
        "New organization",
        Some(intro.to_owned()),
        Some(form),
    )
}

/// The page that a confirmation link opens; `email` is the address, if it is known. Not cacheable.
#[must_use]
pub fn confirm_email(layout: Option<&Layout>, state: &FormState, email: Option<&str>) -> String {
    let form = Form::new(&CONFIRM, state)
        .hidden("token", state.value("token"))
        .of_account(None)
        .primary();
    let intro = email.map(|email| format!("Is {email} your address?"));
    page(layout, "Confirm your email", intro, Some(form))
}

/// The page for a confirmation link that does not work for the signed-in user. Not cacheable.
#[must_use]
pub fn confirmation_link_closed(layout: Option<&Layout>) -> String {
    let intro = "It has expired or has been used, or it is for another account than the one you are \
                 signed in with. You can ask for another one in your settings.";
    page(
        layout,
        "This link does not work",
        Some(intro.to_owned()),
        None,
    )
}
