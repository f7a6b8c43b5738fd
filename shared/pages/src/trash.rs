//! The trash: deleted contacts, each with a form to restore it.

use crate::contacts::address;
use crate::dates::day;
use crate::fields::RESTORE_FIELDS;
use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, render};
use crate::paths;
use action::{FormState, Layout};
use askama::Template;
use crm::{Contact, TRASH_DAYS};
use jiff::Timestamp;

/// Without fields and without the script: after a refusal, the user gets a separate page.
static RESTORE: FormSpec = FormSpec {
    action: "restore-contact",
    submit: "Restore",
    pending: "Restoring…",
    failed: "Failed to restore contact. Please try again.",
    success: "go",
    fields: &[],
};

static RESTORE_WITH_EMAIL: FormSpec = FormSpec {
    submit: "Restore Contact",
    fields: RESTORE_FIELDS,
    ..RESTORE
};

/// A contact in the trash.
#[derive(Debug, Clone, Copy)]
pub struct DeletedContact<'a> {
    /// The contact as it was.
    pub contact: &'a Contact,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// When it is deleted for good.
    pub expires_at: Timestamp,
    /// Whether the signed-in user may restore it.
    pub restorable: bool,
}

#[derive(Template)]
#[template(path = "trash.html")]
struct TrashPage<'a> {
    frame: PageFrame<'a>,
    contacts: String,
    rows: Vec<TrashRow<'a>>,
    next: Option<&'a str>,
    days: i64,
}

struct TrashRow<'a> {
    name: &'a str,
    /// The email, or the phone number of a contact without one.
    address: &'a str,
    deleted_at: Timestamp,
    expires_at: Timestamp,
    form: Option<Form<'a>>,
}

impl<'a> TrashRow<'a> {
    fn new(deleted: &DeletedContact<'a>, state: &'a FormState) -> Self {
        let id = deleted.contact.id.as_str();
        let form = Form::new(&RESTORE, state).hidden("id", id).quiet();
        Self {
            name: deleted.contact.details.name.as_str(),
            address: address(&deleted.contact.details),
            deleted_at: deleted.deleted_at,
            expires_at: deleted.expires_at,
            form: deleted.restorable.then_some(form),
        }
    }

    fn deleted(&self) -> String {
        day(self.deleted_at)
    }

    fn expires(&self) -> String {
        day(self.expires_at)
    }
}

#[derive(Template)]
#[template(path = "contact_form.html")]
struct RestorePage<'a> {
    frame: PageFrame<'a>,
    heading: &'static str,
    form: Form<'a>,
}

/// One page of the trash. `key` is a fresh idempotency key, from which each form's key is made. Not
/// cacheable.
#[must_use]
pub fn trash<'a>(
    layout: Option<&Layout>,
    deleted: impl Iterator<Item = DeletedContact<'a>>,
    next: Option<&str>,
    key: &str,
) -> String {
    let deleted: Vec<_> = deleted.collect();
    let states: Vec<_> = deleted
        .iter()
        .map(|deleted| FormState {
            key: format!("{key}-{}", deleted.contact.id),
            ..FormState::default()
        })
        .collect();
    render(&TrashPage {
        frame: PageFrame::new("Trash", layout),
        contacts: paths::contacts(layout, ""),
        rows: deleted
            .iter()
            .zip(&states)
            .map(|(deleted, state)| TrashRow::new(deleted, state))
            .collect(),
        next,
        days: TRASH_DAYS,
    })
}

/// The page for restoring a contact, after a refused submit. Its email may be taken, so the form
/// asks for another. Not cacheable.
#[must_use]
pub fn contact_restore(layout: Option<&Layout>, state: &FormState) -> String {
    let existing = state.existing.as_deref().filter(|id| action::is_uuid(id));
    let form = Form::new(&RESTORE_WITH_EMAIL, state)
        .hidden("id", state.value("id"))
        .existing(existing.map(|id| paths::contact(layout, id, "")))
        .next_and_cancel(None, layout.map(|_| paths::contacts(layout, "/trash")));
    render(&RestorePage {
        frame: PageFrame::new(form.title("Restore Contact"), layout),
        heading: "Restore Contact",
        form,
    })
}
