//! Replaces a contact's fields, for who has seen its latest version.

use action::{Action, App, FormPage, Function};
use commit::{ActionError, Actor, Chrome, Commit, Context, Form, Found, Input, Invalid, Key, Members, Reads, Version};
use crm::{CONTACT_NOT_FOUND, Contact, ContactDetails, ContactId};
use serde::Serialize;
use std::sync::Arc;

/// The action.
#[derive(Debug)]
pub struct UpdateContact;

/// Which contact, the version that the change was based on, and every field.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    id: ContactId,
    version: Version,
    details: ContactDetails,
}

impl Input for Change {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let id = form.field("id", |text| ContactId::parse(text).map_err(|_| "Invalid id"));
        let version = form.field("version", |text| Version::parse(text).map_err(|_| "Invalid version"));
        let details = ContactDetails::parse(form);
        Ok(Self { id: id?, version: version?, details: details? })
    }
}

impl Action for UpdateContact {
    const NAME: &'static str = "update-contact";
    type Permission = Members;
    type Input = Change;
    type Output = Contact;

    fn reads(context: &Context<Actor>, change: &Change) -> Reads {
        Reads::none().item(Key::entity::<Contact>(&context.caller.tenant, change.id.as_str()))
    }

    fn run(context: &Context<Actor>, change: &Change, found: &Found) -> Result<Commit<Contact>, ActionError> {
        let tenant = &context.caller.tenant;
        let before: Contact =
            found.entity(tenant, change.id.as_str())?.ok_or(ActionError::NotFound(CONTACT_NOT_FOUND))?;
        if before.version != change.version {
            return Err(before.stale());
        }
        Ok(before.replaced(change.details.clone(), context.now).update(tenant, &before))
    }

    fn next(chrome: Option<&Chrome>, _: &Change, contact: &Contact) -> String {
        pages::paths::contact(chrome, contact.id.as_str(), "#contact-updated")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::contact_edit(page.chrome, page.state)
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::action::<UpdateContact>(app)
}
