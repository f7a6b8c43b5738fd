//! Answers that come from the front itself, not from a function.

use crate::edge::Answer;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use uuid::Uuid;

/// Why a request got no answer from a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Refusal {
    /// The request has no path that a function could answer.
    NoPath,
    /// The body did not arrive in time.
    Slow,
    /// The body broke off.
    Broken,
    /// The body is larger than Lambda takes, or the head than CloudFront does.
    TooLarge,
    /// The path and the query string are longer than CloudFront takes.
    LongUrl,
    /// The function panicked, or its answer is none; or the CloudFront function set a header that
    /// it must not.
    Failed,
    /// The CloudFront function failed.
    Unavailable,
}

/// What every response has; nothing here is a page or may be kept.
const HEADERS: [(&str, &str); 7] = [
    ("cache-control", "private, no-store"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'",
    ),
    ("content-type", "application/json"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=()",
    ),
    ("referrer-policy", "origin-when-cross-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

impl Refusal {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NoPath => (
                StatusCode::BAD_REQUEST,
                "BAD_REQUEST",
                "The request has no path",
            ),
            Self::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                "BAD_REQUEST",
                "The request took too long to arrive",
            ),
            Self::Broken => (
                StatusCode::BAD_REQUEST,
                "BAD_REQUEST",
                "The request is incomplete",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "BAD_REQUEST",
                "The request is too large",
            ),
            Self::LongUrl => (
                StatusCode::URI_TOO_LONG,
                "BAD_REQUEST",
                "The address is too long",
            ),
            Self::Failed => (
                StatusCode::BAD_GATEWAY,
                "UNKNOWN",
                "Something went wrong. Please try again.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "UNKNOWN",
                "Something went wrong. Please try again.",
            ),
        }
    }

    /// The answer in the form that every error has. After a request that was not read to its
    /// end, the connection closes.
    pub(crate) fn answer(self, id: Uuid) -> Answer {
        let (status, code, message) = self.parts();
        let body = json!({"ok": false, "code": code, "error": message, "fieldErrors": {}, "requestId": id});
        let mut headers: HeaderMap = HEADERS
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .into_iter()
            .collect();
        if let Ok(id) = HeaderValue::try_from(id.to_string()) {
            headers.insert("x-request-id", id);
        }
        if !matches!(self, Self::Failed | Self::Unavailable) {
            headers.insert("connection", HeaderValue::from_static("close"));
        }
        Answer {
            status,
            headers,
            body: Bytes::from(body.to_string()),
        }
    }
}
