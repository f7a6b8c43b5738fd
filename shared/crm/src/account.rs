//! Accounts: the name, the email and the password of a user.

use crate::{Email, Member, MemberStatus, Name, PasswordHash};
use action::{
    ActionError, Actor, Commit, Found, Generation, Grant, Key, Reads, Record, Role, Subject,
    TenantId, UserId, Version,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user who can sign in. It is stored under the email in lower case, so an email can have only
/// one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub name: Name,
    /// The email, in the letter case in which the user entered it.
    pub email: Email,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// Whether the user has proved with a link in an email that the address is theirs. Accounts that are
    /// older than this proof count as proved.
    #[serde(default = "proved")]
    pub email_verified: bool,
    /// The organisations of the user.
    pub organizations: Vec<AccountOrganization>,
    /// How often all sessions of the user have been ended. A new session gets this generation. The
    /// record at [`Key::generation`] holds the generation of the live sessions; both are written in
    /// one transaction.
    #[serde(default)]
    pub session_generation: u64,
    /// When the user signed up.
    pub created_at: Timestamp,
    /// The version, which every write increases by one.
    pub version: Version,
}

fn proved() -> bool {
    true
}

/// An organisation of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountOrganization {
    /// The organisation's id, which is its slug.
    pub tenant: TenantId,
}

impl From<TenantId> for AccountOrganization {
    fn from(tenant: TenantId) -> Self {
        Self { tenant }
    }
}

impl Account {
    /// The most organisations of a user, so that one transaction can write all their memberships.
    pub const MAX_ORGANIZATIONS: usize = 30;

    /// The most organisations of a user whose address is not proved.
    pub const MAX_UNVERIFIED_ORGANIZATIONS: usize = 5;

    /// The most organisations of a user that one transaction can take them out of, or write their new
    /// email to.
    pub const MAX_ORGANIZATIONS_TO_MOVE: usize = 14;

    /// The reads of the caller's account. `found` is what has been read so far: first the
    /// membership, which holds the email, then the account.
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
    /// [`ActionError::Moved`] if it is not where the membership says: every signed-in user has an account, but
    /// it moves when the email changes.
    pub fn of_caller(caller: &Actor, found: &Found) -> Result<Self, ActionError> {
        let member = caller_membership(caller, found)?;
        let key = member.map(|member| Self::key_of(&member.email));
        let account = key.map(|key| found.record::<Self>(&key)).transpose()?;
        let account = account
            .flatten()
            .filter(|account| account.id == caller.user);
        account.ok_or(ActionError::Moved)
    }

    /// The further reads of the caller's account and of all its memberships, after
    /// [`Account::caller_reads`].
    #[must_use]
    pub fn caller_and_membership_reads(caller: &Actor, found: &Found) -> Reads {
        match Self::of_caller(caller, found) {
            Ok(account) => account.membership_reads(),
            Err(_) => Self::caller_reads(caller, found),
        }
    }

    /// The reads of all memberships of the user.
    #[must_use]
    pub fn membership_reads(&self) -> Reads {
        let keys = self.organizations.iter();
        keys.map(|organization| Key::membership(&organization.tenant, &self.id))
            .fold(Reads::none(), Reads::item)
    }

    /// The organisations in which the user is an active member, in order, each with the membership.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if a stored item is not a member.
    pub fn active_memberships(
        &self,
        found: &Found,
    ) -> Result<Vec<(&TenantId, Member)>, ActionError> {
        let mut members = Vec::new();
        for AccountOrganization { tenant } in &self.organizations {
            let member = found.entity::<Member>(tenant, self.id.as_str())?;
            let active = member.filter(Member::is_active);
            members.extend(active.map(|member| (tenant, member)));
        }
        Ok(members)
    }

    /// The account with all sessions of the user ended, once [`Account::end_sessions`] has written
    /// it.
    #[must_use]
    pub fn with_sessions_ended(&self) -> Self {
        Self {
            session_generation: self.session_generation.saturating_add(1),
            version: self.version.next(),
            ..self.clone()
        }
    }

