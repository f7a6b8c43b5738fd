//! Encodes an HTTP request as the event that Lambda passes to a function at its URL, in
//! [payload format 2.0](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
};
use hyper::http::request::Parts;
use jiff::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use uuid::Uuid;

/// What an event contains besides the request itself.
pub(crate) struct Invocation<'a> {
    /// The function's name.
    pub(crate) function: &'a str,
    /// The invocation's id.
    pub(crate) id: Uuid,
    /// When the request arrived.
    pub(crate) received_at: Timestamp,
    /// The address that called the function: the edge.
    pub(crate) peer: IpAddr,
    /// The address of the viewer, who sent the request to the edge.
    pub(crate) viewer: IpAddr,
    /// The port that the request arrived at.
    pub(crate) port: u16,
}

/// Values by header name in lower case. A comma joins duplicates.
type Headers<'a> = BTreeMap<&'a str, Cow<'a, str>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'static str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<Cow<'a, str>>,
    headers: Headers<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'a str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: Uuid,
    route_key: &'static str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: Cow<'static, str>,
    source_ip: IpAddr,
    user_agent: Cow<'a, str>,
}

/// The event, as JSON, for the request of `parts` with the whole `body`.
///
/// As behind CloudFront, the function sees its own host name instead of the one that the viewer
/// requested. The edge replaces the viewer's `X-Forwarded-*` headers with its own.
///
/// # Errors
/// No known case: the event is built from strings and numbers only.
pub(crate) fn encode(
    parts: &Parts,
    body: &[u8],
    invocation: &Invocation<'_>,
) -> Result<Vec<u8>, serde_json::Error> {
    let domain = format!("{}.lambda-url.local.on.aws", invocation.function);
    let query = parts.uri.query().unwrap_or_default();
    let text = text_of(&parts.headers, body);
    let is_base64_encoded = text.is_none() && !body.is_empty();
    let event = Event {
        version: "2.0",
        route_key: "$default",
        raw_path: parts.uri.path(),
        raw_query_string: query,
        cookies: cookies(&parts.headers),
        headers: headers(&parts.headers, body.len(), invocation, &domain),
        query_string_parameters: query_parameters(query),
        request_context: context(parts, invocation, &domain),
        body: match text {
            Some(text) => (!text.is_empty()).then_some(Cow::Borrowed(text)),
            None => is_base64_encoded.then(|| Cow::Owned(BASE64_STANDARD.encode(body))),
        },
        is_base64_encoded,
    };
    let mut json = Vec::with_capacity(2048 + body.len() * 3 / 2);
    serde_json::to_writer(&mut json, &event)?;
    Ok(json)
}

fn context<'a>(
    parts: &'a Parts,
    invocation: &Invocation<'a>,
    domain: &'a str,
) -> RequestContext<'a> {
    RequestContext {
        account_id: "anonymous",
        api_id: invocation.function,
        domain_name: domain,
        domain_prefix: invocation.function,
        http: Http {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            protocol: Cow::Owned(format!("{:?}", parts.version)),
            source_ip: invocation.peer,
            user_agent: parts
                .headers
                .get("user-agent")
                .map(|v| lossy(v.as_bytes()))
                .unwrap_or_default(),
        },
        request_id: invocation.id,
        route_key: "$default",
        stage: "$default",
        time: invocation
            .received_at
            .strftime("%d/%b/%Y:%H:%M:%S +0000")
            .to_string(),
        time_epoch: invocation.received_at.as_millisecond(),
    }
}

/// The body, if Lambda would pass it as text: it is UTF-8 and has one of a few content types.
fn text_of<'a>(headers: &HeaderMap, body: &'a [u8]) -> Option<&'a str> {
    let declared = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = declared
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let textual = essence.starts_with("text/")
        || [
            "application/json",
            "application/javascript",
            "application/xml",
        ]
        .contains(&essence.as_str());
    textual.then(|| std::str::from_utf8(body).ok()).flatten()
}

fn cookies(headers: &HeaderMap) -> Vec<Cow<'_, str>> {
    let pairs = headers
        .get_all(COOKIE)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b';'));
    pairs
        .map(|pair| lossy(pair.trim_ascii()))
        .filter(|pair| !pair.is_empty())
        .collect()
}

fn headers<'a>(
    received: &'a HeaderMap,
    body_length: usize,
    invocation: &Invocation<'_>,
    domain: &'a str,
) -> Headers<'a> {
    let mut headers = Headers::new();
    for name in received
        .keys()
        .filter(|name| !is_replaced(name) && !is_hop_by_hop(name, received))
    {
        let mut values = received
            .get_all(name)
            .iter()
            .map(|value| lossy(value.as_bytes()));
        let Some(mut joined) = values.next() else {
            continue;
        };
        for value in values {
            joined = Cow::Owned(format!("{joined},{value}"));
        }
        headers.insert(name.as_str(), joined);
    }
    if body_length > 0 || received.contains_key(CONTENT_LENGTH) {
        headers.insert("content-length", Cow::Owned(body_length.to_string()));
    }
    headers.insert("host", Cow::Borrowed(domain));
    headers.insert("x-forwarded-for", Cow::Owned(invocation.viewer.to_string()));
    headers.insert("x-forwarded-proto", Cow::Borrowed("http"));
    headers.insert("x-forwarded-port", Cow::Owned(invocation.port.to_string()));
    headers
}

fn is_replaced(name: &HeaderName) -> bool {
    [HOST, COOKIE, CONTENT_LENGTH].contains(name) || name.as_str().starts_with("x-forwarded-")
}

/// Whether a header concerns only this connection
/// ([RFC 9110, section 7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)).
fn is_hop_by_hop(name: &HeaderName, received: &HeaderMap) -> bool {
    const ALWAYS: [&str; 10] = [
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let is_listed = |value: &str| {
        value
            .split(',')
            .any(|option| option.trim().eq_ignore_ascii_case(name.as_str()))
    };
    ALWAYS.contains(&name.as_str())
        || received
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(is_listed)
}

/// The decoded parameters. A comma joins duplicates.
fn query_parameters(query: &str) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    let mut parameters = BTreeMap::<Cow<'_, str>, Cow<'_, str>>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name)
            .and_modify(|joined| {
                let joined = joined.to_mut();
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert(value);
    }
    parameters
}

/// The text with replacement characters for invalid UTF-8, which JSON cannot contain.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
