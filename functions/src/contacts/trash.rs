//! The trash: deleted contacts, each with a form to restore it.

use action::{
    ActionError, Actor, Context, FieldErrors, Form, Found, Input, Invalid, Members, Query, Reads,
    View, ViewPage,
};
use crm::{Contact, PAGE_SIZE, TrashedContact};
use jiff::Timestamp;
use serde::Serialize;
use std::convert::Infallible;

/// What has been deleted and can be restored.
pub struct Trash;

/// Where to begin.
#[derive(Debug, Clone, Serialize)]
pub struct Place {
    after: Option<String>,
}

impl Input for Place {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let after = form.optional("after", |text| Ok::<_, Infallible>(text.to_owned()));
        Ok(Self { after: after? })
    }
}

/// One page of it.
#[derive(Debug, Serialize)]
pub struct Page {
    contacts: Vec<Deleted>,
    next: Option<String>,
}

/// A deleted contact.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    #[serde(flatten)]
    contact: Contact,
    deleted_at: Timestamp,
    /// When it is gone for good.
    expires_at: Timestamp,
    /// Whether the caller may restore it.
    #[serde(skip)]
    restorable: bool,
}

fn list(actor: &Actor) -> String {
    format!("{}:trash", actor.tenant)
}

impl View for Trash {
    const PATH: &'static str = "/t/{tenant}/contacts/trash";
    type Permission = Members;
    type Params = Place;
    type Output = Page;

    fn reads(context: &Context<Actor>, place: &Place) -> Result<Reads, ActionError> {
        let actor = &context.caller;
        let position = |cursor: &String| {
            let unknown = || FieldErrors::from([("after".to_owned(), "Unknown page".to_owned())]);
            context
                .position(&list(actor), cursor)
                .ok_or_else(|| ActionError::Validation(unknown()))
        };
        let after = place.after.as_ref().map(position).transpose()?;
        let query = Query::records(TrashedContact::KIND, actor.tenant.as_str(), PAGE_SIZE + 1)
            .after(after)
            .filter(crm::can_be_restored(context.now));
        Ok(Reads::none().query(query))
    }

    fn show(context: &Context<Actor>, _: &Place, found: &Found) -> Result<Page, ActionError> {
        let actor = &context.caller;
        let mut trashed: Vec<TrashedContact> =
            found.records(TrashedContact::KIND, actor.tenant.as_str())?;
        let more = trashed.len() > PAGE_SIZE;
        trashed.truncate(PAGE_SIZE);
        let next = trashed
            .last()
            .filter(|_| more)
            .map(|last| context.cursor(&list(actor), last.contact.id.as_str()));
        let deleted = |trashed: TrashedContact| Deleted {
            restorable: trashed.contact.can_be_deleted_by(actor),
            deleted_at: trashed.deleted_at,
            expires_at: trashed.until(),
            contact: trashed.contact,
        };
        Ok(Page {
            contacts: trashed.into_iter().map(deleted).collect(),
            next,
        })
    }

    fn page(page: &ViewPage<'_>, output: &Page) -> String {
        let rows = output.contacts.iter().map(|deleted| pages::DeletedContact {
            contact: &deleted.contact,
            deleted_at: deleted.deleted_at,
            expires_at: deleted.expires_at,
            restorable: deleted.restorable,
        });
        pages::trash(page.layout, rows, output.next.as_deref(), &page.key)
    }
}
