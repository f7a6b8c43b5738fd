//! The organisation that a user opened last, which signing in opens again.

use crate::{Account, Email, Member};
use action::{ActionError, Commit, Found, Item, Key, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The record of it. It is stored under the email, so that signing in reads it with the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastOrganization {
    tenant: TenantId,
}

impl LastOrganization {
    /// The key of the record of the account with this email.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::record("last-organization", &email.unique(), "last-organization")
    }

    fn read(item: &Item) -> Option<Self> {
        serde_json::from_value(Value::Object(item.clone())).ok()
    }

    /// Notes that the user opens this organisation.
    #[must_use]
    pub fn note<T>(commit: Commit<T>, email: &Email, tenant: &TenantId) -> Commit<T> {
        let opened = Self {
            tenant: tenant.clone(),
        };
        commit.overwrite(Self::key_of(email), &opened)
    }
}

impl Account {
    /// The organisation to open after signing in: that of the page to return to, if the user is a member
    /// there; otherwise the one that was opened last, or the first. `None` if the user belongs to none.
    /// `found` has the memberships and the [`LastOrganization`].
    ///
    /// # Errors
    /// [`ActionError::Internal`] if a stored item cannot be read.
    pub fn organization_to_open(
        &self,
        found: &Found,
        wanted: Option<&TenantId>,
    ) -> Result<Option<(TenantId, Member)>, ActionError> {
        let last = found.stored(&LastOrganization::key_of(&self.email));
        let last = last.and_then(LastOrganization::read);
        let members = self.active_memberships(found)?;
        let position = |tenant: Option<&TenantId>| {
            members
                .iter()
                .position(|(member_of, _)| Some(*member_of) == tenant)
        };
        let chosen = position(wanted)
            .or(position(last.map(|last| last.tenant).as_ref()))
            .unwrap_or(0);
        let chosen = members.into_iter().nth(chosen);
        Ok(chosen.map(|(tenant, member)| (tenant.clone(), member)))
    }
}
