//! Signing in and signing up.

use crate::form::{Form, FormSpec, SIGN_IN_FIELDS, SIGN_UP_FIELDS};
use crate::layout::{Page, render};
use askama::Template;
use commit::FormState;

static SIGN_IN: FormSpec = FormSpec {
    action: "sign-in",
    submit: "Sign in",
    pending: "Signing in…",
    failed: "Failed to sign in. Please try again.",
    success: "enter",
    fields: SIGN_IN_FIELDS,
};

static SIGN_UP: FormSpec = FormSpec {
    action: "sign-up",
    submit: "Create account",
    pending: "Creating account…",
    failed: "Failed to create account. Please try again.",
    success: "enter",
    fields: SIGN_UP_FIELDS,
};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    page: Page<'a>,
    heading: &'static str,
    form: Form<'a>,
    /// What the page says of the other one, and the link to it.
    other: (&'static str, &'static str, &'static str),
}

/// The page for signing in, after which the browser goes to `return_to`, or to the contacts
/// where that is empty. Not cacheable.
#[must_use]
pub fn sign_in(form: &FormState, return_to: &str) -> String {
    let mut view = Form::new(&SIGN_IN, form);
    if !return_to.is_empty() {
        view = view.hidden("return_to", return_to);
    }
    render(&AccountPage {
        page: Page::new(view.title("Sign in"), None),
        heading: "Sign in",
        form: view,
        other: ("New here?", "/sign-up", "Create an account"),
    })
}

/// The page for signing up. Not cacheable.
#[must_use]
pub fn sign_up(form: &FormState) -> String {
    let view = Form::new(&SIGN_UP, form);
    render(&AccountPage {
        page: Page::new(view.title("Create your account"), None),
        heading: "Create your account",
        form: view,
        other: ("Already have an account?", "/sign-in", "Sign in"),
    })
}
