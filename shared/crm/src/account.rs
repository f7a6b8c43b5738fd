//! Accounts: a person's name, email and password.

use crate::{Email, Member, Name, OrganizationName, PasswordHash, Status};
use commit::{Grant, Key, Record, Role, TenantId, UserId, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A person who can sign in. Stored under the email in lower case, so that an address has one
/// account by construction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Who it is.
    pub id: UserId,
    /// What they are called.
    pub name: Name,
    /// Where they get mail, in the letter case they gave.
    pub email: Email,
    /// What their password must match.
    pub password_hash: PasswordHash,
    /// The organisations they belong to, the one to open first in front.
    pub organizations: Vec<Belonging>,
    /// When they signed up.
    pub created_at: Timestamp,
    /// How often it has been written.
    pub version: Version,
}

/// An organisation that somebody belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Belonging {
    /// Its slug.
    pub tenant: TenantId,
    /// What it calls itself.
    pub name: OrganizationName,
}

impl Account {
    /// Where the account of that email is.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::record("account", &email.unique(), "account")
    }

    /// What may be shown of it.
    #[must_use]
    pub fn public(&self) -> PublicUser {
        PublicUser {
            id: self.id.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
        }
    }

    /// The account as a member of one more organisation.
    #[must_use]
    pub fn joined(&self, belonging: Belonging) -> Self {
        let left = self.left(&belonging.tenant);
        let organizations = left.organizations.iter().cloned().chain([belonging]);
        Self {
            organizations: organizations.collect(),
            ..left
        }
    }

    /// The account as no member of that organisation.
    #[must_use]
    pub fn left(&self, tenant: &TenantId) -> Self {
        let mut organizations = self.organizations.clone();
        organizations.retain(|belonging| belonging.tenant != *tenant);
        Self {
            organizations,
            version: self.version.next(),
            ..self.clone()
        }
    }

    /// This person as a new member of an organisation.
    #[must_use]
    pub fn member(&self, role: Role, now: Timestamp) -> Member {
        let PublicUser { id, name, email } = self.public();
        let version = Version::FIRST;
        Member {
            id,
            name: Some(name),
            email,
            role,
            status: Status::Active,
            created_at: now,
            updated_at: now,
            version,
        }
    }
}

impl Record for Account {
    fn key(&self) -> Key {
        Self::key_of(&self.email)
    }

    fn version(&self) -> Version {
        self.version
    }
}

/// What may be shown of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicUser {
    /// Who it is.
    pub id: UserId,
    /// What they are called.
    pub name: Name,
    /// Where they get mail.
    pub email: Email,
}

/// The answer to signing up or in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who.
    pub user: PublicUser,
    /// The organisation that the session is bound to.
    pub tenant: TenantId,
    /// The role there.
    pub role: Role,
}

impl SignedIn {
    /// The session that goes with it.
    #[must_use]
    pub fn grant(&self) -> Grant {
        Grant {
            tenant: self.tenant.clone(),
            user: self.user.id.clone(),
            role: self.role,
        }
    }
}
