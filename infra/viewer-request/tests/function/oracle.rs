//! The rules for the cache key, implemented a second time in Rust.

use crate::support::{KEY, PREVIOUS, keys};
use action::{TenantId, is_uuid};
use auth::Token;

/// The parts of a request that matter to the key.
#[derive(Debug, Clone)]
pub(crate) struct KeyInput {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) accept: Option<String>,
    pub(crate) content_type: Option<String>,
    /// The values of the cookies `session`.
    pub(crate) sessions: Vec<String>,
    /// The values of the cookies `fresh`.
    pub(crate) fresh: Vec<String>,
}

/// The shared key that the function should make; `None` if the request must not share.
pub(crate) fn key(input: &KeyInput, now: i64) -> Option<String> {
    if !matches!(input.method.as_str(), "GET" | "HEAD") {
        return None;
    }
    let tenant = tenant(&input.path)?;
    let [session] = input.sessions.as_slice() else {
        return None;
    };
    let keys = keys(KEY, Some(PREVIOUS));
    let token = Token::verify(session, &keys)?;
    let claims = |text: &str| text.rsplit_once('.').map(|(claims, _)| claims.to_owned());
    // `Token::verify` accepts forms of claims that `Token::sign` never produces.
    let is_canonical = claims(&token.sign(&keys)) == claims(session) && {
        let secret = session.split('.').nth(1)?;
        secret.len() == 43 && secret.bytes().all(is_base64url)
    };
    if !is_canonical || token.actor.tenant != tenant || token.expires <= now {
        return None;
    }
    let fresh = match input.fresh.as_slice() {
        [] => "",
        [fresh] if fresh.len() == 22 && fresh.bytes().all(is_base64url) => fresh,
        [_] => "",
        _ => return None,
    };
    let kind = match input.content_type.as_deref() {
        None => kind(input.accept.as_deref())?,
        Some("application/json") => "json",
        Some(_) => return None,
    };
    Some(format!(
        "{tenant}|{}|{kind}|{fresh}",
        token.actor.role.as_str()
    ))
}

/// The tenant of a path whose response may be cached.
fn tenant(path: &str) -> Option<TenantId> {
    let (tenant, resource) = match path.split('/').collect::<Vec<_>>()[..] {
        ["", "t", tenant, resource] => (tenant, resource),
        ["", "t", tenant, resource, id] if is_uuid(id) => (tenant, resource),
        _ => return None,
    };
    let cached = !resource.is_empty()
        && resource.bytes().all(|b| b.is_ascii_lowercase())
        && !["settings", "audit"].contains(&resource);
    cached.then(|| TenantId::parse(tenant).ok()).flatten()
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The kind of the response; `None` if the header requests JSON in an unusual way.
pub(crate) fn kind(accept: Option<&str>) -> Option<&'static str> {
    let is_unusual = accept.is_some_and(|accept| {
        let mentions = accept.to_lowercase().contains("application/json");
        let plain = |b: u8| b == b'\t' || (b' '..=b'~').contains(&b);
        mentions
            && (accept.len() > 512
                || !accept.bytes().all(plain)
                || !accept.split(',').all(is_clear))
    });
    if is_unusual {
        return None;
    }
    Some(if wants_json(accept) { "json" } else { "html" })
}

/// Whether the range does not matter, or has a valid weight (RFC 9110, section 12.4.2).
fn is_clear(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let matters = ["application/json", "text/html"]
        .iter()
        .any(|name| kind.eq_ignore_ascii_case(name));
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    let is_weight = |text: &str| {
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        rest.len() <= 3
            && match whole {
                "0" => rest.bytes().all(|b| b.is_ascii_digit()),
                "1" => rest.bytes().all(|b| b == b'0'),
                _ => false,
            }
    };
    !matters || weight.is_none_or(is_weight)
}

// A copy of the private function in `shared/wrapper/src/http/negotiate.rs`, which the CloudFront
// function must agree with.
pub(crate) fn wants_json(accept: Option<&str>) -> bool {
    let quality = |wanted: &str| {
        accept
            .into_iter()
            .flat_map(|accept| accept.split(','))
            .filter_map(|range| quality_of(range, wanted))
            .fold(0.0, f32::max)
    };
    let json = quality("application/json");
    json > 0.0 && json >= quality("text/html")
}

fn quality_of(range: &str, wanted: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(wanted) {
        return None;
    }
    let quality =
        parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some(quality.map_or(1.0, |text| text.parse().unwrap_or(0.0)))
}
