//! Shows one contact; its page also shows its history.

use action::{ActionError, Actor, Context, Found, Reads, View, ViewPage, Viewers};
use crm::{Contact, ContactRef, HistoryEvent, UserNames};
use schemars::JsonSchema;
use serde::Serialize;

/// The view.
#[derive(Debug)]
pub struct GetContact;

/// A contact.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactPage {
    #[serde(flatten)]
    contact: Contact,
    #[serde(skip)]
    history: Vec<HistoryEvent>,
}

impl View for GetContact {
    const PATH: &'static str = "/t/{tenant}/contacts/{id}";
    const FUNCTION: &'static str = "get-contact";
    type Permission = Viewers;
    type Params = ContactRef;
    type Output = ContactPage;

    fn reads(context: &Context<Actor>, params: &ContactRef) -> Result<Reads, ActionError> {
        let tenant = &context.caller.tenant;
        let history = HistoryEvent::query::<Contact>(tenant, params.id.as_str());
        let reads = params.reads(&context.caller);
        Ok(reads.query(history).query(UserNames::members_query(tenant)))
    }

    fn more_reads(context: &Context<Actor>, params: &ContactRef, found: &Found) -> Reads {
        let (tenant, id) = (&context.caller.tenant, params.id.as_str());
        let names = UserNames::from_found(found, tenant);
        names.more_reads(tenant, &HistoryEvent::users::<Contact>(found, tenant, id))
    }

    fn show(
        context: &Context<Actor>,
        params: &ContactRef,
        found: &Found,
    ) -> Result<ContactPage, ActionError> {
        let (tenant, id) = (&context.caller.tenant, params.id.as_str());
        let names = UserNames::from_found(found, tenant);
        Ok(ContactPage {
            contact: params.contact(&context.caller, found)?,
            history: HistoryEvent::from_found::<Contact>(found, tenant, id, &names),
        })
    }

    fn page(page: &ViewPage<'_>, output: &ContactPage) -> String {
        let ContactPage { contact, history } = output;
        page.layout
            .map(|layout| pages::contact_detail(layout, contact, history))
            .unwrap_or_default()
    }
}
