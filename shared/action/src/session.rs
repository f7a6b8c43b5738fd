//! Sessions: the cookie, the token in it, and the stored session that decides.

use crate::Config;
use crate::event::Request;
use commit::{Actor, Expect, Grant, Item, Key, Operation, Role};
use edge::{LIFETIME, SessionSecret, Token};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long a session lives without being used, in seconds: 30 days.
const IDLE: i64 = 30 * 86_400;

/// How much of that must be gone before the stored end is moved: once a day is enough.
const SLIDE_AFTER: i64 = 86_400;

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

/// Where the session and the membership behind a token are.
pub(crate) fn keys(token: &Token) -> (Key, Key) {
    let Actor { tenant, user, .. } = &token.actor;
    (
        Key::session(user, &token.secret.hash()),
        Key::membership(tenant, user),
    )
}

/// A session that is live.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Live {
    /// Who, with the role as it is now.
    pub(crate) actor: Actor,
    /// Where the session is stored.
    pub(crate) key: Key,
    /// The cookie to answer with, where the token has expired or says another role.
    pub(crate) renewal: Option<String>,
    /// The stored end to move to, in seconds since 1970, where it is time to.
    pub(crate) extend_to: Option<i64>,
}

/// Whether the session behind the token is live: stored, not ended, of the token's organisation,
/// and of somebody who is still a member there.
pub(crate) fn check(
    token: &Token,
    items: &BTreeMap<Key, Item>,
    now: i64,
    config: &Config,
) -> Option<Live> {
    let (key, membership) = keys(token);
    let session = items.get(&key)?;
    let ends = session.get("expires_at")?.as_i64()?;
    let tenant = session.get("tenant")?.as_str()?;
    if ends <= now || tenant != token.actor.tenant.as_str() {
        return None;
    }
    let role = Role::parse(items.get(&membership)?.get("role")?.as_str()?)?;
    let actor = Actor {
        role,
        ..token.actor.clone()
    };
    let renews = token.expires <= now || role != token.actor.role;
    let renewal = renews.then(|| cookie(config, token.secret.clone(), actor.clone(), now));
    let extend_to = (renews && ends < now + IDLE - SLIDE_AFTER).then_some(now + IDLE);
    Some(Live {
        actor,
        key,
        renewal,
        extend_to,
    })
}

/// A new session: what to store, and the cookie to answer with. `None` where the system gives no
/// randomness.
pub(crate) fn open(grant: &Grant, now: i64, config: &Config) -> Option<(Operation, String)> {
    let secret = SessionSecret::random()?;
    let Grant { tenant, user, role } = grant.clone();
    let put = Operation::Put {
        key: Key::session(&user, &secret.hash()),
        item: json!({ "tenant": tenant, "user": user, "createdAt": now, "expires_at": now + IDLE }),
        expect: Expect::Absent,
        conflict: None,
    };
    Some((
        put,
        cookie(config, secret, Actor { tenant, user, role }, now),
    ))
}

/// What ends the session.
pub(crate) fn close(live: &Live) -> Operation {
    Operation::Delete {
        key: live.key.clone(),
        expect: Expect::Anything,
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
        expires: now + LIFETIME,
    };
    attributes(config, &token.sign(&config.keys), IDLE)
}

fn attributes(config: &Config, value: &str, max_age: i64) -> String {
    let name = cookie_name(config.https);
    let secure = if config.https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

/// What is said around every page of the organisation, by its stored record.
pub(crate) fn chrome(actor: &Actor, items: &BTreeMap<Key, Item>) -> commit::Chrome {
    let name = items
        .get(&Key::tenant(&actor.tenant))
        .and_then(|item| item.get("name"))
        .and_then(Value::as_str);
    commit::Chrome {
        tenant: actor.tenant.clone(),
        organization: name.unwrap_or(actor.tenant.as_str()).to_owned(),
        role: actor.role,
    }
}
