//! The history of one entity: what was done to it, when and by which user.

use crate::{RecordedUser, UserNames};
use action::{ActionError, Entity, Found, Query, TenantId, UserId};
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

    /// The users of the events that were read; none if the events cannot be read.
    #[must_use]
    pub fn users<E: Entity>(found: &Found, tenant: &TenantId, id: &str) -> Vec<UserId> {
        let events: Vec<StoredEvent> = found
            .records(KIND, &partition::<E>(tenant, id))
            .unwrap_or_default();
        events
            .into_iter()
            .filter_map(|event| event.user_id)
            .collect()
    }

    /// The events that were read, newest first.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if a stored event cannot be read.
    pub fn from_found<E: Entity>(
        found: &Found,
        tenant: &TenantId,
        id: &str,
        names: &UserNames,
    ) -> Result<Vec<Self>, ActionError> {
        let events: Vec<StoredEvent> = found.records(KIND, &partition::<E>(tenant, id))?;
        let event = |stored: StoredEvent| Self {
            action: stored.action,
            at: stored.at,
            by: names.display_name(RecordedUser {
                id: stored.user_id.as_ref(),
                name: stored.user_name.as_deref(),
                email: stored.user_email.as_deref(),
            }),
        };
        Ok(events.into_iter().map(event).collect())
    }
}

fn partition<E: Entity>(tenant: &TenantId, id: &str) -> String {
    format!("{tenant}:{}:{id}", E::RESOURCE)
}
