//! Sessions: the cookie, the token in it, and the stored session that decides.

pub(crate) mod fresh;

use crate::http::request::Asked as _;
use crate::{App, Config};
use action::{
    Actor, Expect, Generation, Grant, Item, Key, MembershipRecord, Operation, Session,
    SessionRecord, TenantRecord,
};
use auth::{SessionSecret, TOKEN_LIFETIME, Token};
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
    /// The session as stored. Its generation is the user's.
    pub(crate) session: SessionRecord,
    /// The cookie to answer with, where the token has expired or says another role.
    pub(crate) renewal: Option<String>,
    /// The stored end to move to, in seconds since 1970, where it is time to.
    pub(crate) extend_to: Option<i64>,
}

/// Checks the session behind the token. It is live if it is stored and has not ended, belongs to the
/// token's organisation and the user's generation, and the user has been a member of the
/// organisation ever since it was opened.
pub(crate) fn check(
    token: &Token,
    items: &BTreeMap<Key, Item>,
    now: i64,
    config: &Config,
) -> Option<Live> {
    let [key, membership, generation] = keys(token);
    let session = items.get(&key).and_then(SessionRecord::read)?;
    let Generation { generation } = Generation::read(items.get(&generation));
    if session.expires_at <= now
        || session.generation != generation
        || session.tenant != token.actor.tenant
    {
        return None;
    }
    let membership = items.get(&membership).and_then(MembershipRecord::read)?;
    if is_older(&session, &membership) {
        return None;
    }
    let role = membership.active_role()?;
    let actor = Actor {
        role,
        ..token.actor.clone()
    };
    // A replaced session is not renewed: it is only for a second copy of the request.
    let renews = !session.replaced && (token.expires <= now || role != token.actor.role);
    let renewal = renews.then(|| cookie(config, token.secret.clone(), actor.clone(), now));
    let full = now + Session::IDLE;
    let extend_to = (renews && session.expires_at < full - SLIDE_AFTER).then_some(full);
    Some(Live {
        actor,
        key,
        session,
        renewal,
        extend_to,
    })
}

/// Whether the session was opened before the membership began. A user who was removed and joins
/// again must sign in again, because an old browser may still have the cookie. The session that
/// joining opens is not older: its id is made after the membership's time was taken, by the same
/// clock.
fn is_older(session: &SessionRecord, membership: &MembershipRecord) -> bool {
    let times = membership.joined_at.zip(session.opened_at());
    times.is_some_and(|(joined, opened)| opened < joined.as_millisecond())
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

/// Moves the session to another generation, unless it has ended meanwhile.
pub(crate) fn end_others(live: &Live, generation: u64) -> Operation {
    put_again(live, live.session.in_generation(generation))
}

/// Ends the session in [`HANDOVER`] seconds, because another replaces it, unless it has ended
/// meanwhile. If the browser sends the same request twice, the second copy must still find it.
pub(crate) fn replace(live: &Live, now: i64) -> Operation {
    put_again(live, live.session.replaced_until(now + HANDOVER))
}

fn put_again(live: &Live, item: Value) -> Operation {
    Operation::Put {
        key: live.key.clone(),
        item,
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
    let tenant = items.get(&Key::tenant(&actor.tenant));
    let name = tenant.and_then(|item| TenantRecord::read(item).name);
    action::Layout {
        tenant: actor.tenant.clone(),
        organization: name.unwrap_or_else(|| actor.tenant.to_string()),
        role: actor.role,
    }
}

#[cfg(test)]
mod tests;
