//! Removes a contact, for its owner and for admins.

use action::{Action, App, FormPage, Function};
use commit::{ActionError, Actor, Chrome, Commit, Context, Form, Found, Input, Invalid, Key, Members, Reads};
use crm::{CONTACT_NOT_FOUND, Contact, ContactId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The action.
#[derive(Debug)]
pub struct DeleteContact;

/// Which contact: the input, and the answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Which {
    id: ContactId,
}

impl Input for Which {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let id = form.field("id", |text| ContactId::parse(text).map_err(|_| "Invalid id"));
        Ok(Self { id: id? })
    }
}

impl Action for DeleteContact {
    const NAME: &'static str = "delete-contact";
    type Permission = Members;
    type Input = Which;
    type Output = Which;

    fn reads(context: &Context<Actor>, which: &Which) -> Reads {
        Reads::none().item(Key::entity::<Contact>(&context.caller.tenant, which.id.as_str()))
    }

    fn run(context: &Context<Actor>, which: &Which, found: &Found) -> Result<Commit<Which>, ActionError> {
        let tenant = &context.caller.tenant;
        let contact: Contact =
            found.entity(tenant, which.id.as_str())?.ok_or(ActionError::NotFound(CONTACT_NOT_FOUND))?;
        if !contact.can_be_deleted_by(&context.caller) {
            return Err(ActionError::Forbidden("Only its owner or an admin can delete this contact"));
        }
        Ok(contact.delete(tenant, which.clone()))
    }

    fn next(chrome: Option<&Chrome>, _: &Which, _: &Which) -> String {
        pages::paths::contacts(chrome, "#contact-deleted")
    }

    fn form(page: &FormPage<'_>) -> String {
        let id = page.state.value("id");
        let contact = page.chrome.and_then(|chrome| page.found.entity(&chrome.tenant, id).ok().flatten());
        pages::contact_delete(page.chrome, contact.as_ref(), page.state)
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::action::<DeleteContact>(app)
}
