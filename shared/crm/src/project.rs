//! Projects of an organisation.

use crate::Name;
use action::{
    ActionError, Actor, Commit, Entity, Found, Item, Key, Parsed, Reads, Subject, TenantId, UserId,
    Version, uuid_id,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

uuid_id! {
    /// The id of a project.
    ProjectId
}

/// The same message whether the project does not exist or belongs to another organisation.
pub const PROJECT_NOT_FOUND: &str = "Project not found or access denied";

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// The project's id. Ids sort by time of creation.
    pub id: ProjectId,
    /// The project's name.
    pub name: Name,
    /// The user who created the project.
    pub owner_id: UserId,
    /// When the project was archived; `null` if it is not.
    pub archived_at: Option<Timestamp>,
    /// When the project was created.
    pub created_at: Timestamp,
    /// When the project was last changed.
    pub updated_at: Timestamp,
    /// The version, which every change increases by one.
    pub version: Version,
}

impl Entity for Project {
    const RESOURCE: &'static str = "projects";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn version(&self) -> Version {
        self.version
    }
}

impl Project {
    /// A new project, which `actor` owns.
    #[must_use]
    pub fn new(id: ProjectId, actor: &Actor, name: Name, now: Timestamp) -> Self {
        Self {
            id,
            name,
            owner_id: actor.user.clone(),
            archived_at: None,
            created_at: now,
            updated_at: now,
            version: Version::FIRST,
        }
    }

    /// Writes this new project.
    #[must_use]
    pub fn create(self, tenant: &TenantId) -> Commit<Self> {
        Commit::new(self.subject(tenant), self.clone()).put(tenant, &self, None)
    }

    /// Renames the project.
    #[must_use]
    pub fn rename(&self, tenant: &TenantId, name: Name, now: Timestamp) -> Commit<Self> {
        let renamed = Self {
            name,
            ..self.clone()
        };
        renamed.replace(tenant, self, now)
    }

    /// Archives the project; changes nothing if it is archived already.
    #[must_use]
    pub fn archive(&self, tenant: &TenantId, now: Timestamp) -> Commit<Self> {
        if self.archived_at.is_some() {
            return Commit::nothing(self.clone());
        }
        let archived = Self {
            archived_at: Some(now),
            ..self.clone()
        };
        archived.replace(tenant, self, now)
    }

    /// Restores the project; changes nothing if it is not archived.
    #[must_use]
    pub fn restore(&self, tenant: &TenantId, now: Timestamp) -> Commit<Self> {
        if self.archived_at.is_none() {
            return Commit::nothing(self.clone());
        }
        let restored = Self {
            archived_at: None,
            ..self.clone()
        };
        restored.replace(tenant, self, now)
    }

    /// The error for a change that is based on an earlier version.
    #[must_use]
    pub fn stale(&self) -> ActionError {
        ActionError::Stale {
            message: "This project was changed by somebody else meanwhile",
            current: serde_json::to_value(self).unwrap_or_default(),
        }
    }

    fn replace(self, tenant: &TenantId, before: &Self, now: Timestamp) -> Commit<Self> {
        let written = Self {
            updated_at: now,
            version: before.version.next(),
            ..self
        };
        Commit::new(written.subject(tenant), written.clone()).put(
            tenant,
            &written,
            Some(before.version),
        )
    }

    fn subject(&self, tenant: &TenantId) -> Subject {
        Subject::entity::<Self>(tenant, self.id.as_str())
    }
}

/// A project, by its id.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ProjectRef {
    /// The project's id.
    #[validate(nested)]
    pub id: Parsed<ProjectId>,
}

impl ProjectRef {
    /// The read of the project.
    #[must_use]
    pub fn reads(&self, actor: &Actor) -> Reads {
        Reads::none().item(Key::entity::<Project>(&actor.tenant, self.id.as_str()))
    }

    /// The project, if it was found.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] otherwise.
    pub fn project(&self, actor: &Actor, found: &Found) -> Result<Project, ActionError> {
        let project = found.entity(&actor.tenant, self.id.as_str())?;
        project.ok_or(ActionError::NotFound(PROJECT_NOT_FOUND))
    }
}

/// Whether a stored project is not archived.
#[must_use]
pub fn is_active(item: &Item) -> bool {
    item.get("archivedAt")
        .is_none_or(serde_json::Value::is_null)
}
