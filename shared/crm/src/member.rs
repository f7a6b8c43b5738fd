//! Members: who belongs to an organisation, and in which role.

use crate::{Email, Name};
use commit::{Entity, Role, UserId, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A person in an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The person.
    pub id: UserId,
    /// What they are called.
    pub name: Name,
    /// Where they get mail.
    pub email: Email,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
    /// When this was last written.
    pub updated_at: Timestamp,
    /// How often it has been written.
    pub version: Version,
}

impl Entity for Member {
    const RESOURCE: &'static str = "members";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn version(&self) -> Version {
        self.version
    }
}
