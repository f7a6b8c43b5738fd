//! The page of an action's form, where a browser goes afterwards, and what the page shows: the
//! input as it was sent, and its errors.

use crate::{Action, Actor, Context, Found, Layout, Reads};
use serde_json::Value;
use std::collections::BTreeMap;

/// One message for each field that is wrong, by the field's name.
pub type FieldErrors = BTreeMap<String, String>;

/// The form of an action, for browsers.
pub trait Form: Action {
    /// The path that a browser goes to after success. `layout` is that of the session after the action.
    fn success_path(layout: Option<&Layout>, input: &Self::Input, output: &Self::Output) -> String;

    /// The page with the form, or with the links to it if each record has a form of its own. A browser goes
    /// there if its user opens the address of the action itself, as the address bar has it after a refused
    /// submit. `layout` is `None` if no user is signed in.
    fn page_path(_layout: Option<&Layout>) -> String {
        "/".to_owned()
    }

    /// The form again, after a refused submit: a whole HTML document.
    fn form(page: &FormPage<'_>) -> String;

    /// What the page shows besides the form, for the user who is signed in. Asked for in steps, as
    /// with [`Action::more_reads`].
    fn form_reads(_context: &Context<Actor>, _found: &Found) -> Reads {
        Reads::none()
    }
}

/// What a form is shown with after a refused submit.
#[derive(Debug)]
pub struct FormPage<'a> {
    /// The layout, if the caller is signed in.
    pub layout: Option<&'a Layout>,
    /// The input and its errors.
    pub state: &'a FormState,
    /// What had been read.
    pub found: &'a Found,
    /// The context of the caller, if signed in.
    pub context: Option<&'a Context<Actor>>,
    /// A fresh idempotency key for another form on the page.
    pub key: String,
    /// A context without a caller, to open the tokens in the input.
    pub tokens: &'a Context<()>,
}

/// The hidden field with the organisation that a form belongs to. If the user has switched to another one
/// since the page was loaded, the form is refused, so that it changes nothing there.
pub const TENANT_FIELD: &str = "for_tenant";

/// The hidden field with the id of the user who sees the form, if it is about the user's account. If another
/// user has signed in since the page was loaded, the form is refused, so that it does not change the account
/// of that user.
pub const USER_FIELD: &str = "for_user";

/// What a form page shows: empty at first; after a refused submit, the input and its errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FormState {
    /// The values to put back into the fields. Never holds a secret.
    pub values: BTreeMap<String, String>,
    /// One message beside each field that is wrong.
    pub errors: FieldErrors,
    /// What is wrong as a whole.
    pub error: Option<String>,
    /// The idempotency key of the next submit.
    pub key: String,
    /// The current record, if the version that was sent is stale.
    pub current: Option<Value>,
    /// The record that already has the unique value.
    pub existing: Option<String>,
    /// Whether the session has ended, so that the user must sign in and send again.
    pub signed_out: bool,
}

impl FormState {
    /// The value of a field, or an empty text.
    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// The message beside a field.
    #[must_use]
    pub fn field_error(&self, field: &str) -> Option<&str> {
        self.errors.get(field).map(String::as_str)
    }
}
