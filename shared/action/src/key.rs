//! The keys of the table, and the cache tags that are derived from them.
//!
//! *The key is the tag.* An entity of resource `contacts` in tenant `acme` has the partition key
//! `acme:contacts` and its id as the sort key. Writing it makes the tags `acme:contacts` and
//! `acme:contacts:{id}` stale. A view that queries contacts has the first tag, and a view that reads
//! one contact has the second. Every other record has a partition key that begins with `#`, which no
//! slug can, and has no tag.

use crate::{Item, TenantId, UserId, Version};
use serde::{Serialize, de::DeserializeOwned};

/// The key of an item in the table: partition key and sort key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pk: String,
    sk: String,
}

impl Key {
    /// The key of an entity of `tenant`.
    #[must_use]
    pub fn entity<E: Entity>(tenant: &TenantId, id: &str) -> Self {
        Self {
            pk: Self::collection::<E>(tenant),
            sk: id.to_owned(),
        }
    }

    /// The partition key of all entities of this kind in `tenant`.
    #[must_use]
    pub fn collection<E: Entity>(tenant: &TenantId) -> String {
        format!("{tenant}:{}", E::RESOURCE)
    }

    /// The key of a record that is not an entity. The partition key is made of the kind of the record
    /// and its name; the sort key is `part`.
    #[must_use]
    pub fn record(kind: &str, name: &str, part: &str) -> Self {
        Self {
            pk: format!("#{kind}:{name}"),
            sk: part.to_owned(),
        }
    }

    /// The guard that makes `value` a unique `attribute` of the entities `E` in `tenant`.
    #[must_use]
    pub fn guard<E: Entity>(tenant: &TenantId, attribute: &str, value: &str) -> Self {
        Self::record(
            "guard",
            &format!("{tenant}:{}:{attribute}:{value}", E::RESOURCE),
            "guard",
        )
    }

    /// The membership of `user` in `tenant`: see [`MembershipRecord`](crate::MembershipRecord).
    #[must_use]
    pub fn membership(tenant: &TenantId, user: &UserId) -> Self {
        Self {
            pk: format!("{tenant}:members"),
            sk: user.to_string(),
        }
    }

    /// The organisation itself: see [`TenantRecord`](crate::TenantRecord).
    #[must_use]
    pub fn tenant(tenant: &TenantId) -> Self {
        Self::record("tenant", tenant.as_str(), "tenant")
    }

    /// The session of `user` with this hash of its secret.
    #[must_use]
    pub fn session(user: &UserId, hash: &str) -> Self {
        Self::record("session", user.as_str(), hash)
    }

    /// The user's session generation: see [`Generation`](crate::Generation).
    #[must_use]
    pub fn generation(user: &UserId) -> Self {
        Self::record("generation", user.as_str(), "generation")
    }

    /// The record that says that the search index of `collection` does not have the last write of the
    /// entity with this id yet. The records of one collection are in one partition, so that a search
    /// finds them with one query. All records are in sixteen partitions, so that the indexing function
    /// finds every record.
    #[must_use]
    pub fn unindexed(collection: &str, id: &str) -> Self {
        let sum = collection.bytes().fold(0u8, u8::wrapping_add);
        Self::record(
            "unindexed",
            &format!("{:x}", sum % 16),
            &format!("{collection}:{id}"),
        )
    }

    /// The partition key and the sort key.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        (&self.pk, &self.sk)
    }

    /// The partition key and the sort key, owned.
    #[must_use]
    pub fn into_parts(self) -> (String, String) {
        (self.pk, self.sk)
    }

    /// The cache tags that a write of this item makes stale; none if it is not an entity.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        match self.tag() {
            Some(own) => vec![self.pk.clone(), own],
            None => Vec::new(),
        }
    }

    /// The cache tag of pages that are made from this item alone; `None` if it is not an entity.
    #[must_use]
    pub fn tag(&self) -> Option<String> {
        (!self.pk.starts_with('#')).then(|| format!("{}:{}", self.pk, self.sk))
    }

    /// The key with this partition key and sort key, as read back from the table.
    #[must_use]
    pub fn from_parts(pk: String, sk: String) -> Self {
        Self { pk, sk }
    }
}

/// Something of the domain that is stored under its tenant, cached and tagged.
pub trait Entity: Serialize + DeserializeOwned {
    /// The plural noun in keys, tags and paths, such as `contacts`.
    const RESOURCE: &'static str;

    /// Whether a new one has an id that none had before. If not, cached pages may show an earlier one with
    /// its id.
    const NEW_IDS: bool = true;

    /// Its identifier within the tenant.
    fn id(&self) -> &str;

    /// Counts the changes of [`Entity::texts`]: increase it with each. An index of an earlier form is
    /// built again by itself, and searches do not use it.
    const TEXTS_FORM: u64 = 0;

    /// How often it was written, including this write.
    fn version(&self) -> Version;

    /// The texts of a stored entity that a search looks at, in the form in which texts are compared.
    /// If there are any, each write of the entity also writes a record for the search index.
    fn texts(_stored: &Item) -> Vec<String> {
        Vec::new()
    }
}

/// A stored record that is not an entity, such as an account.
pub trait Record: Serialize + DeserializeOwned {
    /// The key under which it is stored.
    fn key(&self) -> Key;

    /// How often it was written, including this write.
    fn version(&self) -> Version;
}
