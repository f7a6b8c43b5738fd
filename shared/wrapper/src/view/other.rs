//! A link into an organisation other than that of the session. A member is offered to switch to it. Anybody
//! else gets what an organisation that does not exist gets, after the same reads.

use crate::{App, Failure};
use action::{Actor, Item, Key, MembershipRecord, OtherOrganization, TenantId, TenantRecord};

/// The organisation with this slug, if the user is a member of it. `path` is that of the page.
pub(crate) async fn of_user(
    app: &App,
    actor: &Actor,
    tenant: &str,
    path: impl FnOnce() -> String,
) -> Result<Option<OtherOrganization>, Failure> {
    // No organisation has another slug.
    let Ok(tenant) = TenantId::parse(tenant) else {
        return Ok(None);
    };
    let membership = item(app, Key::membership(&tenant, &actor.user)).await?;
    let membership = membership.as_ref().and_then(MembershipRecord::read);
    if membership.and_then(|one| one.active_role()).is_none() {
        return Ok(None);
    }
    // Only for a member, because without the organisation there is no such item.
    let record = item(app, Key::tenant(&tenant)).await?;
    let name = record.and_then(|item| TenantRecord::read(&item).name);
    Ok(Some(OtherOrganization {
        user: actor.user.clone(),
        name: name.unwrap_or_else(|| tenant.to_string()),
        path: path(),
        key: crate::run::answer::new_idempotency_key(),
        tenant,
    }))
}

async fn item(app: &App, key: Key) -> Result<Option<Item>, Failure> {
    let mut items = app.store.items([key.clone()]).await?;
    Ok(items.remove(&key))
}
