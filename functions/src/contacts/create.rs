//! Adds a contact, which belongs to whoever adds it.

use action::{Action, ActionError, Actor, Commit, Context, FormPage, Found, Layout, Members};
use crm::{Contact, ContactDetails};

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

    fn success_path(layout: Option<&Layout>, _: &ContactDetails, _: &Contact) -> String {
        pages::paths::contacts(layout, "#contact-created")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::contact_new(page.layout, page.state)
    }
}
