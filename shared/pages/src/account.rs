//! The pages for signing in, signing up and resetting a forgotten password.

use crate::fields::{FORGOT_FIELDS, RESET_FIELDS, SIGN_IN_FIELDS, SIGN_UP_FIELDS};
use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, render};
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

const REQUEST_NEW_LINK: RelatedLink = (
    "The link does not work?",
    "/forgot-password",
    "Ask for another link",
);

/// A link to a related page: the text before it, its path and its text.
type RelatedLink = (&'static str, &'static str, &'static str);

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    frame: PageFrame<'a>,
    heading: &'static str,
    /// What the form is for, if the heading is not enough.
    intro: Option<&'static str>,
    /// The message after the form was sent, and the fragment that shows it.
    confirmation: Option<(&'static str, &'static str)>,
    form: Option<Form<'a>>,
    related: &'static [RelatedLink],
}

/// The page for signing in. Afterwards the browser goes to `return_to`, or to the contacts if that
/// is empty. Not cacheable.
#[must_use]
pub fn sign_in(state: &FormState, return_to: &str) -> String {
    let mut form = Form::new(&SIGN_IN, state);
    if !return_to.is_empty() {
        form = form.hidden("return_to", return_to);
    }
    render(&AccountPage {
        frame: PageFrame::new(form.title("Sign in"), None),
        heading: "Sign in",
        intro: None,
        confirmation: None,
        form: Some(form),
        related: &[
            ("", "/forgot-password", "Forgot your password?"),
            ("New here?", "/sign-up", "Create an account"),
        ],
    })
}

/// The page for signing up. Not cacheable.
#[must_use]
pub fn sign_up(state: &FormState) -> String {
    let form = Form::new(&SIGN_UP, state);
    render(&AccountPage {
        frame: PageFrame::new(form.title("Create your account"), None),
        heading: "Create your account",
        intro: None,
        confirmation: None,
        form: Some(form),
        related: &[("Already have an account?", "/sign-in", "Sign in")],
    })
}

/// The page for requesting a link that resets a password. Not cacheable.
#[must_use]
pub fn forgot_password(state: &FormState) -> String {
    let form = Form::new(&FORGOT, state);
    render(&AccountPage {
        frame: PageFrame::new(form.title("Forgot your password?"), None),
        heading: "Forgot your password?",
        intro: Some("We send a link to your email address, with which you can set a new one."),
        confirmation: Some((
            "link-sent",
            "If there is an account with this address, a link is on its way to it. \
             It works for 30 minutes.",
        )),
        form: Some(form),
        related: &[("Remembered it?", "/sign-in", "Sign in")],
    })
}

/// The page that such a link opens. The link's `token` is among the values of `state`. Not
/// cacheable.
#[must_use]
pub fn reset_password(state: &FormState) -> String {
    let form = Form::new(&RESET, state).hidden("token", state.value("token"));
    render(&AccountPage {
        frame: PageFrame::new(form.title("Set a new password"), None),
        heading: "Set a new password",
        intro: Some("You will be signed out wherever you are signed in now."),
        confirmation: None,
        form: Some(form),
        related: &[REQUEST_NEW_LINK],
    })
}

/// The page for a link that no longer works. Not cacheable.
#[must_use]
pub fn reset_link_expired() -> String {
    render(&AccountPage {
        frame: PageFrame::new("This link no longer works", None),
        heading: "This link no longer works",
        intro: Some("It has expired or has been used, or a later one has taken its place."),
        confirmation: None,
        form: None,
        related: &[REQUEST_NEW_LINK],
    })
}
