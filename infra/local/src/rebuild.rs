//! The command that rebuilds search indexes.

use crate::{Target, TargetError};
use action::{Entity, Key, TenantId};
use crm::Contact;
use std::collections::BTreeSet;
use std::time::Duration;
use store::{IndexError, Rebuilt, Store};

/// How long a running search may still read an index after it was replaced: longer than the timeout
/// of every function that searches.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(30);

/// The options of `rebuild-search`.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "rebuild-search",
    version,
    about = "Rebuilds the search index of Edge CRM from all contacts",
    after_help = "The product may keep running; searches use the old index until the new one is complete. \
                  Exits with 0 if all indexes were rebuilt, with 1 if another process was rebuilding one, with 2 if the table cannot be used."
)]
pub struct RebuildOptions {
    /// The table.
    #[command(flatten)]
    pub target: Target,

    /// Only this organisation, by its slug
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
}

/// Rebuilds the indexes that `options` select. Returns the result for each collection; `None` if
/// another process was rebuilding its index.
///
/// # Errors
/// [`TargetError`] if the table cannot be read or written.
pub async fn rebuild_search(
    options: &RebuildOptions,
) -> Result<Vec<(String, Option<Rebuilt>)>, TargetError> {
    let table = options.target.open().await?;
    let grace = match table.is_exclusive() {
        true => Duration::ZERO,
        false => SEARCH_TIMEOUT,
    };
    let rebuilt = rebuild(&table.store, options.tenant.as_deref(), grace).await;
    table.close().await;
    rebuilt
}

async fn rebuild(
    store: &Store,
    tenant: Option<&str>,
    grace: Duration,
) -> Result<Vec<(String, Option<Rebuilt>)>, TargetError> {
    let mut all = Vec::new();
    for collection in collections(store, tenant).await? {
        let built = match store.rebuild_index::<Contact>(&collection).await {
            Ok(built) => Some(built),
            Err(IndexError::Overtaken) => None,
            Err(IndexError::Store(error)) => return Err(error.into()),
        };
        all.push((collection, built));
    }
    let mut stale = Vec::new();
    for (collection, built) in &all {
        if built.is_some() && store.has_stale_indexes(collection).await? {
            stale.push(collection);
        }
    }
    if !stale.is_empty() {
        tokio::time::sleep(grace).await;
    }
    for collection in stale {
        match store.remove_stale_indexes(collection).await {
            Ok(_) => {}
            Err(IndexError::Store(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(%error, collection, "an old index was not removed"),
        }
    }
    Ok(all)
}

/// The partition keys of the contacts: of one organisation, or of all.
async fn collections(store: &Store, tenant: Option<&str>) -> Result<BTreeSet<String>, TargetError> {
    if let Some(slug) = tenant {
        let unknown = || TargetError::NoOrganization(slug.to_owned());
        let tenant = TenantId::parse(slug).map_err(|_| unknown())?;
        if store.items([Key::tenant(&tenant)]).await?.is_empty() {
            return Err(unknown());
        }
        return Ok(BTreeSet::from([Key::collection::<Contact>(&tenant)]));
    }
    let resource = Contact::RESOURCE;
    let mut found = BTreeSet::new();
    let mut add = |pk: &str| {
        let parts = pk.split_once(':');
        if parts.is_some_and(|(tenant, kind)| !tenant.starts_with('#') && kind == resource) {
            found.insert(pk.to_owned());
        }
    };
    store.scan(|key, _| add(key.parts().0)).await?;
    Ok(found)
}
