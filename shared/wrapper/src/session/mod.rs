//! Sessions: the cookie, the token in it, and the stored session that decides.

pub(crate) mod fresh;

use crate::http::request::Asked as _;
use crate::{App, Config};
use action::{Actor, Expect, Grant, Item, Key, Operation, Role, Session};
use auth::{SessionSecret, TOKEN_LIFETIME, Token};
use jiff::Timestamp;
use lambda_http::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How much of a session's life must be gone before its stored end is moved: the last use is told
/// to the hour.
const SLIDE_AFTER: i64 = 3_600;

/// How long a session that has been replaced is still known, in seconds.
const HANDOVER: i64 = 60;

/// How much of what a browser calls itself is kept, in characters.
const AGENT: usize = 200;

/// What a request's cookie says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presented {
    /// There is none.
    Nothing,
    /// It is not one of ours.
    Forged,
    /// It is; it may have expired.
    Signed(Token),
}

/// The cookie's name. `__Host-` ties it to this host, over https only
/// (RFC 6265bis, section 4.1.3.2).
pub(crate) fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-session" } else { "session" }
}

/// Reads the cookie.
pub(crate) fn presented(request: &Request, config: &Config) -> Presented {
    match request.cookie(cookie_name(config.https)) {
        None | Some("") => Presented::Nothing,
        Some(text) => {
            Token::verify(text, &config.keys).map_or(Presented::Forged, Presented::Signed)
        }
    }
}

/// What decides about a token: the session, the membership, the generation of the person's
/// sessions.
pub(crate) fn keys(token: &Token) -> [Key; 3] {
    let Actor { tenant, user, .. } = &token.actor;
    [
        Key::session(user, &token.secret.hash()),
        Key::membership(tenant, user),
        Key::generation(user),
    ]
}

/// A session that is live.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Live {
    /// Who, with the role as it is now.
    pub(crate) actor: Actor,
    /// Where the session is stored.
    pub(crate) key: Key,
    /// The session as stored.
    pub(crate) item: Item,
    /// The generation of the person's sessions, which is this one's.
    pub(crate) generation: u64,
    /// The cookie to answer with, where the token has expired or says another role.
    pub(crate) renewal: Option<String>,
    /// The stored end to move to, in seconds since 1970, where it is time to.
    pub(crate) extend_to: Option<i64>,
}

impl Live {
    /// Whether another session has taken its place.
    pub(crate) fn is_replaced(&self) -> bool {
        self.item.contains_key(Session::REPLACED)
    }
}

/// Whether the session behind the token is live: stored, not ended, neither by itself nor with all
/// others of the person, of the token's organisation, and of somebody who has been a member there
/// ever since it was opened.
pub(crate) fn check(
    token: &Token,
    items: &BTreeMap<Key, Item>,
    now: i64,
    config: &Config,
) -> Option<Live> {
    let [key, membership, generation] = keys(token);
    let session = items.get(&key)?;
    let generation = self::generation(items.get(&generation));
    let ends = session.get("expires_at")?.as_i64()?;
    let tenant = session.get("tenant")?.as_str()?;
    let is_of_old = self::generation(Some(session)) != generation;
    if ends <= now || is_of_old || tenant != token.actor.tenant.as_str() {
        return None;
    }
    let membership = items.get(&membership)?;
    if precedes(session, membership) {
        return None;
    }
    let role = role(membership)?;
    let actor = Actor {
        role,
        ..token.actor.clone()
    };
    // What has been replaced lasts as it is, for who asks again.
    let replaced = session.get(Session::REPLACED).is_some();
    let renews = !replaced && (token.expires <= now || role != token.actor.role);
    let renewal = renews.then(|| cookie(config, token.secret.clone(), actor.clone(), now));
    let full = now + Session::IDLE;
    let extend_to = (renews && ends < full - SLIDE_AFTER).then_some(full);
    Some(Live {
        actor,
        key,
        item: session.clone(),
        generation,
        renewal,
        extend_to,
    })
}

/// What a stored membership lets its person do. Who is only invited is no member yet.
pub(crate) fn role(membership: &Item) -> Option<Role> {
    let status = membership.get("status").and_then(Value::as_str);
    let active = status.is_none_or(|status| status == "active");
    Role::parse(membership.get("role")?.as_str()?).filter(|_| active)
}

/// Whether the session was opened before the membership began: who has left and joins again gets
/// nothing back by that, wherever a browser still has the cookie. The session that joining opens
/// is none of those: its id is made after the membership's time was taken, by the same clock.
fn precedes(session: &Item, membership: &Item) -> bool {
    let joined = membership.get("createdAt").and_then(Value::as_str);
    let joined = joined.and_then(|text| text.parse::<Timestamp>().ok());
    let opened = opened_at(session);
    joined
        .zip(opened)
        .is_some_and(|(joined, opened)| opened < joined.as_millisecond())
}

