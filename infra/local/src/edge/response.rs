//! What the edge adds to an answer.
//!
//! The words are CloudFront's: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>
//! has them as result types, and `X-Cache` repeats them.

use super::cache::Answer;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AGE, CONTENT_LENGTH, HeaderName, HeaderValue, VIA};
use hyper::{Method, Response, StatusCode};

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_AMZ_CF_ID: HeaderName = HeaderName::from_static("x-amz-cf-id");

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The cache; so many seconds old.
    Hit(u64),
    /// The cache, expired, since the origin failed; so many seconds old.
    RefreshHit(u64),
    /// The origin.
    Miss,
    /// The CloudFront function.
    Function,
}

impl Source {
    fn label(self, status: StatusCode) -> &'static str {
        match self {
            Self::Function => "FunctionGeneratedResponse from cloudfront",
            _ if status.is_client_error() || status.is_server_error() => "Error from cloudfront",
            Self::Hit(_) => "Hit from cloudfront",
            Self::RefreshHit(_) => "RefreshHit from cloudfront",
            Self::Miss => "Miss from cloudfront",
        }
    }
}

/// Who answers whom.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    /// The request's id.
    pub(crate) id: &'a str,
    /// The edge's own `Via`.
    pub(crate) via: &'a HeaderValue,
    /// The request's method.
    pub(crate) method: &'a Method,
}

impl Envelope<'_> {
    /// The response to a viewer. The answer to HEAD has no body.
    pub(crate) fn seal(&self, answer: Answer, source: Source) -> Response<Full<Bytes>> {
        let Answer {
            status,
            mut headers,
            mut body,
        } = answer;
        if *self.method == Method::HEAD && !body.is_empty() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            body = Bytes::new();
        }
        headers.insert(X_CACHE, HeaderValue::from_static(source.label(status)));
        headers.insert(VIA, self.via.clone());
        if let Ok(id) = HeaderValue::from_str(self.id) {
            headers.insert(X_AMZ_CF_ID, id);
        }
        if let Source::Hit(age) | Source::RefreshHit(age) = source {
            headers.insert(AGE, HeaderValue::from(age));
        }
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}
