//! The trash: deleted contacts, which can be restored for 30 days.

use crate::contact::{CONTACT_NOT_FOUND, Contact};
use crate::{ContactRef, Email};
use action::{
    ActionError, Actor, Commit, Found, Item, Key, Parsed, Reads, Record, TenantId, UserId, Version,
    optional,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// How long a deleted contact can be restored, in days.
pub const TRASH_DAYS: i64 = 30;

/// A deleted contact. It is a record and not an entity, because no cached page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrashedContact {
    tenant: TenantId,
    /// The contact as it was.
    pub contact: Contact,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// The user who deleted it.
    pub deleted_by: UserId,
    /// When it can no longer be restored, in seconds since 1970. The table removes it some time
    /// later.
    #[serde(rename = "expires_at")]
    expires_at: i64,
    /// The version of the contact.
    version: Version,
}

impl Record for TrashedContact {
    fn key(&self) -> Key {
        Self::key_of(&self.tenant, self.contact.id.as_str())
    }

    fn version(&self) -> Version {
        self.version
    }
}

impl TrashedContact {
    /// The kind of the record. Its name is the organisation's id.
    pub const KIND: &'static str = "trash";

    /// The key of the deleted contact with this id.
    #[must_use]
    pub fn key_of(tenant: &TenantId, id: &str) -> Key {
        Key::record(Self::KIND, tenant.as_str(), id)
    }

    /// The record of a contact that `actor` deletes now.
    #[must_use]
    pub fn new(contact: &Contact, actor: &Actor, now: Timestamp) -> Self {
        Self {
            tenant: actor.tenant.clone(),
            contact: contact.clone(),
            deleted_at: now,
            deleted_by: actor.user.clone(),
            expires_at: now.as_second() + TRASH_DAYS * 86_400,
            version: contact.version,
        }
    }

    /// Whether it can still be restored.
    #[must_use]
    pub fn can_be_restored(&self, now: Timestamp) -> bool {
        now.as_second() < self.expires_at
    }

    /// When it can no longer be restored.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_second(self.expires_at).unwrap_or(self.deleted_at)
    }

    /// Restores the contact and claims its email, if it has one. `email` replaces the contact's own email, if that
    /// has been taken since.
    #[must_use]
    pub fn restore(self, email: Option<Email>, now: Timestamp) -> Commit<Contact> {
        let mut details = self.contact.details.clone();
        details.email = email.or(details.email);
        let contact = self.contact.replaced(details, now);
        let subject = contact.subject(&self.tenant);
        let key = subject.key();
        let commit = Commit::new(subject, contact.clone())
            .moves(self.key(), key)
            .put(&self.tenant, &contact, None)
            .delete_record(self.key(), Some(self.version));
        contact.claim_email(&self.tenant, commit)
    }
}

/// A filter that leaves out expired records, which the table may not have removed yet.
pub fn is_restorable(now: Timestamp) -> impl Fn(&Item) -> bool + Send + Sync + 'static {
    let now = now.as_second();
    move |item| {
        let expires_at = item.get("expires_at").and_then(serde_json::Value::as_i64);
        expires_at.is_some_and(|expires_at| now < expires_at)
    }
}

/// The contact to restore.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ContactRestoration {
    /// The contact.
    #[serde(flatten)]
    #[validate(nested)]
    pub contact: ContactRef,
    /// Another email, if the contact's own has been taken since.
    #[serde(deserialize_with = "optional")]
    #[validate(nested)]
    pub email: Option<Parsed<Email>>,
}

impl ContactRef {
    /// The read of this contact in the trash.
    #[must_use]
    pub fn reads_trash(&self, actor: &Actor) -> Reads {
        Reads::none().item(TrashedContact::key_of(&actor.tenant, self.id.as_str()))
    }

    /// The deleted contact, if it can still be restored.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] otherwise.
    pub fn trashed(
        &self,
        actor: &Actor,
        found: &Found,
        now: Timestamp,
    ) -> Result<TrashedContact, ActionError> {
        let trashed: Option<TrashedContact> =
            found.record(&TrashedContact::key_of(&actor.tenant, self.id.as_str()))?;
        trashed
            .filter(|trashed| trashed.can_be_restored(now))
            .ok_or(ActionError::NotFound(CONTACT_NOT_FOUND))
    }
}
