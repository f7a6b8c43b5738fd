//! Moves a contact to the trash. Only its owner and admins may do it.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Members, Reads,
    Sample,
};
use crm::{ContactId, ContactRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct DeleteContact;

/// The response: the id of the deleted contact.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeletedId")]
pub struct Deleted {
    id: ContactId,
}

impl Action for DeleteContact {
    const NAME: &'static str = "delete-contact";
    type Permission = Members;
    const RULE: &'static str = "only the contact's owner or an admin";
    type Input = ContactRef;
    type Output = Deleted;

    fn sample() -> Sample {
        Sample::json(json!({ "id": "{{contact}}" }))
    }

    fn reads(context: &Context<Actor>, input: &ContactRef) -> Result<Reads, ActionError> {
        Ok(input.reads(&context.caller))
    }

    fn run(
        context: &Context<Actor>,
        input: &ContactRef,
        found: &Found,
    ) -> Result<Commit<Deleted>, ActionError> {
        let contact = input.contact(&context.caller, found)?;
        if !contact.can_be_deleted_by(&context.caller) {
            return Err(ActionError::Forbidden(
                "Only its owner or an admin can delete this contact",
            ));
        }
        let id = contact.id.clone();
        Ok(contact.delete(&context.caller, context.now, Deleted { id }))
    }
}

impl Form for DeleteContact {
    fn success_path(layout: Option<&Layout>, _: &ContactRef, _: &Deleted) -> String {
        pages::paths::contacts(layout, "#contact-deleted")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::contacts(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        let id = page.state.value("id");
        let contact = page
            .layout
            .and_then(|layout| page.found.entity(&layout.tenant, id).ok().flatten());
        pages::contact_delete(page.layout, contact.as_ref(), page.state)
    }
}
