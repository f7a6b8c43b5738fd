//! The cache key, and with it what the origin is asked.
//!
//! Everything in the key is forwarded, so what the origin sees of it is what the key says.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html>

use super::policy::{CachePolicy, Selection, Selections};
use hyper::header::{ACCEPT_ENCODING, COOKIE, HeaderMap, HeaderValue};

/// A key. Two requests with the same one may get the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    bytes: Box<[u8]>,
    /// How much of it is the path and the query string.
    path: usize,
}

impl Key {
    /// The key of a request to the behaviour numbered `behavior`.
    pub(crate) fn of(
        behavior: usize,
        policy: &CachePolicy,
        path: &str,
        query: &str,
        headers: &HeaderMap,
    ) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(path.as_bytes());
        append_query(&mut bytes, query, |name| policy.key.queries.includes(name));
        let path = bytes.len();
        // No part can hold a line feed: not a path, not a header.
        bytes.extend_from_slice(format!("\n{behavior}").as_bytes());
        if let Selection::These(names) = &policy.key.headers {
            for (number, name) in names.iter().enumerate() {
                for value in headers.get_all(name) {
                    bytes.extend_from_slice(format!("\nh{number} ").as_bytes());
                    bytes.extend_from_slice(value.as_bytes());
                }
            }
        }
        if let Some(encodings) = encodings(policy, headers) {
            bytes.extend_from_slice(b"\ne ");
            bytes.extend_from_slice(encodings.as_bytes());
        }
        for cookie in cookies(headers, &policy.key.cookies) {
            bytes.extend_from_slice(b"\nc ");
            bytes.extend_from_slice(cookie);
        }
        Self {
            bytes: bytes.into_boxed_slice(),
            path,
        }
    }

    /// The path and the query string, as an invalidation names them.
    pub(crate) fn path(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.path]).unwrap_or_default()
    }

    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// What the origin is asked: the query string and the headers.
pub(crate) fn forwarded(
    policy: &CachePolicy,
    more: &Selections,
    query: &str,
    headers: &HeaderMap,
) -> (String, HeaderMap) {
    let keyed = &policy.key;
    let mut text = Vec::new();
    append_query(&mut text, query, |name| {
        keyed.queries.includes(name) || more.queries.includes(name)
    });
    // Without the question mark that it begins with, if it is not empty.
    let query = String::from_utf8(text.split_off(text.len().min(1))).unwrap_or_default();
    let mut kept = HeaderMap::with_capacity(16);
    for (name, value) in headers {
        let named = keyed.headers.includes(name.as_str()) || more.headers.includes(name.as_str());
        if named && name != COOKIE {
            kept.append(name, value.clone());
        }
    }
    let pairs = cookies(headers, &keyed.cookies).chain(
        cookies(headers, &more.cookies).filter(|pair| !keyed.cookies.includes(name_of(pair))),
    );
    let cookie = pairs.collect::<Vec<_>>().join(&b"; "[..]);
    if !cookie.is_empty()
        && let Ok(cookie) = HeaderValue::from_bytes(&cookie)
    {
        kept.insert(COOKIE, cookie);
    }
    if policy.gzip || policy.brotli {
        match encodings(policy, headers) {
            Some(encodings) => {
                kept.insert(ACCEPT_ENCODING, HeaderValue::from_static(encodings));
            }
            None => {
                kept.remove(ACCEPT_ENCODING);
            }
        }
    }
    (query, kept)
}

/// Appends `?` and the pairs whose names are included, raw and in their order.
fn append_query(bytes: &mut Vec<u8>, query: &str, included: impl Fn(&str) -> bool) {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut separator = b'?';
    for pair in pairs {
        if included(pair.split('=').next().unwrap_or_default()) {
            bytes.push(separator);
            bytes.extend_from_slice(pair.as_bytes());
            separator = b'&';
        }
    }
}

/// The cookies that are selected, as they stand.
fn cookies<'a>(
    headers: &'a HeaderMap,
    selection: &'a Selection,
) -> impl Iterator<Item = &'a [u8]> + 'a {
    let lines = match selection.is_none() {
        true => None,
        false => Some(headers.get_all(COOKIE).into_iter()),
    };
    lines
        .into_iter()
        .flatten()
        .flat_map(|line| line.as_bytes().split(|b| *b == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(move |pair| !pair.is_empty() && selection.includes(name_of(pair)))
}

fn name_of(pair: &[u8]) -> &str {
    let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
    std::str::from_utf8(name.trim_ascii()).unwrap_or_default()
}

/// What the viewer takes of what the policy tells apart; `None` where it sends no such header.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html>
fn encodings(policy: &CachePolicy, headers: &HeaderMap) -> Option<&'static str> {
    if !policy.gzip && !policy.brotli {
        return None;
    }
    let taken = |coding: &str| {
        let lines = headers.get_all(ACCEPT_ENCODING).into_iter();
        lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .any(|each| {
                let mut parts = each.split(';').map(str::trim);
                let named = parts.next().is_some_and(|c| c.eq_ignore_ascii_case(coding));
                named
                    && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
    };
    match (policy.brotli && taken("br"), policy.gzip && taken("gzip")) {
        (true, true) => Some("br,gzip"),
        (true, false) => Some("br"),
        (false, true) => Some("gzip"),
        (false, false) => None,
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
