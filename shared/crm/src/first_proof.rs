//! What happens to an account when a link in an email proves its address for the first time, and whoever
//! opens it has forgotten the password.
//!
//! Somebody else may have made the account: with the link of an invitation that they sent themselves, or
//! by signing up with an address that is not theirs. So the user leaves every organisation that others
//! own. An organisation that nobody else owns is kept, because only its owner can have made it. There,
//! invitations that were sent before the proof no longer work.

use crate::{Account, AccountOrganization, Member, Membership, Organization};
use action::{ActionError, Commit, Found, Reads, Record};
use jiff::Timestamp;

/// The organisations of an account at its first proof.
#[derive(Debug, Default)]
pub struct FirstProof {
    kept: Vec<Organization>,
    left: Vec<(Organization, Member)>,
}

impl FirstProof {
    /// What to read besides the memberships; nothing if the address is proved already.
    #[must_use]
    pub fn reads(account: &Account) -> Reads {
        if account.email_verified {
            return Reads::none();
        }
        let organizations = account.organizations.iter();
        organizations.fold(Reads::none(), |reads, AccountOrganization { tenant }| {
            reads
                .item(Organization::key_of(tenant))
                .item(Member::guard(tenant, &account.email))
        })
    }

    /// What the first proof of this account does; nothing if the address is proved already.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if a stored item cannot be read.
    pub fn of(account: &Account, found: &Found) -> Result<Self, ActionError> {
        let mut proof = Self::default();
        if account.email_verified {
            return Ok(proof);
        }
        for (tenant, member) in account.active_memberships(found)? {
            let organization: Option<Organization> = found.record(&Organization::key_of(tenant))?;
            let Some(organization) = organization else {
                continue;
            };
            match organization.with_updated_owners(&member, &member, None) {
                Ok(_) => proof.left.push((organization, member)),
                // The user is the last owner.
                Err(_) => proof.kept.push(organization),
            }
        }
        Ok(proof)
    }

    /// The account after the proof.
    #[must_use]
    pub fn account(&self, account: Account) -> Account {
        let mut organizations = account.organizations;
        organizations.retain(|kept| self.left.iter().all(|(left, _)| left.id != kept.tenant));
        Account {
            organizations,
            email_verified: true,
            ..account
        }
    }

    /// An organisation that the user leaves, for the audit record of a commit that belongs to no other.
    #[must_use]
    pub fn left(&self) -> Option<(&Organization, &Member)> {
        self.left.first().map(|(left, member)| (left, member))
    }

    /// Adds the writes to a commit, with a record in the audit of each organisation that the user leaves.
    ///
    /// # Errors
    /// [`ActionError::Forbidden`] if an organisation would be without an owner.
    pub fn write<T>(
        &self,
        mut commit: Commit<T>,
        found: &Found,
        now: Timestamp,
    ) -> Result<Commit<T>, ActionError> {
        for organization in &self.kept {
            let withdrawn = Organization {
                invitations_since: Some(now),
                version: organization.version.next(),
                ..organization.clone()
            };
            commit = commit.put_record(&withdrawn, Some(organization.version()), None);
        }
        for (organization, member) in &self.left {
            let membership = Membership::from(member.clone());
            commit = organization.remove(commit, member, &membership, found)?;
            let subject = member.subject(&organization.id);
            if commit.subject() != Some(&subject) {
                commit = commit.also_about(subject, member.role);
            }
        }
        Ok(commit)
    }
}
