//! What a commit is about.

use crate::{Entity, Key, TenantId};

/// What an audit record is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The organisation whose audit it belongs to.
    pub tenant: TenantId,
    /// The kind of entity or record, such as `contacts`.
    pub resource: &'static str,
    /// Its id.
    pub id: String,
}

impl Subject {
    /// An entity of `tenant`.
    #[must_use]
    pub fn entity<E: Entity>(tenant: &TenantId, id: &str) -> Self {
        Self {
            tenant: tenant.clone(),
            resource: E::RESOURCE,
            id: id.to_owned(),
        }
    }

    /// The key under which it is stored, if it is an entity.
    #[must_use]
    pub fn key(&self) -> Key {
        let Self {
            tenant,
            resource,
            id,
        } = self;
        Key::from_parts(format!("{tenant}:{resource}"), id.clone())
    }
}
