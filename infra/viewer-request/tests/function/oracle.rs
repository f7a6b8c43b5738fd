//! Which key a request should get, said once more in Rust.

use crate::support::{KEY, PREVIOUS, keys};
use action::{TenantId, is_uuid};
use auth::Token;

/// A request as far as it matters.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) accept: Option<String>,
    pub(crate) content_type: Option<String>,
    /// The values of the cookies `session`.
    pub(crate) sessions: Vec<String>,
    /// The values of the cookies `fresh`.
    pub(crate) fresh: Vec<String>,
}

/// The shared key, where there is to be one.
pub(crate) fn key(asked: &Asked, now: i64) -> Option<String> {
    if !matches!(asked.method.as_str(), "GET" | "HEAD") {
        return None;
    }
    let tenant = tenant(&asked.path)?;
    let [session] = asked.sessions.as_slice() else {
        return None;
    };
    let keys = keys(KEY, Some(PREVIOUS));
    let token = Token::verify(session, &keys)?;
    let claims = |text: &str| text.rsplit_once('.').map(|(claims, _)| claims.to_owned());
    // The Rust side reads claims in forms that it never writes.
    let is_ours = claims(&token.sign(&keys)) == claims(session) && {
        let secret = session.split('.').nth(1)?;
        secret.len() == 43 && secret.bytes().all(is_base64url)
    };
    if !is_ours || token.actor.tenant != tenant || token.expires <= now {
        return None;
    }
    let fresh = match asked.fresh.as_slice() {
        [] => "",
        [fresh] if fresh.len() == 22 && fresh.bytes().all(is_base64url) => fresh,
        [_] => "",
        _ => return None,
    };
    let kind = match asked.content_type.as_deref() {
        None => kind(asked.accept.as_deref())?,
        Some("application/json") => "json",
        Some(_) => return None,
    };
    Some(format!(
        "{tenant}|{}|{kind}|{fresh}",
        token.actor.role.as_str()
    ))
}

/// The tenant of a path whose answer may be cached.
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

/// The kind of the answer; `None` where the header asks for JSON in an odd way.
pub(crate) fn kind(accept: Option<&str>) -> Option<&'static str> {
    let is_odd = accept.is_some_and(|accept| {
        let mentions = accept.to_lowercase().contains("application/json");
        let plain = |b: u8| b == b'\t' || (b' '..=b'~').contains(&b);
        mentions
            && (accept.len() > 512
                || !accept.bytes().all(plain)
                || !accept.split(',').all(is_clear))
    });
    if is_odd {
        return None;
    }
    Some(if wants_json(accept) { "json" } else { "html" })
}

/// Whether a range that matters has a weight as RFC 9110, section 12.4.2, has it.
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

// A copy of `shared/wrapper/src/http/negotiate.rs`, which is private there: what the function is to
// agree with.
pub(crate) fn wants_json(accept: Option<&str>) -> bool {
    let quality = |wanted: &str| {
        accept
            .into_iter()
            .flat_map(|accept| accept.split(','))
            .filter_map(|range| weigh(range, wanted))
            .fold(0.0, f32::max)
    };
    let json = quality("application/json");
    json > 0.0 && json >= quality("text/html")
}

fn weigh(range: &str, wanted: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(wanted) {
        return None;
    }
    let quality =
        parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some(quality.map_or(1.0, |text| text.parse().unwrap_or(0.0)))
}
