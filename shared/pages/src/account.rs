//! Signing in, signing up, and setting a forgotten password anew.

use crate::form::{FORGOT_FIELDS, Form, FormSpec, RESET_FIELDS, SIGN_IN_FIELDS, SIGN_UP_FIELDS};
use crate::layout::{Page, render};
use action::FormState;
use askama::Template;

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

static FORGOT: FormSpec = FormSpec {
    action: "request-password-reset",
    submit: "Send me a link",
    pending: "Sending…",
    failed: "Failed to send a link. Please try again.",
    success: "go",
    fields: FORGOT_FIELDS,
};

static RESET: FormSpec = FormSpec {
    action: "reset-password",
    submit: "Set password",
    pending: "Setting password…",
    failed: "Failed to set your password. Please try again.",
    success: "enter",
    fields: RESET_FIELDS,
};

const ASK_AGAIN: Other = (
    "The link does not work?",
    "/forgot-password",
    "Ask for another link",
);

/// What a page says of another one, and the link to it.
type Other = (&'static str, &'static str, &'static str);

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    page: Page<'a>,
    heading: &'static str,
    /// What the form is for, where its heading does not say.
    lead: Option<&'static str>,
    /// What is said once it was sent: an id in the address, and the words.
    told: Option<(&'static str, &'static str)>,
    form: Option<Form<'a>>,
    others: &'static [Other],
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
        lead: None,
        told: None,
        form: Some(view),
        others: &[
            ("", "/forgot-password", "Forgot your password?"),
            ("New here?", "/sign-up", "Create an account"),
        ],
    })
}

/// The page for signing up. Not cacheable.
#[must_use]
pub fn sign_up(form: &FormState) -> String {
    let view = Form::new(&SIGN_UP, form);
    render(&AccountPage {
        page: Page::new(view.title("Create your account"), None),
        heading: "Create your account",
        lead: None,
        told: None,
        form: Some(view),
        others: &[("Already have an account?", "/sign-in", "Sign in")],
    })
}

/// The page for asking for a link with which a password can be set anew. Not cacheable.
#[must_use]
pub fn forgot_password(form: &FormState) -> String {
    let view = Form::new(&FORGOT, form);
    render(&AccountPage {
        page: Page::new(view.title("Forgot your password?"), None),
        heading: "Forgot your password?",
        lead: Some("We send a link to your email address, with which you can set a new one."),
        told: Some((
            "link-sent",
            "If there is an account with this address, a link is on its way to it. \
             It works for 30 minutes.",
        )),
        form: Some(view),
        others: &[("Remembered it?", "/sign-in", "Sign in")],
    })
}

/// The page that such a link leads to; the form's values hold its `token`. Not cacheable.
#[must_use]
pub fn reset_password(form: &FormState) -> String {
    let view = Form::new(&RESET, form).hidden("token", form.value("token"));
    render(&AccountPage {
        page: Page::new(view.title("Set a new password"), None),
        heading: "Set a new password",
        lead: Some("You will be signed out wherever you are signed in now."),
        told: None,
        form: Some(view),
        others: &[ASK_AGAIN],
    })
}

/// The page that a link leads to which works no more. Not cacheable.
#[must_use]
pub fn reset_link_expired() -> String {
    render(&AccountPage {
        page: Page::new("This link works no more", None),
        heading: "This link works no more",
        lead: Some("It has expired or has been used, or a later one has taken its place."),
        told: None,
        form: None,
        others: &[ASK_AGAIN],
    })
}
