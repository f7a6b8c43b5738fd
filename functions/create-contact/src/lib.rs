//! Adds a contact, which belongs to whoever adds it.

use action::{Action, App, FormPage, Function};
use commit::{ActionError, Actor, Chrome, Commit, Context, Found, Members};
use crm::{Contact, ContactDetails};
use std::sync::Arc;

/// The action.
#[derive(Debug)]
pub struct CreateContact;

impl Action for CreateContact {
    const NAME: &'static str = "create-contact";
    type Permission = Members;
    type Input = ContactDetails;
    type Output = Contact;

    fn run(
        context: &Context<Actor>,
        details: &ContactDetails,
        _: &Found,
    ) -> Result<Commit<Contact>, ActionError> {
        let actor = &context.caller;
        let contact = Contact::new(context.new_id(), actor, details.clone(), context.now);
        Ok(contact.create(&actor.tenant))
    }

    fn next(chrome: Option<&Chrome>, _: &ContactDetails, _: &Contact) -> String {
        pages::paths::contacts(chrome, "#contact-created")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::contact_new(page.chrome, page.state)
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::action::<CreateContact>(app)
}
