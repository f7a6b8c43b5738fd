//! Sessions: the cookie, the token in it, and the stored session, which decides.

pub(crate) mod device;
pub(crate) mod fresh;

use crate::http::request::RequestInfo;
use crate::{App, Config, Failure};
use action::{
    Actor, Expect, Generation, Grant, Item, Key, MembershipRecord, Operation, Session,
    SessionRecord, TenantRecord,
};
use auth::{SessionSecret, TOKEN_LIFETIME, Token};
use lambda_http::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How old the stored end of a session must be before it is moved, in seconds. So the time of the last
/// use is known to the hour.
const SLIDE_AFTER: i64 = 3_600;

/// How long a replaced session is still accepted for repeated requests, in seconds.
const HANDOVER: i64 = 60;

/// The longest `User-Agent` that is stored, in characters.
const MAX_AGENT: usize = 200;

/// The session cookie of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionCookie {
    /// There is no cookie.
    Missing,
    /// We did not sign its token.
    Invalid,
    /// We signed its token, which may have expired.
    Valid(Token),
}

/// The name of the cookie. `__Host-` restricts it to this host and to https (RFC 6265bis, section
/// 4.1.3.2).
pub(crate) fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-session" } else { "session" }
}

/// Reads the session cookie.
pub(crate) fn read_cookie(request: &Request, config: &Config) -> SessionCookie {
    match request.cookie(cookie_name(config.https)) {
        None | Some("") => SessionCookie::Missing,
        Some(text) => {
            Token::verify(text, &config.keys).map_or(SessionCookie::Invalid, SessionCookie::Valid)
        }
    }
}

/// The items that decide whether a token's session is live: the session, the membership and the
/// user's generation.
pub(crate) fn keys(token: &Token) -> [Key; 3] {
    let Actor { tenant, user, .. } = &token.actor;
    [
        Key::session(user, &token.secret.hash()),
        Key::membership(tenant, user),
        Key::generation(user),
    ]
}

/// A live session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LiveSession {
    /// The user, with the role as it is now.
    pub(crate) actor: Actor,
    /// The key of the session.
    pub(crate) key: Key,
    /// The session as stored. Its generation is the user's.
    pub(crate) session: SessionRecord,
    /// The user's membership as stored.
    pub(crate) membership: MembershipRecord,
    /// A new cookie, if the token has expired or has another role.
    pub(crate) renewal: Option<String>,
    /// The new end of the session, in seconds since 1970, if it is time to move it.
    pub(crate) extend_to: Option<i64>,
}

impl LiveSession {
    /// Makes the user's membership a condition of a transaction that the user causes, so that nothing is
    /// written for a user who is removed or gets another role at the same moment. If the transaction
    /// writes or checks the membership already, that operation gets the condition too, because a
    /// transaction has one operation for each item.
    ///
    /// # Errors
    /// If such an operation has no condition that this one can be added to. That is a bug.
    pub(crate) fn require_membership(
        &self,
        operations: &mut Vec<Operation>,
    ) -> Result<(), Failure> {
        let key = Key::membership(&self.actor.tenant, &self.actor.user);
        let mut attributes = self.membership.decisive();
        let own = operations.iter_mut().find(|one| *one.key() == key);
        match own {
            None => operations.push(Operation::Check {
                key,
                expect: Expect::Attributes(attributes),
            }),
            Some(
                Operation::Put { expect, .. }
                | Operation::Delete { expect, .. }
                | Operation::Check { expect, .. },
            ) if matches!(expect, Expect::Version(_)) => {
                if let Expect::Version(version) = expect {
                    attributes.insert("version", Some(json!(version)));
                }
                *expect = Expect::Attributes(attributes);
            }
            Some(_) => {
                let text = "the caller's membership is written whatever its version is";
                return Err(Failure::unknown(text));
            }
        }
        Ok(())
    }
}

/// Checks the session behind the token. It is live if it is stored and has not ended, belongs to the
/// token's organisation and the user's generation, and the user has been a member of the
/// organisation ever since it was opened.
pub(crate) fn check(
    token: &Token,
    items: &BTreeMap<Key, Item>,
    now: i64,
    config: &Config,
) -> Option<LiveSession> {
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
    Some(LiveSession {
        actor,
        key,
        session,
        membership,
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

/// The client that opens a session.
#[derive(Debug, Clone)]
pub(crate) struct Client<'a> {
    /// The address that its requests are counted by.
    pub(crate) address: &'a str,
    /// The `User-Agent`.
    pub(crate) agent: Option<&'a str>,
    /// The caller's own session, if the new one is for the same user.
    pub(crate) own: Option<&'a SessionRecord>,
}

/// Opens a session. Returns the write and the cookie. `None` if the system has no randomness, or if
/// neither the grant nor the caller's session has a generation.
pub(crate) fn open(
    grant: &Grant,
    client: &Client<'_>,
    now: i64,
    config: &Config,
) -> Option<(Operation, String)> {
    let secret = SessionSecret::random()?;
    let Grant {
        tenant, user, role, ..
    } = grant.clone();
    let session = Session {
        id: Uuid::now_v7().to_string(),
        sign_in: client.own.and_then(|own| own.sign_in()).map(str::to_owned),
        hash: secret.hash(),
        tenant: tenant.clone(),
        user: user.clone(),
        generation: grant.generation.or(client.own.map(|own| own.generation))?,
        created_at: now,
        address: Some(client.address.to_owned()),
        agent: client
            .agent
            .map(|agent| agent.chars().take(MAX_AGENT).collect()),
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
pub(crate) fn end_others(live: &LiveSession, generation: u64) -> Operation {
    put_again(live, live.session.in_generation(generation))
}

/// Ends the session in [`HANDOVER`] seconds, because another replaces it, unless it has ended
/// meanwhile. If the browser sends the same request twice, the second copy must still find it.
pub(crate) fn replace(live: &LiveSession, now: i64) -> Operation {
    put_again(live, live.session.replaced_until(now + HANDOVER))
}

fn put_again(live: &LiveSession, item: Value) -> Operation {
    Operation::Put {
        key: live.key.clone(),
        item,
        expect: Expect::Present,
        conflict: None,
    }
}

/// Ends the session, unless it has ended meanwhile. So if two requests end it, only one is recorded.
pub(crate) fn close(live: &LiveSession) -> Operation {
    Operation::Delete {
        key: live.key.clone(),
        expect: Expect::Present,
    }
}

/// The cookie that removes the session cookie.
pub(crate) fn clear_cookie(config: &Config) -> String {
    set_cookie(config, "", 0)
}

fn cookie(config: &Config, secret: SessionSecret, actor: Actor, now: i64) -> String {
    let token = Token {
        secret,
        actor,
        expires: now + TOKEN_LIFETIME,
    };
    set_cookie(config, &token.sign(&config.keys), Session::IDLE)
}

fn set_cookie(config: &Config, value: &str, max_age: i64) -> String {
    let name = cookie_name(config.https);
    let secure = if config.https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

/// The cookie of the response: a new one if the session needs one, or one that removes the cookie of a
/// session that has ended. Also moves the stored end of the session if it is time.
pub(crate) async fn refresh(
    app: &App,
    had_cookie: bool,
    live: Option<&LiveSession>,
    now: i64,
) -> Option<String> {
    let Some(live) = live else {
        return had_cookie.then(|| clear_cookie(&app.config));
    };
    if let Some(end) = live.extend_to
        && let Err(error) = app.store.extend(&live.key, now, end).await
    {
        tracing::warn!(%error, "a session's end could not be moved");
    }
    live.renewal.clone()
}

/// The layout of the organisation's pages, from its stored record.
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
