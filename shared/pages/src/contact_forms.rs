//! The pages for adding, editing and deleting a contact. Each contains a fresh idempotency key, so
//! none may be cached.

use crate::conflict::Conflict;
use crate::fields::CONTACT_FIELDS;
use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, render};
use crate::paths;
use action::{FormState, Layout};
use askama::Template;
use crm::{Contact, TRASH_DAYS};

const CREATE: FormSpec = FormSpec {
    action: "create-contact",
    submit: "Create Contact",
    pending: "Creating…",
    failed: "Failed to create contact. Please try again.",
    success: "go",
    fields: CONTACT_FIELDS,
};

static ADD_ON_ITS_PAGE: FormSpec = CREATE;

static ADD_BESIDE_THE_LIST: FormSpec = FormSpec {
    success: "merge",
    ..CREATE
};

static EDIT: FormSpec = FormSpec {
    action: "update-contact",
    submit: "Update Contact",
    pending: "Updating…",
    failed: "Failed to update contact. Please try again.",
    success: "go",
    fields: CONTACT_FIELDS,
};

static DELETE: FormSpec = FormSpec {
    action: "delete-contact",
    submit: "Delete",
    pending: "Deleting…",
    failed: "Failed to delete contact. Please try again.",
    success: "go",
    fields: &[],
};

#[derive(Template)]
#[template(path = "contact_form.html")]
struct ContactFormPage<'a> {
    frame: PageFrame<'a>,
    heading: &'static str,
    form: Form<'a>,
}

#[derive(Template)]
#[template(path = "contact_delete.html")]
struct ContactDeletePage<'a> {
    frame: PageFrame<'a>,
    name: Option<&'a str>,
    days: i64,
    form: Form<'a>,
}

/// The page for adding a contact. Not cacheable.
#[must_use]
pub fn contact_new(layout: Option<&Layout>, state: &FormState) -> String {
    let form = Form::new(&ADD_ON_ITS_PAGE, state)
        .existing(existing_path(layout, state))
        .next_and_cancel(list_path(layout, "#contact-created"), list_path(layout, ""));
    render(&ContactFormPage {
        frame: PageFrame::new(form.title("Add Contact"), layout),
        heading: "Add Contact",
        form,
    })
}

/// The form that the script shows beside the list. The page is cacheable, so the form has no
/// idempotency key: the script makes one. An older page of the list or a search result has no place
/// for a new contact, so from there the browser goes to the newest page.
pub(crate) fn add_beside_the_list<'a>(
    layout: &Layout,
    empty: &'a FormState,
    is_newest: bool,
) -> Form<'a> {
    let spec = if is_newest {
        &ADD_BESIDE_THE_LIST
    } else {
        &ADD_ON_ITS_PAGE
    };
    Form::new(spec, empty).next_and_cancel(list_path(Some(layout), "#contact-created"), None)
}

/// The page for editing a contact, whose `id` and `version` are among the values of `state`. If
/// another user has changed the contact in the meantime, the page shows both versions side by side,
/// and saving again replaces theirs. Not cacheable.
#[must_use]
pub fn contact_edit(layout: Option<&Layout>, state: &FormState) -> String {
    let path = contact_path(layout, state.value("id"));
    let edit = path.as_ref().map(|path| format!("{path}/edit"));
    let conflict = state
        .current
        .as_ref()
        .map(|current| Conflict::new(CONTACT_FIELDS, state, current, edit.clone()));
    let version = match &conflict {
        Some(conflict) => conflict.version.clone(),
        None => state.value("version").to_owned(),
    };
    let next = path.as_ref().map(|path| format!("{path}#contact-updated"));
    let mut form = Form::new(&EDIT, state)
        .edit_path(edit)
        .hidden("id", state.value("id"))
        .hidden("version", version)
        .existing(existing_path(layout, state))
        .next_and_cancel(next, path);
    form.conflict = conflict;
    render(&ContactFormPage {
        frame: PageFrame::new(form.title("Edit Contact"), layout),
        heading: "Edit Contact",
        form,
    })
}

/// The page that asks for confirmation before a contact is deleted. If the contact could not be
/// read, the id comes from `state`. Not cacheable.
#[must_use]
pub fn contact_delete(
    layout: Option<&Layout>,
    contact: Option<&Contact>,
    state: &FormState,
) -> String {
    let id = contact.map_or(state.value("id"), |contact| contact.id.as_str());
    let form = Form::new(&DELETE, state).hidden("id", id).next_and_cancel(
        list_path(layout, "#contact-deleted"),
        contact_path(layout, id),
    );
    render(&ContactDeletePage {
        frame: PageFrame::new(form.title("Delete Contact"), layout),
        name: contact.map(|contact| contact.details.name.as_str()),
        days: TRASH_DAYS,
        form,
    })
}

/// The path of the list followed by `rest`, if the tenant is known.
fn list_path(layout: Option<&Layout>, rest: &str) -> Option<String> {
    layout.map(|_| paths::contacts(layout, rest))
}

fn existing_path(layout: Option<&Layout>, state: &FormState) -> Option<String> {
    contact_path(layout, state.existing.as_deref()?)
}

/// The path of a contact's page. `None` unless the id is a UUID: it may be anything that a client
/// has sent.
fn contact_path(layout: Option<&Layout>, id: &str) -> Option<String> {
    action::is_uuid(id).then_some(paths::contact(Some(layout?), id, ""))
}
