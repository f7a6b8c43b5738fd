//! The settings of a user: the account, the organisations and the sessions.

use crate::{Account, Organization, OrganizationName, PublicUser};
use action::{
    ActionError, Actor, Commit, Context, Found, Key, Query, Reads, Session, SessionRecord,
    TenantId, UserId,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The most sessions of a user that are read.
pub const MAX_SESSIONS: usize = 90;

/// The kind of record that holds a session.
const KIND: &str = "session";

/// The settings of the signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountSettings {
    /// The user.
    pub user: PublicUser,
    /// Whether the user has proved with a link in an email that the address is theirs.
    pub email_verified: bool,
    /// The organisations that the user can switch to.
    pub organizations: Vec<OrganizationChoice>,
    /// The sessions of the user: the current one first, then by last use, newest first.
    pub sessions: Vec<SessionInfo>,
}

/// An organisation that the user can switch to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrganizationChoice {
    /// The organisation's id, which is its slug.
    pub tenant: TenantId,
    /// The organisation's name.
    pub name: OrganizationName,
    /// Whether the current session belongs to this organisation.
    pub current: bool,
}

/// A session of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// The session's id, with which it can be ended.
    pub id: String,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When the session was last used, to the hour.
    pub last_used_at: Timestamp,
    /// The IP address that the user signed in from.
    pub address: Option<String>,
    /// The `User-Agent` of the browser or program that signed in.
    pub agent: Option<String>,
    /// Whether it is the session of this request.
    pub current: bool,
}

impl AccountSettings {
    /// What to read next. `found` is what has been read so far: first the membership, then the
    /// account, then its organisations and sessions.
    #[must_use]
    pub fn reads(context: &Context<Actor>, found: &Found) -> Reads {
        let account_reads = Account::caller_reads(&context.caller, found);
        let Ok(account) = Account::of_caller(&context.caller, found) else {
            return account_reads;
        };
        let organizations = account.organizations.iter();
        let organizations = organizations.map(|each| Organization::key_of(&each.tenant));
        let memberships = account.membership_reads().keys.into_iter();
        let reads = memberships
            .chain(organizations)
            .fold(account_reads, Reads::item);
        reads.query(live_sessions(&account, context.now))
    }

    /// The settings, from what was read.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if a stored record cannot be read.
    pub fn from_found(context: &Context<Actor>, found: &Found) -> Result<Self, ActionError> {
        let account = Account::of_caller(&context.caller, found)?;
        let mut organizations = Vec::new();
        for (tenant, _) in account.active_memberships(found)? {
            let organization: Option<Organization> = found.record(&Organization::key_of(tenant))?;
            organizations.extend(organization.map(|organization| OrganizationChoice {
                name: organization.name,
                current: organization.id == context.caller.tenant,
                tenant: organization.id,
            }));
        }
        let sessions: Vec<Session> = found.records(KIND, account.id.as_str())?;
        let info = |session| SessionInfo::new(session, context);
        let mut sessions: Vec<_> = sessions.into_iter().map(info).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.current, session.last_used_at)));
        Ok(Self {
            organizations,
            email_verified: account.email_verified,
            sessions,
            user: account.public_user(),
        })
    }
}

impl SessionInfo {
    fn new(session: Session, context: &Context<Actor>) -> Self {
        let time = |second| Timestamp::from_second(second).unwrap_or_default();
        Self {
            current: context.session == Some(session.key()),
            created_at: time(session.created_at),
            last_used_at: time(session.last_used_at()),
            id: session.id,
            address: session.address,
            agent: session.agent,
        }
    }
}

/// The read of the user's live sessions.
#[must_use]
pub fn live_sessions(account: &Account, now: Timestamp) -> Query {
    let (generation, now) = (account.session_generation, now.as_second());
    sessions(&account.id, move |session| {
        !session.replaced && session.generation == generation && session.expires_at > now
    })
}

/// The read of the user's sessions that have not ended, also of those that another has replaced.
#[must_use]
pub fn open_sessions(user: &UserId, now: Timestamp) -> Query {
    let now = now.as_second();
    sessions(user, move |session| session.expires_at > now)
}

fn sessions(
    user: &UserId,
    passes: impl Fn(SessionRecord) -> bool + Send + Sync + 'static,
) -> Query {
    Query::records(KIND, user.as_str(), MAX_SESSIONS)
        .filter(move |item| SessionRecord::read(item).is_some_and(&passes))
}

/// Deletes the other sessions that the same browser opened before or after the ended one, such as by
/// switching the organisation, except `kept`. `sessions` are the user's open sessions.
#[must_use]
pub fn end_sign_in<T>(
    commit: Commit<T>,
    sessions: &[Session],
    ended: &Key,
    kept: Option<&Key>,
) -> Commit<T> {
    let Some(own) = sessions.iter().find(|session| session.key() == *ended) else {
        return commit;
    };
    let others = sessions
        .iter()
        .filter(|other| other.sign_in() == own.sign_in());
    let keys = others
        .map(Session::key)
        .filter(|key| key != ended && Some(key) != kept);
    keys.fold(commit, |commit, key| commit.delete_record(key, None))
}
