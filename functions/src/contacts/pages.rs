//! The form pages of contacts.

use action::{
    ActionError, Actor, Context, Empty, FormState, Found, Members, Reads, View, ViewPage,
};
use crm::{Contact, ContactRef};

/// The form to add a contact.
pub struct NewPage;

/// The form to edit a contact.
pub struct EditPage;

/// The page that asks before a contact is deleted.
pub struct DeletePage;

impl View for NewPage {
    const PATH: &'static str = "/t/{tenant}/contacts/new";
    type Permission = Members;
    type Params = Empty;
    type Output = Empty;

    fn show(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Empty, ActionError> {
        Ok(Empty {})
    }

    fn page(page: &ViewPage<'_>, _: &Empty) -> String {
        pages::contact_new(
            page.layout,
            &FormState {
                key: page.key.clone(),
                ..FormState::default()
            },
        )
    }
}

impl View for EditPage {
    const PATH: &'static str = "/t/{tenant}/contacts/{id}/edit";
    type Permission = Members;
    type Params = ContactRef;
    type Output = Contact;

    fn reads(context: &Context<Actor>, params: &ContactRef) -> Result<Reads, ActionError> {
        Ok(params.reads(&context.caller))
    }

    fn show(
        context: &Context<Actor>,
        params: &ContactRef,
        found: &Found,
    ) -> Result<Contact, ActionError> {
        params.contact(&context.caller, found)
    }

    fn page(page: &ViewPage<'_>, contact: &Contact) -> String {
        pages::contact_edit(page.layout, &filled_form(contact, page))
    }
}

impl View for DeletePage {
    const PATH: &'static str = "/t/{tenant}/contacts/{id}/delete";
    type Permission = Members;
    type Params = ContactRef;
    type Output = Contact;

    fn reads(context: &Context<Actor>, params: &ContactRef) -> Result<Reads, ActionError> {
        Ok(params.reads(&context.caller))
    }

    fn show(
        context: &Context<Actor>,
        params: &ContactRef,
        found: &Found,
    ) -> Result<Contact, ActionError> {
        params.contact(&context.caller, found)
    }

    fn page(page: &ViewPage<'_>, contact: &Contact) -> String {
        pages::contact_delete(page.layout, Some(contact), &filled_form(contact, page))
    }
}

/// A form that is filled with the contact.
fn filled_form(contact: &Contact, page: &ViewPage<'_>) -> FormState {
    let details = &contact.details;
    let optional = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let values = [
        ("id", contact.id.to_string()),
        ("version", contact.version.to_string()),
        ("name", details.name.to_string()),
        (
            "email",
            optional(details.email.as_ref().map(crm::Email::as_str)),
        ),
        (
            "company",
            optional(details.company.as_ref().map(crm::Company::as_str)),
        ),
        (
            "phone",
            optional(details.phone.as_ref().map(crm::Phone::as_str)),
        ),
        (
            "notes",
            optional(details.notes.as_ref().map(crm::Notes::as_str)),
        ),
    ];
    FormState {
        values: values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        key: page.key.clone(),
        ..FormState::default()
    }
}
