//! Replaces the fields of a contact, if the user has seen its latest version.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Members, Parsed,
    Reads, Sample, Version,
};
use crm::{Contact, ContactFields, ContactRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct UpdateContact;

/// The contact, the version that the change is based on, and all fields.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ContactChange {
    #[serde(flatten)]
    #[validate(nested)]
    contact: ContactRef,
    /// The version that the change is based on.
    #[validate(nested)]
    version: Parsed<Version>,
    #[serde(flatten)]
    #[validate(nested)]
    fields: ContactFields,
}

impl Action for UpdateContact {
    const NAME: &'static str = "update-contact";
    type Permission = Members;
    type Input = ContactChange;
    type Output = Contact;

    fn sample() -> Sample {
        Sample::json(json!({
            "id": "{{contact}}", "version": 1,
            "name": "Søren Ågaard", "email": "soren@vindogvand.example",
            "company": "Vind & Vand A/S", "phone": "+45 55 50 01 82", "notes": null,
        }))
    }

    fn reads(context: &Context<Actor>, change: &ContactChange) -> Result<Reads, ActionError> {
        Ok(change.contact.reads(&context.caller))
    }

    fn run(
        context: &Context<Actor>,
        change: &ContactChange,
        found: &Found,
    ) -> Result<Commit<Contact>, ActionError> {
        let before = change.contact.contact(&context.caller, found)?;
        if before.version != *change.version.get()? {
            return Err(before.stale());
        }
        Ok(before
            .replaced(change.fields.details()?, context.now)
            .update(&context.caller.tenant, &before))
    }
}

impl Form for UpdateContact {
    fn success_path(layout: Option<&Layout>, _: &ContactChange, contact: &Contact) -> String {
        pages::paths::contact(layout, contact.id.as_str(), "#contact-updated")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::contacts(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::contact_edit(page.layout, page.state)
    }
}
