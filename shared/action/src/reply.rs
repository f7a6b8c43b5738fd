//! Answers: status, headers and body, as Lambda takes them.

use crate::Download;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What may run or load on our pages: nothing inline, nothing foreign.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On every answer. HSTS follows over https alone (RFC 6797, section 7.2).
const SECURITY_HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=()",
    ),
    ("referrer-policy", "origin-when-cross-origin"),
    ("vary", "Accept, Cookie"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// An answer in the
/// [format of function URLs](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The HTTP status.
    pub status_code: u16,
    /// Header names in lower case, and values.
    pub headers: BTreeMap<&'static str, String>,
    /// Values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The body, in base64 where it is not text.
    pub body: String,
    /// Whether the body is in base64.
    pub is_base64_encoded: bool,
}

impl Reply {
    fn new(status: u16, content_type: &str, body: String) -> Self {
        let mut headers: BTreeMap<_, _> = SECURITY_HEADERS
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        headers.insert("cache-control", "private, no-store".to_owned());
        headers.insert("content-type", content_type.to_owned());
        Self {
            status_code: status,
            headers,
            cookies: Vec::new(),
            body,
            is_base64_encoded: false,
        }
    }

    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A page.
    #[must_use]
    pub fn html(status: u16, body: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    /// A file to keep.
    #[must_use]
    pub fn download(file: Download) -> Self {
        let disposition = format!("attachment; filename=\"{}\"", file.name);
        let reply = Self::new(200, file.content_type, file.text)
            .header("content-disposition", disposition)
            .header("x-record-count", file.records.to_string());
        match file.next {
            Some(path) => reply.header("link", format!("<{path}>; rel=\"next\"")),
            None => reply,
        }
    }

    /// A redirect to a path of ours, to be got with GET (303, RFC 9110, section 15.4.4).
    #[must_use]
    pub fn see_other(path: &str) -> Self {
        let mut reply = Self::new(303, "text/plain; charset=utf-8", String::new());
        reply.headers.insert("location", path.to_owned());
        reply
    }

    /// A file whose path names its content, so that it never changes.
    #[must_use]
    pub fn immutable(content_type: &str, bytes: &[u8]) -> Self {
        let (body, is_base64) = match std::str::from_utf8(bytes) {
            Ok(text) => (Cow::Borrowed(text), false),
            Err(_) => (Cow::Owned(STANDARD.encode(bytes)), true),
        };
        let mut reply = Self::new(200, content_type, body.into_owned());
        reply.is_base64_encoded = is_base64;
        reply.headers.insert(
            "cache-control",
            "public, max-age=31536000, immutable".to_owned(),
        );
        reply.headers.remove("vary");
        reply
    }

    /// The answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// The answer with one more cookie.
    #[must_use]
    pub fn cookie(mut self, cookie: Option<String>) -> Self {
        self.cookies.extend(cookie);
        self
    }

    /// The answer with what every answer carries.
    pub(crate) fn finish(mut self, request_id: &str, https: bool, head: bool) -> Self {
        self.headers.insert("x-request-id", request_id.to_owned());
        if https {
            self.headers.insert(
                "strict-transport-security",
                "max-age=63072000; includeSubDomains".to_owned(),
            );
        }
        if head {
            self.body.clear();
            self.is_base64_encoded = false;
        }
        self
    }
}
