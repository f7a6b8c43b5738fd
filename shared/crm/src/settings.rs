//! What a person sees of their own: who they are, where they belong, and where they are signed in.

use crate::{Account, OrganizationName, PublicUser};
use action::{ActionError, Actor, Context, Found, Query, Reads, Session, TenantId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// How many sessions are shown.
const SHOWN: usize = 100;

/// The partition of a person's sessions.
const SESSIONS: &str = "session";

/// What the page of settings shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Settings {
    /// The person.
    pub user: PublicUser,
    /// The organisations to choose from.
    pub organizations: Vec<Choice>,
    /// Where they are signed in, this one first, then the one used last.
    pub sessions: Vec<Place>,
}

/// An organisation to switch to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Choice {
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
pub struct Place {
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

impl Settings {
    /// What to read, given what was found, step by step.
    #[must_use]
    pub fn reads(context: &Context<Actor>, found: &Found) -> Reads {
        let own = Account::reads_of(&context.caller, found);
        let Ok(account) = Account::of(&context.caller, found) else {
            return own;
        };
        let memberships = account.memberships();
        let reads = memberships.keys.into_iter().fold(own, Reads::item);
        reads.query(live_sessions(&account, context.now))
    }

    /// What to show of what was found.
    ///
    /// # Errors
    /// [`ActionError::Internal`] where something stored cannot be read.
    pub fn of(context: &Context<Actor>, found: &Found) -> Result<Self, ActionError> {
        let account = Account::of(&context.caller, found)?;
        let members = account.members(found)?;
        let organizations = members.into_iter().map(|(there, _)| Choice {
            tenant: there.tenant.clone(),
            name: there.name.clone(),
            current: there.tenant == context.caller.tenant,
        });
        let sessions: Vec<Session> = found.records(SESSIONS, account.id.as_str())?;
        let place = |session| Place::new(session, context);
        let mut sessions: Vec<_> = sessions.into_iter().map(place).collect();
        sessions.sort_by_key(|place| std::cmp::Reverse((place.current, place.last_used_at)));
        Ok(Self {
            organizations: organizations.collect(),
            sessions,
            user: account.public(),
        })
    }
}

impl Place {
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
    Query::records(SESSIONS, account.id.as_str(), SHOWN).filter(move |item| {
        let of = item.get("generation").and_then(Value::as_u64).unwrap_or(0);
        let replaced = item.contains_key(Session::REPLACED);
        !replaced && of == generation && number(item, "expires_at").is_some_and(|ends| ends > now)
    })
}
