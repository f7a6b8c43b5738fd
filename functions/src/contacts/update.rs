//! Replaces a contact's fields, for who has seen its latest version.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Input, Invalid, Layout,
    Members, Reads, Sample, Version,
};
use crm::{Contact, ContactDetails, ContactRef};
use serde::Serialize;
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct UpdateContact;

/// Which contact, the version that the change was based on, and every field.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    #[serde(flatten)]
    which: ContactRef,
    version: Version,
    details: ContactDetails,
}

impl Input for Change {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let which = ContactRef::parse(form);
        let version = form.field("version", |text| {
            Version::parse(text).map_err(|_| "Invalid version")
        });
        let details = ContactDetails::parse(form);
        Ok(Self {
            which: which?,
            version: version?,
            details: details?,
        })
    }
}

impl Action for UpdateContact {
    const NAME: &'static str = "update-contact";
    type Permission = Members;
    type Input = Change;
    type Output = Contact;

    fn sample() -> Sample {
        Sample::json(json!({
            "id": "{{contact}}", "version": 1,
            "name": "Søren Ågaard", "email": "soren@vindogvand.example",
            "company": "Vind & Vand A/S", "phone": "+45 55 50 01 82", "notes": null,
        }))
    }

    fn reads(context: &Context<Actor>, change: &Change) -> Reads {
        change.which.reads(&context.caller)
    }

    fn run(
        context: &Context<Actor>,
        change: &Change,
        found: &Found,
    ) -> Result<Commit<Contact>, ActionError> {
        let before = change.which.contact(&context.caller, found)?;
        if before.version != change.version {
            return Err(before.stale());
        }
        Ok(before
            .replaced(change.details.clone(), context.now)
            .update(&context.caller.tenant, &before))
    }

    fn success_path(layout: Option<&Layout>, _: &Change, contact: &Contact) -> String {
        pages::paths::contact(layout, contact.id.as_str(), "#contact-updated")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::contact_edit(page.layout, page.state)
    }
}
