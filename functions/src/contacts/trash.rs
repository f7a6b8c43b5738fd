//! The trash: deleted contacts, each with a form to restore it.

use action::{
    ActionError, Actor, Context, Found, Members, Query, Reads, Text, View, ViewPage, cut_page,
    optional,
};
use crm::{Contact, PAGE_SIZE, TrashedContact};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The view.
pub struct Trash;

/// The page of the trash.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct TrashParams {
    /// The cursor from `next` of the page before.
    #[serde(deserialize_with = "optional")]
    after: Option<Text>,
}

/// One page of the trash.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TrashPage {
    contacts: Vec<DeletedContact>,
    /// The cursor of the next page; `null` on the last one.
    next: Option<String>,
}

/// A deleted contact that can be restored.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DeletedContact {
    #[serde(flatten)]
    contact: Contact,
    deleted_at: Timestamp,
    /// When it can no longer be restored.
    expires_at: Timestamp,
    /// Whether the caller may restore it.
    #[serde(skip)]
    restorable: bool,
}

fn list_name(actor: &Actor) -> String {
    format!("{}:trash", actor.tenant)
}

impl View for Trash {
    const PATH: &'static str = "/t/{tenant}/contacts/trash";
    type Permission = Members;
    type Params = TrashParams;
    type Output = TrashPage;

    fn reads(context: &Context<Actor>, params: &TrashParams) -> Result<Reads, ActionError> {
        let actor = &context.caller;
        let after = context.after(&list_name(actor), params.after.as_ref())?;
        let query = Query::records(TrashedContact::KIND, actor.tenant.as_str(), PAGE_SIZE + 1)
            .after(after)
            .filter(crm::is_restorable(context.now));
        Ok(Reads::none().query(query))
    }

    fn show(
        context: &Context<Actor>,
        _: &TrashParams,
        found: &Found,
    ) -> Result<TrashPage, ActionError> {
        let actor = &context.caller;
        let mut trashed: Vec<TrashedContact> =
            found.records(TrashedContact::KIND, actor.tenant.as_str())?;
        let last = cut_page(&mut trashed, PAGE_SIZE);
        let last = last.map(|last| last.contact.id.as_str());
        let next = last
            .or(found.unread_records(TrashedContact::KIND, actor.tenant.as_str()))
            .map(|last| context.cursor(&list_name(actor), last));
        let deleted = |trashed: TrashedContact| DeletedContact {
            restorable: trashed.contact.can_be_deleted_by(actor),
            deleted_at: trashed.deleted_at,
            expires_at: trashed.expires_at(),
            contact: trashed.contact,
        };
        Ok(TrashPage {
            contacts: trashed.into_iter().map(deleted).collect(),
            next,
        })
    }

    fn page(page: &ViewPage<'_>, output: &TrashPage) -> String {
        let rows = output.contacts.iter().map(|deleted| pages::DeletedContact {
            contact: &deleted.contact,
            deleted_at: deleted.deleted_at,
            expires_at: deleted.expires_at,
            restorable: deleted.restorable,
        });
        pages::trash(page.layout, rows, output.next.as_deref(), &page.key)
    }
}