    /// Writes the account, which is `before`
    /// [with its sessions ended](Account::with_sessions_ended) and perhaps other changes. This one write ends any
    /// number of sessions. It also covers a sign-in at the same moment with the old password: that
    /// session is already over.
    #[must_use]
    pub fn end_sessions<T>(&self, commit: Commit<T>, before: &Self) -> Commit<T> {
        commit
            .put_record(self, Some(before.version), None)
            .overwrite(Key::generation(&self.id), &self.generation())
    }

    /// Adds an audit record about the account in each of the user's organisations besides that of the
    /// commit.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if a stored item is not a member.
    pub fn audit_everywhere<T>(
        &self,
        commit: Commit<T>,
        found: &Found,
    ) -> Result<Commit<T>, ActionError> {
        let first = commit.subject().cloned();
        let first = first.ok_or_else(|| ActionError::Internal("no audit record".to_owned()))?;
        let members = self.active_memberships(found)?.into_iter();
        let others = members.filter(|(tenant, _)| **tenant != first.tenant);
        Ok(others.fold(commit, |commit, (tenant, member)| {
            let subject = Subject {
                tenant: tenant.clone(),
                ..first.clone()
            };
            commit.also_about(subject, member.role)
        }))
    }

    /// The key of the account with this email.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::record("account", &email.unique(), "account")
    }

    /// The part of the account that may be shown.
    #[must_use]
    pub fn public_user(&self) -> PublicUser {
        PublicUser {
            id: self.id.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
        }
    }

    /// The account with one more organisation.
    #[must_use]
    pub fn with_organization(&self, tenant: &TenantId) -> Self {
        let rest = self.without_organization(tenant);
        let organizations = rest
            .organizations
            .iter()
            .cloned()
            .chain([tenant.clone().into()]);
        Self {
            organizations: organizations.collect(),
            ..rest
        }
    }

    /// Refuses a change that writes to all organisations of the user if they are too many for one
    /// transaction.
    ///
    /// # Errors
    /// [`ActionError::Forbidden`] if they are.
    pub fn check_can_move(&self) -> Result<(), ActionError> {
        match self.organizations.len() > Self::MAX_ORGANIZATIONS_TO_MOVE {
            true => Err(ActionError::Forbidden(
                "You belong to more than 14 organizations: leave some of them first",
            )),
            false => Ok(()),
        }
    }

    /// The generation of the account's live sessions.
    #[must_use]
    pub fn generation(&self) -> Generation {
        Generation {
            generation: self.session_generation,
        }
    }

    /// Refuses more organisations than a user may belong to.
    ///
    /// # Errors
    /// [`ActionError::Forbidden`] if there are more.
    pub fn check_organizations(&self) -> Result<(), ActionError> {
        let count = self.organizations.len();
        if count > Self::MAX_ORGANIZATIONS {
            return Err(ActionError::Forbidden(
                "You belong to 30 organizations already: leave one first",
            ));
        }
        if count > Self::MAX_UNVERIFIED_ORGANIZATIONS && !self.email_verified {
            return Err(ActionError::Forbidden(
                "Confirm your email address first: your settings say how",
            ));
        }
        Ok(())
    }

    /// The account without that organisation.
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

    /// A new membership of this user in an organisation.
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

/// The part of an account that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicUser {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub name: Name,
    /// The user's email.
    pub email: Email,
}

/// The response to signing up and signing in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedIn {
    /// The user who is signed in.
    pub user: PublicUser,
    /// The organisation of the session.
    pub tenant: TenantId,
    /// The user's role in that organisation.
    pub role: Role,
}

impl SignedIn {
    /// The session to open. `generation` is the generation of the account as it was read with the
    /// user's proof, such as the password. `None` takes the generation of the caller's own session.
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
fn caller_membership(caller: &Actor, found: &Found) -> Result<Option<Member>, ActionError> {
    found.entity(&caller.tenant, caller.user.as_str())
}
