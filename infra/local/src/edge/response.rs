//! What the edge adds to a response.
//!
//! The values of `X-Cache` are CloudFront's, as its logs have them as result types:
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>

use super::cache::BufferedResponse;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AGE, CONTENT_LENGTH, HeaderName, HeaderValue, VIA};
use hyper::{Method, Response, StatusCode};

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_AMZ_CF_ID: HeaderName = HeaderName::from_static("x-amz-cf-id");

/// Where a response comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The cache, with the entry's age in seconds.
    Hit(u64),
    /// An expired cache entry, because the origin failed; with its age in seconds.
    RefreshHit(u64),
    /// The origin.
    Miss,
    /// The CloudFront function.
    Function,
}

impl Source {
    fn x_cache(self, status: StatusCode) -> &'static str {
        match self {
            Self::Function => "FunctionGeneratedResponse from cloudfront",
            _ if status.is_client_error() || status.is_server_error() => "Error from cloudfront",
            Self::Hit(_) => "Hit from cloudfront",
            Self::RefreshHit(_) => "RefreshHit from cloudfront",
            Self::Miss => "Miss from cloudfront",
        }
    }
}

/// Builds the responses to the viewer of one request.
#[derive(Debug)]
pub(crate) struct ViewerResponse<'a> {
    /// The request's id.
    pub(crate) request_id: &'a str,
    /// The edge's own `Via`.
    pub(crate) via: &'a HeaderValue,
    /// The request's method.
    pub(crate) method: &'a Method,
}

impl ViewerResponse<'_> {
    /// The response with the edge's headers. The response to a HEAD loses its body.
    pub(crate) fn build(
        &self,
        mut response: BufferedResponse,
        source: Source,
    ) -> Response<Full<Bytes>> {
        let headers = &mut response.headers;
        if *self.method == Method::HEAD && !response.body.is_empty() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(response.body.len()));
            response.body = Bytes::new();
        }
        let x_cache = source.x_cache(response.status);
        headers.insert(X_CACHE, HeaderValue::from_static(x_cache));
        headers.insert(VIA, self.via.clone());
        if let Ok(id) = HeaderValue::from_str(self.request_id) {
            headers.insert(X_AMZ_CF_ID, id);
        }
        if let Source::Hit(age) | Source::RefreshHit(age) = source {
            headers.insert(AGE, HeaderValue::from(age));
        }
        response.into()
    }
}
