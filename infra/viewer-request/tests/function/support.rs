//! Helpers that build events, run the function and read its result.

use action::{Actor, Role, TenantId, UserId};
use auth::{Keys, SessionSecret, Token};
use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::SystemTime;
use viewer_request::{Event, Outcome, Request, SOURCE, Settings, ViewerRequest};

pub(crate) const KEY: &str = "current-key-current-key-current-key-current-key-current-key-0001";
pub(crate) const PREVIOUS: &str =
    "previous-key-previous-key-previous-key-previous-key-previous-001";
pub(crate) const ORIGIN: &str = "origin-secret-origin-secret-origin-secret-origin-secret-origin-1";
pub(crate) const OTHER_ORIGIN: &str =
    "other-origin-other-origin-other-origin-other-origin-other-orig-2";
pub(crate) const REQUEST_ID: &str = "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==";
pub(crate) const ID: &str = "0197a3b0-0000-7000-8000-00000000000f";

static FUNCTION: LazyLock<ViewerRequest> =
    LazyLock::new(|| ViewerRequest::new(SOURCE, &settings("session", Some(PREVIOUS))).unwrap());

pub(crate) fn settings(cookie: &str, previous: Option<&str>) -> Settings {
    Settings {
        cookie: cookie.to_owned(),
        secrets: previous.map_or_else(
            || secret(KEY, ORIGIN),
            |previous| format!("{}.{}", secret(KEY, ORIGIN), secret(previous, OTHER_ORIGIN)),
        ),
        in_use: "A".to_owned(),
    }
}

/// A secret: the key that signs sessions, and what the edge sends.
pub(crate) fn secret(key: &str, origin: &str) -> String {
    format!("{key}{origin}")
}

pub(crate) fn keys(current: &str, previous: Option<&str>) -> Keys {
    Keys::new(current.as_bytes(), previous.map(str::as_bytes)).unwrap()
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs().try_into().unwrap()
}

/// A token of the tenant and role that expires in a minute.
pub(crate) fn token(tenant: &str, role: Role) -> Token {
    Token {
        secret: SessionSecret::random().unwrap(),
        actor: Actor {
            tenant: TenantId::parse(tenant).unwrap(),
            user: UserId::parse(ID).unwrap(),
            role,
        },
        expires: now() + 60,
    }
}

/// A token of an owner of `acme`, signed with the key.
pub(crate) fn signed(key: &str) -> String {
    token("acme", Role::Owner).sign(&keys(key, None))
}

/// A token of any claims, even invalid ones, with a correct signature.
pub(crate) fn sign(claims: &str, key: &str) -> String {
    format!("{claims}.{}", keys(key, None).sign("session", claims))
}

pub(crate) fn event<'a>(method: &'a str, uri: &'a str, headers: &[(&'a str, &str)]) -> Event<'a> {
    let headers = headers.iter();
    Event {
        distribution_id: "EDFDVBD6EXAMPLE",
        domain_name: "d111111abcdef8.cloudfront.net",
        request_id: REQUEST_ID,
        viewer_ip: "198.51.100.11",
        method,
        uri,
        query: "",
        headers: headers
            .map(|(name, value)| (*name, Cow::Owned((*value).to_owned())))
            .collect(),
    }
}

/// The request that the function forwards to the cache.
pub(crate) fn forwarded(function: &ViewerRequest, event: &Event<'_>) -> Request {
    match function.run(event) {
        Ok(Outcome::Request(request)) => request,
        other => panic!("{other:?} for {event:?}"),
    }
}

/// The values of a header.
pub(crate) fn header<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
    let headers = request.headers.iter();
    headers
        .filter(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
        .collect()
}

/// The shared key from the function with both session keys; `None` if the key is not shared.
pub(crate) fn shared(event: &Event<'_>) -> Option<String> {
    shared_by(&FUNCTION, event)
}

/// The shared key; `None` if the function sets the request's own id instead. Panics on anything else.
pub(crate) fn shared_by(function: &ViewerRequest, event: &Event<'_>) -> Option<String> {
    let request = forwarded(function, event);
    match header(&request, "x-crm-key")[..] {
        [REQUEST_ID] => None,
        [key] => Some(key.to_owned()),
        ref other => panic!("{other:?}"),
    }
}

/// The shared key of a GET with this cookie header.
pub(crate) fn with_cookie(uri: &str, cookie: &str) -> Option<String> {
    shared(&event("GET", uri, &[("cookie", cookie)]))
}
