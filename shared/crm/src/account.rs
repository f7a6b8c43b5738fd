//! Accounts: a person's name, email and password.

use crate::{Email, Member, MemberStatus, Name, OrganizationName, PasswordHash};
use action::{
    ActionError, Actor, Commit, Found, Grant, Key, Reads, Record, Role, TenantId, UserId, Version,
};
use jiff::Timestamp;
use schemars::JsonSchema;
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
    pub organizations: Vec<OrganizationSummary>,
    /// How often all their sessions have been ended. One that is opened is of this generation; the
    /// live ones are of that at [`Key::generation`], which is written along.
    #[serde(default)]
    pub session_generation: u64,
    /// When they signed up.
    pub created_at: Timestamp,
    /// How often it has been written.
    pub version: Version,
}

/// An organisation that somebody belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationSummary {
    /// Its slug.
    pub tenant: TenantId,
    /// What it calls itself.
    pub name: OrganizationName,
}

impl Account {
    /// How many organisations a person can belong to, so that one transaction can reach them all.
    pub const MAX_ORGANIZATIONS: usize = 50;

    /// What leads to the caller's own account, given what was found: their membership, which holds
    /// their email, and then the account.
    #[must_use]
    pub fn caller_reads(caller: &Actor, found: &Found) -> Reads {
        let membership = Reads::none().item(Key::membership(&caller.tenant, &caller.user));
        match caller_membership(caller, found) {
            Ok(Some(member)) => membership.item(Self::key_of(&member.email)),
            _ => membership,
        }
    }

    /// The caller's own account.
    ///
    /// # Errors
    /// [`ActionError::Internal`] where there is none: whoever is signed in has one.
    pub fn of_caller(caller: &Actor, found: &Found) -> Result<Self, ActionError> {
        let member = caller_membership(caller, found)?;
        let key = member.map(|member| Self::key_of(&member.email));
        let account = key.map(|key| found.record::<Self>(&key)).transpose()?;
        let account = account
            .flatten()
            .filter(|account| account.id == caller.user);
        account.ok_or_else(|| ActionError::Internal(format!("{} has no account", caller.user)))
    }

    /// The reads of every membership of theirs.
    #[must_use]
    pub fn membership_reads(&self) -> Reads {
        let keys = self.organizations.iter();
        keys.map(|organization| Key::membership(&organization.tenant, &self.id))
            .fold(Reads::none(), Reads::item)
    }

    /// The organisations they belong to, as they were found, in order.
    ///
    /// # Errors
    /// [`ActionError::Internal`] where a stored item is no member.
    pub fn active_memberships(
        &self,
        found: &Found,
    ) -> Result<Vec<(&OrganizationSummary, Member)>, ActionError> {
        let mut members = Vec::new();
        for organization in &self.organizations {
            let member = found.entity::<Member>(&organization.tenant, self.id.as_str())?;
            let active = member.filter(Member::is_active);
            members.extend(active.map(|member| (organization, member)));
        }
        Ok(members)
    }

    /// The account with every session of theirs ended, once [`Account::end_sessions`] has written
    /// it.
    #[must_use]
    pub fn with_sessions_ended(&self) -> Self {
        Self {
            session_generation: self.session_generation.saturating_add(1),
            version: self.version.next(),
            ..self.clone()
        }
    }

    /// Writes the account, which is `before` [without its sessions](Account::with_sessions_ended) and
    /// perhaps otherwise changed. However many sessions there are, none of them is live once this
    /// is committed; nor is one that is opened at the same time by what proved the person before.
    #[must_use]
    pub fn end_sessions<T>(&self, commit: Commit<T>, before: &Self) -> Commit<T> {
        let current = Generation {
            generation: self.session_generation,
        };
        commit
            .put_record(self, Some(before.version), None)
            .overwrite(Key::generation(&self.id), &current)
    }

    /// Where the account of that email is.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::record("account", &email.unique(), "account")
    }

    /// What may be shown of it.
    #[must_use]
    pub fn public_user(&self) -> PublicUser {
        PublicUser {
            id: self.id.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
        }
    }

    /// The account as a member of one more organisation.
    #[must_use]
    pub fn with_organization(&self, organization: OrganizationSummary) -> Self {
        let rest = self.without_organization(&organization.tenant);
        let organizations = rest.organizations.iter().cloned().chain([organization]);
        Self {
            organizations: organizations.collect(),
            ..rest
        }
    }

    /// The account as no member of that organisation.
    #[must_use]
    pub fn without_organization(&self, tenant: &TenantId) -> Self {
        let mut organizations = self.organizations.clone();
        organizations.retain(|organization| organization.tenant != *tenant);
        Self {
            organizations,
            version: self.version.next(),
            ..self.clone()
        }
    }

    /// This person as a new member of an organisation.
    #[must_use]
    pub fn new_member(&self, role: Role, now: Timestamp) -> Member {
        let PublicUser { id, name, email } = self.public_user();
        let version = Version::FIRST;
        Member {
            id,
            name: Some(name),
            email,
            role,
            status: MemberStatus::Active,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicUser {
    /// Who it is.
    pub id: UserId,
    /// What they are called.
    pub name: Name,
    /// Where they get mail.
    pub email: Email,
}

/// The answer to signing up or in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedIn {
    /// Who.
    pub user: PublicUser,
    /// The organisation that the session is bound to.
    pub tenant: TenantId,
    /// The role there.
    pub role: Role,
}

impl SignedIn {
    /// The session that goes with it, in this generation: that of the account as it was read with
    /// what proved the person, or `None` for that of the caller's own session.
    #[must_use]
    pub fn grant(&self, generation: Option<u64>) -> Grant {
        Grant {
            tenant: self.tenant.clone(),
            user: self.user.id.clone(),
            role: self.role,
            generation,
        }
    }
}

/// What a request's session is compared with: the account's own count, by the person's id.
#[derive(Serialize)]
struct Generation {
    generation: u64,
}

fn caller_membership(caller: &Actor, found: &Found) -> Result<Option<Member>, ActionError> {
    found.entity(&caller.tenant, caller.user.as_str())
}
