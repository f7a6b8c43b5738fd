//! The pages for adding, editing and deleting a contact. Each holds a fresh idempotency key, so
//! none may be cached.

use crate::conflict::Conflict;
use crate::form::{CONTACT_FIELDS, Form, FormSpec};
use crate::layout::{Page, render};
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
    page: Page<'a>,
    heading: &'static str,
    form: Form<'a>,
}

#[derive(Template)]
#[template(path = "contact_delete.html")]
struct ContactDeletePage<'a> {
    page: Page<'a>,
    name: Option<&'a str>,
    days: i64,
    form: Form<'a>,
}

/// The page for adding a contact. Not cacheable.
#[must_use]
pub fn contact_new(layout: Option<&Layout>, form: &FormState) -> String {
    let view = Form::new(&ADD_ON_ITS_PAGE, form)
        .existing(existing(layout, form))
        .between(list(layout, "#contact-created"), list(layout, ""));
    render(&ContactFormPage {
        page: Page::new(view.title("Add Contact"), layout),
        heading: "Add Contact",
        form: view,
    })
}

/// The form that the script puts beside the list. It stands in a cacheable page, so it has no
/// key: the script makes one. On an older page of the list, and among what was searched for, a new
/// contact has no place, so there the browser goes to the newest.
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
    Form::new(spec, empty).between(list(Some(layout), "#contact-created"), None)
}

/// The page for editing a contact; the form's values hold its `id` and `version`. Where somebody
/// else changed it meanwhile, both versions stand side by side and saving again replaces theirs.
/// Not cacheable.
#[must_use]
pub fn contact_edit(layout: Option<&Layout>, form: &FormState) -> String {
    let path = contact_path(layout, form.value("id"));
    let edit = path.as_ref().map(|path| format!("{path}/edit"));
    let conflict = form
        .current
        .as_ref()
        .map(|current| Conflict::new(CONTACT_FIELDS, form, current, edit.clone()));
    let version = match &conflict {
        Some(conflict) => conflict.version.clone(),
        None => form.value("version").to_owned(),
    };
    let next = path.as_ref().map(|path| format!("{path}#contact-updated"));
    let mut view = Form::new(&EDIT, form)
        .edited_at(edit)
        .hidden("id", form.value("id"))
        .hidden("version", version)
        .existing(existing(layout, form))
        .between(next, path);
    view.conflict = conflict;
    render(&ContactFormPage {
        page: Page::new(view.title("Edit Contact"), layout),
        heading: "Edit Contact",
        form: view,
    })
}

/// The page that asks before a contact is deleted. Where the contact could not be read, the id
/// is the form's. Not cacheable.
#[must_use]
pub fn contact_delete(
    layout: Option<&Layout>,
    contact: Option<&Contact>,
    form: &FormState,
) -> String {
    let id = contact.map_or(form.value("id"), |contact| contact.id.as_str());
    let view = Form::new(&DELETE, form)
        .hidden("id", id)
        .between(list(layout, "#contact-deleted"), contact_path(layout, id));
    render(&ContactDeletePage {
        page: Page::new(view.title("Delete Contact"), layout),
        name: contact.map(|contact| contact.details.name.as_str()),
        days: TRASH_DAYS,
        form: view,
    })
}

/// The list, where the organisation is known; with what follows its path.
fn list(layout: Option<&Layout>, rest: &str) -> Option<String> {
    layout.map(|_| paths::contacts(layout, rest))
}

fn existing(layout: Option<&Layout>, form: &FormState) -> Option<String> {
    contact_path(layout, form.existing.as_deref()?)
}

/// A contact's page. An id that is none may be anything a client sent, so it makes no path.
fn contact_path(layout: Option<&Layout>, id: &str) -> Option<String> {
    action::is_uuid(id).then_some(paths::contact(Some(layout?), id, ""))
}
