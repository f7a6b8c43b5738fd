//! Shows one contact.

use action::{App, Function, View, ViewPage};
use commit::{ActionError, Actor, Context, Found, Reads, Viewers};
use crm::{Contact, ContactRef};
use std::sync::Arc;

/// The view.
#[derive(Debug)]
pub struct GetContact;

impl View for GetContact {
    const PATH: &'static str = "/t/{tenant}/contacts/{id}";
    type Permission = Viewers;
    type Params = ContactRef;
    type Output = Contact;

    fn reads(context: &Context<Actor>, which: &ContactRef) -> Result<Reads, ActionError> {
        Ok(which.reads(&context.caller))
    }

    fn show(
        context: &Context<Actor>,
        which: &ContactRef,
        found: &Found,
    ) -> Result<Contact, ActionError> {
        which.contact(&context.caller, found)
    }

    fn page(page: &ViewPage<'_>, contact: &Contact) -> String {
        page.chrome
            .map(|chrome| pages::contact_detail(chrome, contact))
            .unwrap_or_default()
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::views("get-contact", app).view::<GetContact>()
}
