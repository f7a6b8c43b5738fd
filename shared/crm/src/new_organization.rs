//! Making an organisation: with a new account, or for an account that exists.

use crate::organization::slug;
use crate::{Account, Email, LinkToken, Member, Organization, OrganizationName, slug_candidates};
use action::{
    ActionError, Commit, Conflict, Context, Entity, Found, Reads, TenantId, UserId, Version,
};
use jiff::SignedDuration;

/// How many numbered slugs to try before a random one.
const MAX_SLUGS: usize = 20;

/// The purpose of the token with which a user who belongs to no organisation makes one.
const PURPOSE: &str = "new-organization";

/// How long that token works.
const LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// The page on which a user makes an organisation.
const PATH: &str = "/new-organization";

/// A new organisation has no members, so this cannot happen.
const OWNER_TAKEN: Conflict = Conflict {
    field: "name",
    message: "Please try again",
    reveal: false,
};

impl Organization {
    /// The reads that [`Organization::new`] needs.
    #[must_use]
    pub fn reads_for_new(name: &OrganizationName) -> Reads {
        let candidates = slug_candidates(name, MAX_SLUGS);
        let keys = candidates.iter().map(Self::key_of);
        keys.fold(Reads::none(), Reads::item)
    }

    /// A new organisation of this owner, with the first free slug. On a rerun it is a random one of the
    /// free slugs, if another new organisation may just have taken the first choice.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if no slug can be made.
    pub fn new<C>(
        context: &Context<C>,
        name: OrganizationName,
        owner: &UserId,
        found: &Found,
    ) -> Result<Self, ActionError> {
        let all = slug_candidates(&name, MAX_SLUGS);
        let count = all.len();
        let free: Vec<_> = all
            .into_iter()
            .filter(|slug| !found.items.contains_key(&Self::key_of(slug)))
            .collect();
        let random = context.random();
        let choice = match context.attempt == 0 || free.len() == count {
            true => 0,
            false => random as usize % free.len().max(1),
        };
        let id = match free.into_iter().nth(choice) {
            Some(id) => id,
            None => {
                let slug = format!("{}-{random:08x}", slug(&name));
                TenantId::parse(&slug).map_err(|e| ActionError::Internal(format!("{slug}: {e}")))?
            }
        };
        Ok(Self {
            id,
            name,
            owners: vec![owner.clone()],
            invitations_since: None,
            created_at: context.now,
            version: Version::FIRST,
        })
    }

    /// Writes the new organisation with its owner.
    #[must_use]
    pub fn create<T>(&self, commit: Commit<T>, owner: &Member) -> Commit<T> {
        commit
            .put_record(self, None, None)
            .put(&self.id, owner, None)
            .claim(
                Member::guard(&self.id, &owner.email),
                owner.id(),
                OWNER_TAKEN,
            )
    }
}

/// The path of the page on which the user of an account without organisations makes one, with a token
/// that proves the account.
#[must_use]
pub fn new_organization_path<C>(context: &Context<C>, account: &Account) -> String {
    let (id, generation) = (&account.id, account.session_generation);
    let (now, email) = (context.now.as_second(), &account.email);
    let token = context.seal(PURPOSE, &format!("{id} {generation} {now} {email}"));
    format!("{PATH}?token={token}")
}

/// Which account a token of [`new_organization_path`] proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenAccount {
    user: UserId,
    generation: u64,
    /// The account's email.
    pub email: Email,
}

impl ProvenAccount {
    /// Whether the token was made for this account, since its sessions were last ended.
    #[must_use]
    pub fn is(&self, account: &Account) -> bool {
        self.user == account.id && self.generation == account.session_generation
    }
}

/// The token with which a user who belongs to no organisation makes one.
impl LinkToken {
    /// The account that it proves; `None` if the token is not ours, was altered, or is too old.
    #[must_use]
    pub fn proven_account<C>(&self, context: &Context<C>) -> Option<ProvenAccount> {
        let text = self.content(context, PURPOSE)?;
        let mut parts = text.splitn(4, ' ');
        let mut next = || parts.next();
        let (user, generation) = (UserId::parse(next()?).ok()?, next()?.parse().ok()?);
        let issued_at: i64 = next()?.parse().ok()?;
        let age = SignedDuration::from_secs(context.now.as_second() - issued_at);
        (age < LIFETIME).then_some(ProvenAccount {
            user,
            generation,
            email: Email::parse(next()?).ok()?,
        })
    }
}
