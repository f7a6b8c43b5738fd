//! The responses that the edge makes itself because no function made one.

use crate::edge::BufferedResponse;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use uuid::Uuid;

/// Why a request got no response from a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Refusal {
    /// The request is for another host than this machine.
    OtherHost,
    /// The request has no path that can be routed.
    NoPath,
    /// The body did not arrive in time.
    Slow,
    /// The body ended early.
    Broken,
    /// The body is too large for Lambda, or the head for CloudFront.
    TooLarge,
    /// The path and query string are too long for CloudFront.
    LongUrl,
    /// The function panicked or returned no valid response, or the CloudFront function set a header
    /// that it must not set.
    Failed,
    /// The CloudFront function failed.
    Unavailable,
}

/// The headers of every such response. None of them is a page, and none may be cached.
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
    /// The status, the code and the message.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::OtherHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "BAD_REQUEST",
                "Only http://127.0.0.1 and http://localhost are served here",
            ),
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

    /// The response, in the JSON form of every error. If the request was not read completely, the
    /// connection closes afterwards.
    pub(crate) fn response(self, id: Uuid) -> BufferedResponse {
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
        BufferedResponse {
            status,
            headers,
            body: Bytes::from(body.to_string()),
        }
    }
}
