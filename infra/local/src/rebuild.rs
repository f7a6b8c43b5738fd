//! The command that builds search indexes anew.

use crate::{Target, TargetError};
use action::{Entity, Key, TenantId};
use crm::Contact;
use std::collections::BTreeSet;
use std::time::Duration;
use store::{IndexError, Rebuilt, Store};

/// How long a search that began before an index was replaced may go on reading the old one: longer
/// than any function may run that searches.
const SEARCHING: Duration = Duration::from_secs(30);

/// What to build.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "rebuild-search",
    version,
    about = "Builds the search index of Edge CRM anew, from all contacts",
    after_help = "The product may go on meanwhile; searches use the index there was until the new one is complete. \
                  Ends with 0 where all are built, with 1 where one is not because somebody else was at it, with 2 where it cannot."
)]
pub struct RebuildOptions {
    /// Which table.
    #[command(flatten)]
    pub target: Target,

    /// Only this organisation, by its slug
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
}

/// Builds the indexes that `options` name. Gives for each collection what came of it; `None` where
/// somebody else was at it.
///
/// # Errors
/// [`TargetError`] where the table cannot be read or written.
pub async fn rebuild_search(
    options: &RebuildOptions,
) -> Result<Vec<(String, Option<Rebuilt>)>, TargetError> {
    let table = options.target.open().await?;
    let grace = match table.is_alone() {
        true => Duration::ZERO,
        false => SEARCHING,
    };
    let built = build(&table.store, options.tenant.as_deref(), grace).await;
    table.close().await;
    built
}

async fn build(
    store: &Store,
    tenant: Option<&str>,
    grace: Duration,
) -> Result<Vec<(String, Option<Rebuilt>)>, TargetError> {
    let mut all = Vec::new();
    for collection in collections(store, tenant).await? {
        let built = match store.rebuild_index::<Contact>(&collection, None).await {
            Ok(built) => Some(built),
            Err(IndexError::Overtaken | IndexError::TooLarge) => None,
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
            Err(error) => tracing::warn!(%error, collection, "an old index stays for now"),
        }
    }
    Ok(all)
}

/// The partitions of contacts that there are.
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
    let mut note = |pk: &str| {
        let parts = pk.split_once(':');
        if parts.is_some_and(|(tenant, kind)| !tenant.starts_with('#') && kind == resource) {
            found.insert(pk.to_owned());
        }
    };
    store.scan(|key, _| note(key.parts().0)).await?;
    Ok(found)
}
