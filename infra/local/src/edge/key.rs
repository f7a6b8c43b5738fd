//! The cache key, and the query string and headers that are forwarded to the origin.
//!
//! Everything in the key is forwarded, so two requests with one key look the same to the origin,
//! except for what the origin request policy adds.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html>

use super::policy::{CachePolicy, Selection, Selections};
use hyper::header::{ACCEPT_ENCODING, COOKIE, HeaderMap, HeaderValue};

/// A cache key. Two requests with the same key may get the same response.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    bytes: Box<[u8]>,
    /// The length of the path and query string, which come first.
    path_len: usize,
}

impl Key {
    /// The key of a request to the behaviour at position `behavior`.
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
        let path_len = bytes.len();
        // A line feed separates the parts: neither a path nor a header can contain one.
        bytes.extend_from_slice(format!("\n{behavior}").as_bytes());
        if let Selection::Only(names) = &policy.key.headers {
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
            path_len,
        }
    }

    /// The path and the query string, as an invalidation names them.
    pub(crate) fn path(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.path_len]).unwrap_or_default()
    }

    /// The size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// The query string and the headers that are forwarded: those in the key, and those that `more`
/// selects.
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
    // Drops the leading question mark.
    let query = String::from_utf8(text.split_off(text.len().min(1))).unwrap_or_default();
    let mut selected = HeaderMap::with_capacity(16);
    for (name, value) in headers {
        let named = keyed.headers.includes(name.as_str()) || more.headers.includes(name.as_str());
        if named && name != COOKIE {
            selected.append(name, value.clone());
        }
    }
    let pairs = cookies(headers, &keyed.cookies).chain(
        cookies(headers, &more.cookies).filter(|pair| !keyed.cookies.includes(name_of(pair))),
    );
    let cookie = pairs.collect::<Vec<_>>().join(&b"; "[..]);
    if !cookie.is_empty()
        && let Ok(cookie) = HeaderValue::from_bytes(&cookie)
    {
        selected.insert(COOKIE, cookie);
    }
    if policy.gzip || policy.brotli {
        match encodings(policy, headers) {
            Some(encodings) => {
                selected.insert(ACCEPT_ENCODING, HeaderValue::from_static(encodings));
            }
            None => {
                selected.remove(ACCEPT_ENCODING);
            }
        }
    }
    (query, selected)
}

/// Appends `?` and the pairs whose names are included, undecoded and in their order.
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

/// The selected cookies, each as received.
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

/// The encodings that the viewer accepts, out of those that the policy distinguishes; `None` if it
/// accepts none of them.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html>
fn encodings(policy: &CachePolicy, headers: &HeaderMap) -> Option<&'static str> {
    if !policy.gzip && !policy.brotli {
        return None;
    }
    let accepts = |coding: &str| {
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
    match (
        policy.brotli && accepts("br"),
        policy.gzip && accepts("gzip"),
    ) {
        (true, true) => Some("br,gzip"),
        (true, false) => Some("br"),
        (false, true) => Some("gzip"),
        (false, false) => None,
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
