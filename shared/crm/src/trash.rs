//! The trash: deleted contacts, which can be restored for a while.

use crate::contact::{CONTACT_NOT_FOUND, Contact, DUPLICATE_EMAIL};
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

/// A deleted contact. It is no entity of its own: nothing that is cached shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrashedContact {
    tenant: TenantId,
    /// The contact as it was.
    pub contact: Contact,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// Who deleted it.
    pub deleted_by: UserId,
    /// When it is gone for good, in seconds since 1970: the table removes it some time after.
    #[serde(rename = "expires_at")]
    expires_at: i64,
    /// That of the contact, so that whoever restores it restores what they saw.
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
    /// The kind of its record; the name is the organisation's slug.
    pub const KIND: &'static str = "trash";

    /// Where the contact with that id is once it is deleted.
    #[must_use]
    pub fn key_of(tenant: &TenantId, id: &str) -> Key {
        Key::record(Self::KIND, tenant.as_str(), id)
    }

    /// The contact as `actor` deletes it.
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

    /// The day on which it is gone for good.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_second(self.expires_at).unwrap_or(self.deleted_at)
    }

    /// Brings the contact back, under another email where one is given, and claims that.
    #[must_use]
    pub fn restore(self, email: Option<Email>, now: Timestamp) -> Commit<Contact> {
        let mut details = self.contact.details.clone();
        if let Some(email) = email {
            details.email = email;
        }
        let contact = self.contact.replaced(details, now);
        let guard = contact.guard(&self.tenant);
        let subject = contact.subject(&self.tenant);
        let key = subject.key();
        Commit::new(subject, contact.clone())
            .moves(self.key(), key)
            .put(&self.tenant, &contact, None)
            .delete_record(self.key(), Some(self.version))
            .claim(guard, contact.id.as_str(), DUPLICATE_EMAIL)
    }
}

/// A filter over the trash: what has expired may still be stored.
pub fn is_restorable(now: Timestamp) -> impl Fn(&Item) -> bool + Send + Sync + 'static {
    let now = now.as_second();
    move |item| {
        let expires_at = item.get("expires_at").and_then(serde_json::Value::as_i64);
        expires_at.is_some_and(|expires_at| now < expires_at)
    }
}

/// A deleted contact to restore.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ContactRestoration {
    /// The contact.
    #[serde(flatten)]
    #[validate(nested)]
    pub contact: ContactRef,
    /// Another email, if its own has been taken meanwhile.
    #[serde(deserialize_with = "optional")]
    #[validate(nested)]
    pub email: Option<Parsed<Email>>,
}

impl ContactRef {
    /// The read of it in the trash.
    #[must_use]
    pub fn reads_trash(&self, actor: &Actor) -> Reads {
        Reads::none().item(TrashedContact::key_of(&actor.tenant, self.id.as_str()))
    }

    /// The deleted contact, where it can be restored.
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
