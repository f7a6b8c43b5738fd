//! Keys of the one table, and the cache tags that follow from them.
//!
//! *The key is the tag.* An entity of resource `contacts` in tenant `acme` has the partition key
//! `acme:contacts` and its id as the sort key. Writing it makes the tags `acme:contacts` and
//! `acme:contacts:{id}` stale; a view that queries carries the first, a view that reads one item
//! the second. Every other record has a partition key that begins with `#`, which no tenant's
//! slug can, and carries no tag.

use crate::{Item, TenantId, UserId, Version};
use serde::{Serialize, de::DeserializeOwned};

/// The place of one item in the table.
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

    /// The partition key that all entities of one kind in `tenant` share.
    #[must_use]
    pub fn collection<E: Entity>(tenant: &TenantId) -> String {
        format!("{tenant}:{}", E::RESOURCE)
    }

    /// The key of a record that is not an entity. `kind` names the sort of record, `name` which
    /// one, `part` a part of it.
    #[must_use]
    pub fn record(kind: &str, name: &str, part: &str) -> Self {
        Self {
            pk: format!("#{kind}:{name}"),
            sk: part.to_owned(),
        }
    }

    /// The guard that makes `value` unique as `attribute` of the entities `E` in `tenant`.
    #[must_use]
    pub fn guard<E: Entity>(tenant: &TenantId, attribute: &str, value: &str) -> Self {
        Self::record(
            "guard",
            &format!("{tenant}:{}:{attribute}:{value}", E::RESOURCE),
            "guard",
        )
    }

    /// The membership of `user` in `tenant`, whose attribute `role` says what they may do there.
    #[must_use]
    pub fn membership(tenant: &TenantId, user: &UserId) -> Self {
        Self {
            pk: format!("{tenant}:members"),
            sk: user.to_string(),
        }
    }

    /// What is known of `tenant` itself: its attribute `name` is what it calls itself.
    #[must_use]
    pub fn tenant(tenant: &TenantId) -> Self {
        Self::record("tenant", tenant.as_str(), "tenant")
    }

    /// The session of `user` whose secret has this hash.
    #[must_use]
    pub fn session(user: &UserId, hash: &str) -> Self {
        Self::record("session", user.as_str(), hash)
    }

    /// How often all sessions of `user` have been ended: see
    /// [`Session::generation`](crate::Session).
    #[must_use]
    pub fn generation(user: &UserId) -> Self {
        Self::record("generation", user.as_str(), "generation")
    }

    /// The record that the entity with this id has been written since the search index of its
    /// `collection` was brought up to date. Those of one collection are in one partition, so that a
    /// search finds them by one query; all are in sixteen, so that who indexes finds every one.
    #[must_use]
    pub fn unindexed(collection: &str, id: &str) -> Self {
        let sum = collection.bytes().fold(0u8, u8::wrapping_add);
        Self::record(
            "unindexed",
            &format!("{:x}", sum % 16),
            &format!("{collection}:{id}"),
        )
    }

    /// The key as the table stores it: partition key, sort key.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        (&self.pk, &self.sk)
    }

    /// Partition key and sort key, each on its own.
    #[must_use]
    pub fn into_parts(self) -> (String, String) {
        (self.pk, self.sk)
    }

    /// The cache tags that a write of this item makes stale; none where it is not an entity.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        match self.tag() {
            Some(own) => vec![self.pk.clone(), own],
            None => Vec::new(),
        }
    }

    /// The cache tag of what is made from this item alone; none where it is not an entity.
    #[must_use]
    pub fn tag(&self) -> Option<String> {
        (!self.pk.starts_with('#')).then(|| format!("{}:{}", self.pk, self.sk))
    }

    /// The key with these parts, as read back from the table.
    #[must_use]
    pub fn from_parts(pk: String, sk: String) -> Self {
        Self { pk, sk }
    }
}

/// Something of the domain that is stored under its tenant, cached and tagged.
pub trait Entity: Serialize + DeserializeOwned {
    /// The plural noun in keys, tags and paths, such as `contacts`.
    const RESOURCE: &'static str;

    /// Its identifier within the tenant.
    fn id(&self) -> &str;

    /// How often it has been written, this write included.
    fn version(&self) -> Version;

    /// What a search looks at, of an entity as it is stored, in a form in which texts are compared.
    /// Where there is something, every write of such an entity is noted for the search index.
    fn texts(_stored: &Item) -> Vec<String> {
        Vec::new()
    }
}

/// Something stored that is not an entity: an account, an organisation's name.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it is stored.
    fn key(&self) -> Key;

    /// How often it has been written, this write included.
    fn version(&self) -> Version;
}
