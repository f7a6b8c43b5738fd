//! Shows one contact, and on its page what was done to it.

use action::{ActionError, Actor, Context, Found, Reads, View, ViewPage, Viewers};
use crm::{Contact, ContactRef, Event, People};
use schemars::JsonSchema;
use serde::Serialize;

/// The view.
#[derive(Debug)]
pub struct GetContact;

/// A contact, and for its page what was done to it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactPage {
    #[serde(flatten)]
    contact: Contact,
    #[serde(skip)]
    history: Vec<Event>,
}

impl View for GetContact {
    const PATH: &'static str = "/t/{tenant}/contacts/{id}";
    const FUNCTION: &'static str = "get-contact";
    type Permission = Viewers;
    type Params = ContactRef;
    type Output = ContactPage;

    fn reads(context: &Context<Actor>, which: &ContactRef) -> Result<Reads, ActionError> {
        let tenant = &context.caller.tenant;
        let history = Event::query::<Contact>(tenant, which.id.as_str());
        let reads = which.reads(&context.caller);
        Ok(reads.query(history).query(People::query(tenant)))
    }

    fn more_reads(context: &Context<Actor>, which: &ContactRef, found: &Found) -> Reads {
        let (tenant, id) = (&context.caller.tenant, which.id.as_str());
        let people = People::found(found, tenant);
        people.more_reads(tenant, &Event::people::<Contact>(found, tenant, id))
    }

    fn show(
        context: &Context<Actor>,
        which: &ContactRef,
        found: &Found,
    ) -> Result<ContactPage, ActionError> {
        let (tenant, id) = (&context.caller.tenant, which.id.as_str());
        let people = People::found(found, tenant);
        Ok(ContactPage {
            contact: which.contact(&context.caller, found)?,
            history: Event::found::<Contact>(found, tenant, id, &people)?,
        })
    }

    fn page(page: &ViewPage<'_>, output: &ContactPage) -> String {
        let ContactPage { contact, history } = output;
        page.layout
            .map(|layout| pages::contact_detail(layout, contact, history))
            .unwrap_or_default()
    }
}
