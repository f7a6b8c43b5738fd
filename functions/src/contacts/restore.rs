//! Restores a contact from the trash. Only its owner and admins may do it.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Members, Parsed,
    Reads, Sample,
};
use crm::{Contact, ContactRestoration};
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct RestoreContact;

impl Action for RestoreContact {
    const NAME: &'static str = "restore-contact";
    type Permission = Members;
    const RULE: &'static str = "only the contact's owner or an admin";
    type Input = ContactRestoration;
    type Output = Contact;

    fn sample() -> Sample {
        Sample::json(json!({ "id": "{{contact}}" }))
    }

    fn reads(
        context: &Context<Actor>,
        restoration: &ContactRestoration,
    ) -> Result<Reads, ActionError> {
        Ok(restoration.contact.reads_trash(&context.caller))
    }

    fn run(
        context: &Context<Actor>,
        restoration: &ContactRestoration,
        found: &Found,
    ) -> Result<Commit<Contact>, ActionError> {
        let actor = &context.caller;
        let trashed = restoration.contact.trashed(actor, found, context.now)?;
        if !trashed.contact.can_be_deleted_by(actor) {
            return Err(ActionError::Forbidden(
                "Only its owner or an admin can restore this contact",
            ));
        }
        let email = restoration.email.as_ref().map(Parsed::get).transpose()?;
        Ok(trashed.restore(email.cloned(), context.now))
    }
}

impl Form for RestoreContact {
    fn success_path(layout: Option<&Layout>, _: &ContactRestoration, contact: &Contact) -> String {
        pages::paths::contact(layout, contact.id.as_str(), "#contact-restored")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::contacts(layout, "/trash")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::contact_restore(page.layout, page.state)
    }
}
