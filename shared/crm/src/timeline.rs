//! The history of one record: what was done to it, when and by whom.

use crate::UserNames;
use action::{ActionError, Entity, Found, Query, TenantId, UserId};
use jiff::Timestamp;
use serde::Deserialize;

/// The kind of record that holds an entry.
const KIND: &str = "timeline";

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// The action's name.
    pub action: String,
    /// When.
    pub at: Timestamp,
    /// What to call whoever did it.
    pub by: String,
}

/// An entry as stored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredEntry {
    action: String,
    at: Timestamp,
    user_id: Option<UserId>,
}

impl HistoryEvent {
    /// How many a page shows.
    pub const SHOWN: usize = 20;

    /// The read of the newest events of the entity with this id: one more than are shown tells
    /// whether there are more.
    #[must_use]
    pub fn query<E: Entity>(tenant: &TenantId, id: &str) -> Query {
        Query::records(KIND, &partition::<E>(tenant, id), Self::SHOWN + 1)
    }

    /// Who did what the read has found; nobody where it cannot be read.
    #[must_use]
    pub fn users<E: Entity>(found: &Found, tenant: &TenantId, id: &str) -> Vec<UserId> {
        let entries: Vec<StoredEntry> = found
            .records(KIND, &partition::<E>(tenant, id))
            .unwrap_or_default();
        entries
            .into_iter()
            .filter_map(|entry| entry.user_id)
            .collect()
    }

    /// What the read has found, newest first.
    ///
    /// # Errors
    /// [`ActionError::Internal`] where a stored entry is none.
    pub fn from_found<E: Entity>(
        found: &Found,
        tenant: &TenantId,
        id: &str,
        names: &UserNames,
    ) -> Result<Vec<Self>, ActionError> {
        let entries: Vec<StoredEntry> = found.records(KIND, &partition::<E>(tenant, id))?;
        let event_of = |entry: StoredEntry| Self {
            action: entry.action,
            at: entry.at,
            by: names.display_name(entry.user_id.as_ref()),
        };
        Ok(entries.into_iter().map(event_of).collect())
    }
}

fn partition<E: Entity>(tenant: &TenantId, id: &str) -> String {
    format!("{tenant}:{}:{id}", E::RESOURCE)
}
