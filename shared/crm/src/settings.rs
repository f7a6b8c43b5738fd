//! What a person sees of their own: who they are, where they belong, and where they are signed in.

use crate::{Account, OrganizationName, PublicUser};
use action::{ActionError, Actor, Context, Found, Query, Reads, Session, TenantId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// How many sessions are shown.
const MAX_SESSIONS: usize = 100;

/// The partition of a person's sessions.
const KIND: &str = "session";

/// What the page of settings shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountSettings {
    /// The person.
    pub user: PublicUser,
    /// The organisations to choose from.
    pub organizations: Vec<OrganizationChoice>,
    /// Where they are signed in, this one first, then the one used last.
    pub sessions: Vec<SessionInfo>,
}

/// An organisation to switch to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrganizationChoice {
    /// Its slug.
    pub tenant: TenantId,
    /// What it calls itself.
    pub name: OrganizationName,
    /// Whether it is the one that is open.
    pub current: bool,
}

/// A session, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// What to call it by.
    pub id: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last seen in use, to the hour.
    pub last_used_at: Timestamp,
    /// From which address it was opened.
    pub address: Option<String>,
    /// What the browser called itself then.
    pub agent: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl AccountSettings {
    /// What to read, given what was found, step by step.
    #[must_use]
    pub fn reads(context: &Context<Actor>, found: &Found) -> Reads {
        let account_reads = Account::caller_reads(&context.caller, found);
        let Ok(account) = Account::of_caller(&context.caller, found) else {
            return account_reads;
        };
        let memberships = account.membership_reads();
        let reads = memberships
            .keys
            .into_iter()
            .fold(account_reads, Reads::item);
        reads.query(live_sessions(&account, context.now))
    }

    /// What to show of what was found.
    ///
    /// # Errors
    /// [`ActionError::Internal`] where something stored cannot be read.
    pub fn from_found(context: &Context<Actor>, found: &Found) -> Result<Self, ActionError> {
        let account = Account::of_caller(&context.caller, found)?;
        let members = account.active_memberships(found)?;
        let organizations = members
            .into_iter()
            .map(|(organization, _)| OrganizationChoice {
                tenant: organization.tenant.clone(),
                name: organization.name.clone(),
                current: organization.tenant == context.caller.tenant,
            });
        let sessions: Vec<Session> = found.records(KIND, account.id.as_str())?;
        let info = |session| SessionInfo::new(session, context);
        let mut sessions: Vec<_> = sessions.into_iter().map(info).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.current, session.last_used_at)));
        Ok(Self {
            organizations: organizations.collect(),
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

/// The sessions of a person that are live.
#[must_use]
pub fn live_sessions(account: &Account, now: Timestamp) -> Query {
    let (generation, now) = (account.session_generation, now.as_second());
    let number = |item: &action::Item, name: &str| item.get(name).and_then(Value::as_i64);
    Query::records(KIND, account.id.as_str(), MAX_SESSIONS).filter(move |item| {
        let session_generation = item.get("generation").and_then(Value::as_u64).unwrap_or(0);
        let replaced = item.contains_key(Session::REPLACED);
        !replaced
            && session_generation == generation
            && number(item, "expires_at").is_some_and(|expires_at| expires_at > now)
    })
}