/// When the session was opened, in milliseconds since 1970: its id, a UUIDv7, knows (RFC 9562,
/// section 5.7). Its `createdAt` is that of the request, which may have begun seconds before; it
/// decides, as late as it can be, where there is no id.
fn opened_at(session: &Item) -> Option<i64> {
    let id = session.get("id").and_then(Value::as_str);
    let made = id.and_then(|id| Uuid::parse_str(id).ok()?.get_timestamp());
    let Some((seconds, nanos)) = made.map(|time| time.to_unix()) else {
        return Some(session.get("createdAt")?.as_i64()? * 1_000 + 999);
    };
    Some(i64::try_from(seconds).ok()? * 1_000 + i64::from(nanos / 1_000_000))
}

/// The generation in an item; before the first record of one it is 0.
fn generation(item: Option<&Item>) -> u64 {
    item.and_then(|item| item.get("generation")?.as_u64())
        .unwrap_or(0)
}

/// Where a session is opened from.
#[derive(Debug, Clone)]
pub(crate) struct Origin<'a> {
    /// The address, as it is counted.
    pub(crate) address: &'a str,
    /// What the browser calls itself.
    pub(crate) agent: Option<&'a str>,
    /// The generation of the caller's own session.
    pub(crate) generation: Option<u64>,
}

/// A new session: what to store, and the cookie to answer with. `None` where the system gives no
/// randomness, or nothing proves the person.
pub(crate) fn open(
    grant: &Grant,
    origin: &Origin<'_>,
    now: i64,
    config: &Config,
) -> Option<(Operation, String)> {
    let secret = SessionSecret::random()?;
    let Grant {
        tenant, user, role, ..
    } = grant.clone();
    let session = Session {
        id: Uuid::now_v7().to_string(),
        hash: secret.hash(),
        tenant: tenant.clone(),
        user: user.clone(),
        generation: grant.generation.or(origin.generation)?,
        created_at: now,
        address: Some(origin.address.to_owned()),
        agent: origin
            .agent
            .map(|agent| agent.chars().take(AGENT).collect()),
        expires_at: now + Session::IDLE,
    };
    let put = Operation::Put {
        key: session.key(),
        item: json!(session),
        expect: Expect::Absent,
        conflict: None,
    };
    Some((
        put,
        cookie(config, secret, Actor { tenant, user, role }, now),
    ))
}

/// What takes the session along into another generation, unless it has ended meanwhile.
pub(crate) fn end_others(live: &Live, generation: u64) -> Operation {
    let mut item = live.item.clone();
    item.insert("generation".to_owned(), json!(generation));
    Operation::Put {
        key: live.key.clone(),
        item: Value::Object(item),
        expect: Expect::Present,
        conflict: None,
    }
}

/// What ends the session a little later, because another takes its place: a request that is sent
/// twice at once is one request, whose twin must still be known. Unless it has ended meanwhile.
pub(crate) fn replace(live: &Live, now: i64) -> Operation {
    let mut item = live.item.clone();
    let ends = item
        .get("expires_at")
        .and_then(Value::as_i64)
        .unwrap_or(now);
    item.insert("expires_at".to_owned(), json!(ends.min(now + HANDOVER)));
    item.insert(Session::REPLACED.to_owned(), json!(true));
    Operation::Put {
        key: live.key.clone(),
        item: Value::Object(item),
        expect: Expect::Present,
        conflict: None,
    }
}

/// What ends the session, unless it has ended meanwhile: of two requests that end it, one is
/// recorded.
pub(crate) fn close(live: &Live) -> Operation {
    Operation::Delete {
        key: live.key.clone(),
        expect: Expect::Present,
    }
}

/// The cookie that removes the cookie.
pub(crate) fn clear(config: &Config) -> String {
    attributes(config, "", 0)
}

fn cookie(config: &Config, secret: SessionSecret, actor: Actor, now: i64) -> String {
    let token = Token {
        secret,
        actor,
        expires: now + TOKEN_LIFETIME,
    };
    attributes(config, &token.sign(&config.keys), Session::IDLE)
}

fn attributes(config: &Config, value: &str, max_age: i64) -> String {
    let name = cookie_name(config.https);
    let secure = if config.https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

/// The cookie to answer with: a renewed one, or one that removes a session that has ended.
pub(crate) async fn keep(
    app: &App,
    presented: bool,
    live: Option<&Live>,
    now: i64,
) -> Option<String> {
    let Some(live) = live else {
        return presented.then(|| clear(&app.config));
    };
    if let Some(end) = live.extend_to
        && let Err(error) = app.store.extend(&live.key, now, end).await
    {
        tracing::warn!(%error, "a session's end could not be moved");
    }
    live.renewal.clone()
}

/// What is said around every page of the organisation, by its stored record.
pub(crate) fn layout(actor: &Actor, items: &BTreeMap<Key, Item>) -> action::Layout {
    let name = items
        .get(&Key::tenant(&actor.tenant))
        .and_then(|item| item.get("name"))
        .and_then(Value::as_str);
    action::Layout {
        tenant: actor.tenant.clone(),
        organization: name.unwrap_or(actor.tenant.as_str()).to_owned(),
        role: actor.role,
    }
}

#[cfg(test)]
mod tests;
