//! Creates a contact. Its owner is the user who creates it.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Members, Sample,
};
use crm::{Contact, ContactFields};
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct CreateContact;

impl Action for CreateContact {
    const NAME: &'static str = "create-contact";
    type Permission = Members;
    type Input = ContactFields;
    type Output = Contact;

    fn sample() -> Sample {
        Sample::json(json!({
            "name": "Søren Ågaard", "email": "soren@vindogvand.example",
            "company": "Vind & Vand", "phone": "+45 55 50 01 82",
            "notes": "Ask about the second turbine.",
        }))
    }

    fn run(
        context: &Context<Actor>,
        fields: &ContactFields,
        _: &Found,
    ) -> Result<Commit<Contact>, ActionError> {
        let actor = &context.caller;
        let contact = Contact::new(context.new_id(), actor, fields.details()?, context.now);
        Ok(contact.create(&actor.tenant))
    }
}

impl Form for CreateContact {
    fn success_path(layout: Option<&Layout>, _: &ContactFields, _: &Contact) -> String {
        pages::paths::contacts(layout, "#contact-created")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::contacts(layout, "/new")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::contact_new(page.layout, page.state)
    }
}
