//! The history of one entity: what was done to it, when and by which user.

use crate::{RecordedUser, UserNames};
use action::{Entity, Found, Query, TenantId, UserId};
use jiff::Timestamp;
use serde::Deserialize;

/// The kind of record that holds an event.
const KIND: &str = "timeline";

/// One event in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// The action's name.
    pub action: String,
    /// When it was done.
    pub at: Timestamp,
    /// The name to show for the user who did it.
    pub by: String,
}

/// An event as it is stored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredEvent {
    action: String,
    at: Timestamp,
    user_id: Option<UserId>,
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    user_email: Option<String>,
}

impl HistoryEvent {
    /// The number of events that a page shows.
    pub const SHOWN: usize = 20;

    /// The read of the newest events of this entity. It reads one more than are shown, to know
    /// whether there are more.
    #[must_use]
    pub fn query<E: Entity>(tenant: &TenantId, id: &str) -> Query {
        Query::records(KIND, &partition::<E>(tenant, id), Self::SHOWN + 1)
    }

    /// The users of the events that were read.
    #[must_use]
    pub fn users<E: Entity>(found: &Found, tenant: &TenantId, id: &str) -> Vec<UserId> {
        stored_events::<E>(found, tenant, id)
            .filter_map(|event| event.user_id)
            .collect()
    }

    /// The events that were read, newest first. An event whose stored form cannot be read is left out: the
    /// audit shows that there is a record that cannot be read.
    #[must_use]
    pub fn from_found<E: Entity>(
        found: &Found,
        tenant: &TenantId,
        id: &str,
        names: &UserNames,
    ) -> Vec<Self> {
        let event = |stored: StoredEvent| Self {
            action: stored.action,
            at: stored.at,
            by: names.display_name(RecordedUser {
                id: stored.user_id.as_ref(),
                name: stored.user_name.as_deref(),
                email: stored.user_email.as_deref(),
            }),
        };
        stored_events::<E>(found, tenant, id).map(event).collect()
    }
}

fn stored_events<E: Entity>(
    found: &Found,
    tenant: &TenantId,
    id: &str,
) -> impl Iterator<Item = StoredEvent> {
    let events = found.each_record(KIND, &partition::<E>(tenant, id));
    events.into_iter().filter_map(Result::ok)
}

fn partition<E: Entity>(tenant: &TenantId, id: &str) -> String {
    format!("{tenant}:{}:{id}", E::RESOURCE)
}
