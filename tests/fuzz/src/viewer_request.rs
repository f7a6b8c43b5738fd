//! The CloudFront function's input: any request of a viewer.

use crate::{KEY, PREVIOUS, keys, other_keys, previous_keys};
use action::{Actor, Role, TenantId};
use auth::{Keys, SessionSecret, Token};
use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};
use viewer_request::{Event, Outcome, SOURCE, Settings, ViewerRequest};

const COOKIE: &str = "__Host-session";
const REQUEST: &str = "the-id-of-this-request";
const DOMAIN: &str = "d111111abcdef8.cloudfront.net";
/// What the edge sends to the functions: 64 characters.
const ORIGIN_SECRET: &str = "origin-secret-origin-secret-origin-secret-origin-secret-origin-1";
const OURS: [(&str, &str); 4] = [
    ("x-crm-distribution", "EFUZZ"),
    ("x-crm-domain", DOMAIN),
    ("x-crm-secret", ORIGIN_SECRET),
    ("x-crm-viewer-ip", "192.0.2.1"),
];

/// Seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs().cast_signed())
}

fn token(tenant: &str, role: Role, expires: i64, keys: &Keys) -> String {
    let actor = Actor {
        tenant: TenantId::parse(tenant).expect("a slug"),
        user: uuid::Uuid::nil().into(),
        role,
    };
    let secret = SessionSecret::random().expect("randomness");
    Token {
        secret,
        actor,
        expires,
    }
    .sign(keys)
}

/// The text with its placeholders replaced by real tokens, because no fuzzer guesses a token.
fn filled(text: &str) -> String {
    let later = now() + 100;
    let tokens = [
        ("{acme}", token("acme", Role::Member, later, &keys())),
        ("{beta}", token("beta", Role::Owner, later, &keys())),
        (
            "{before}",
            token("acme", Role::Viewer, later, &previous_keys()),
        ),
        ("{expired}", token("acme", Role::Owner, now() - 1, &keys())),
        (
            "{strange}",
            token("acme", Role::Owner, later, &other_keys()),
        ),
    ];
    let fill =
        |text: String, (placeholder, token): &(&str, String)| text.replace(placeholder, token);
    tokens.iter().fold(text.to_owned(), fill)
}

/// The function passes on every request. It removes the client's `x-crm-*` headers and sets its own.
/// Requests share a cache key only if each has a live token of the path's organisation.
pub fn viewer_request(data: &[u8]) {
    thread_local! {
        static FUNCTION: ViewerRequest = ViewerRequest::new(SOURCE, &Settings {
            cookie: COOKIE.to_owned(),
            secrets: format!("{KEY}{0}.{PREVIOUS}{0}", ORIGIN_SECRET),
            in_use: "A".to_owned(),
        })
        .expect("the function");
    }
    let text = filled(&String::from_utf8_lossy(data));
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, uri, query) = (line(), line(), line());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name, Cow::Borrowed(value)))
        .collect();
    let event = Event {
        distribution_id: OURS[0].1,
        domain_name: OURS[1].1,
        viewer_ip: OURS[3].1,
        request_id: REQUEST,
        method,
        uri,
        query,
        headers,
    };
    let outcome = FUNCTION.with(|function| function.run(&event));
    let request = match outcome {
        Ok(Outcome::Request(request)) => request,
        other => panic!("{other:?} for {event:?}"),
    };
    assert_eq!((&*request.uri, &*request.query), (uri, query));
    let ours = request.headers.iter().filter(|(name, _)| is_ours(name));
    let (keys, known): (Vec<_>, Vec<_>) = ours.partition(|(name, _)| name == "x-crm-key");
    let known: Vec<_> = known
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(known, OURS, "{event:?}");
    let [(_, key)] = keys.as_slice() else {
        panic!("{keys:?} for {event:?}")
    };
    if key != REQUEST {
        shared(key, &event);
    }
    kept(&request.headers, &event);
}

fn is_ours(name: &str) -> bool {
    name.to_lowercase().starts_with("x-crm-")
}

/// All other headers stay as they were sent.
fn kept(headers: &[(String, String)], event: &Event<'_>) {
    let others = headers
        .iter()
        .filter(|(name, _)| !is_ours(name) && name != "cookie");
    let mut others: Vec<_> = others.map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let sent = event
        .headers
        .iter()
        .filter(|(name, _)| !is_ours(name) && *name != "cookie");
    let mut sent: Vec<_> = sent.map(|(k, v)| (*k, v.as_ref())).collect();
    others.sort_unstable();
    sent.sort_unstable();
    assert_eq!(others, sent);
}

/// A shared cache key is `tenant|role|html or json|fresh`, and each part matches the request.
fn shared(key: &str, event: &Event<'_>) {
    let parts: Vec<_> = key.split('|').collect();
    let [tenant, role, kind, fresh] = parts.as_slice() else {
        panic!("{key} for {event:?}")
    };
    assert!(["GET", "HEAD"].contains(&event.method), "{event:?}");
    assert!(
        event.uri.starts_with(&format!("/t/{tenant}/")),
        "{key} for {event:?}"
    );
    assert!(["html", "json"].contains(kind), "{key}");
    let fresh_bytes = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    assert!(
        fresh.is_empty() || fresh.len() == 22 && fresh.bytes().all(fresh_bytes),
        "{key}"
    );
    let cookies = event.headers.iter().filter(|(name, _)| *name == "cookie");
    let pairs = cookies.flat_map(|(_, value)| value.split(';').map(str::trim));
    let sessions: Vec<_> = pairs
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| name.eq_ignore_ascii_case(COOKIE))
        .collect();
    let valid = sessions.iter().any(|(_, text)| {
        let token = Token::verify(text, &keys());
        token.is_some_and(|token| {
            token.actor.tenant.as_str() == *tenant
                && token.actor.role.as_str() == *role
                && token.expires > now() - 2
        })
    });
    assert!(valid, "{key} for {event:?}");
}
