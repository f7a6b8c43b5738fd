//! Moves a contact to the trash, for its owner and for admins.

use action::{Action, App, FormPage, Function};
use commit::{ActionError, Actor, Chrome, Commit, Context, Found, Members, Reads};
use crm::ContactRef;
use std::sync::Arc;

/// The action.
#[derive(Debug)]
pub struct DeleteContact;

impl Action for DeleteContact {
    const NAME: &'static str = "delete-contact";
    type Permission = Members;
    const RULE: &'static str = "its owner, or an admin";
    type Input = ContactRef;
    type Output = ContactRef;

    fn reads(context: &Context<Actor>, which: &ContactRef) -> Reads {
        which.reads(&context.caller)
    }

    fn run(
        context: &Context<Actor>,
        which: &ContactRef,
        found: &Found,
    ) -> Result<Commit<ContactRef>, ActionError> {
        let contact = which.contact(&context.caller, found)?;
        if !contact.can_be_deleted_by(&context.caller) {
            return Err(ActionError::Forbidden(
                "Only its owner or an admin can delete this contact",
            ));
        }
        Ok(contact.delete(&context.caller, context.now, which.clone()))
    }

    fn next(chrome: Option<&Chrome>, _: &ContactRef, _: &ContactRef) -> String {
        pages::paths::contacts(chrome, "#contact-deleted")
    }

    fn form(page: &FormPage<'_>) -> String {
        let id = page.state.value("id");
        let contact = page
            .chrome
            .and_then(|chrome| page.found.entity(&chrome.tenant, id).ok().flatten());
        pages::contact_delete(page.chrome, contact.as_ref(), page.state)
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::action::<DeleteContact>(app)
}
