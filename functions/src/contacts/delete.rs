//! Moves a contact to the trash, for its owner and for admins.

use action::{
    Action, ActionError, Actor, Commit, Context, FormPage, Found, Layout, Members, Reads, Sample,
};
use crm::ContactRef;
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct DeleteContact;

impl Action for DeleteContact {
    const NAME: &'static str = "delete-contact";
    type Permission = Members;
    const RULE: &'static str = "its owner, or an admin";
    type Input = ContactRef;
    type Output = ContactRef;

    fn sample() -> Sample {
        Sample::json(json!({ "id": "{{contact}}" }))
    }

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

    fn success_path(layout: Option<&Layout>, _: &ContactRef, _: &ContactRef) -> String {
        pages::paths::contacts(layout, "#contact-deleted")
    }

    fn form(page: &FormPage<'_>) -> String {
        let id = page.state.value("id");
        let contact = page
            .layout
            .and_then(|layout| page.found.entity(&layout.tenant, id).ok().flatten());
        pages::contact_delete(page.layout, contact.as_ref(), page.state)
    }
}
