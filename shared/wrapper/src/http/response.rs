//! Answers, with the headers that all of them carry.

use action::Download;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, LINK, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use serde_json::Value;

/// An answer.
pub(crate) type Response = http::Response<Body>;

/// What may run or load on our pages: nothing inline, nothing foreign.
const CONTENT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On every answer. HSTS follows over https alone (RFC 6797, section 7.2).
const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, CONTENT),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=()",
    ),
    (REFERRER_POLICY, "origin-when-cross-origin"),
    (VARY, "Accept, Cookie"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

const NOT_CACHED: HeaderValue = HeaderValue::from_static("private, no-store");

fn new(status: u16, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    // Every status here is one of ours.
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.reserve(16);
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CACHE_CONTROL, NOT_CACHED);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: &Value) -> Response {
    new(status, "application/json", Body::Text(body.to_string()))
}

/// A page.
pub(crate) fn html(status: u16, body: String) -> Response {
    new(status, "text/html; charset=utf-8", Body::Text(body))
}

/// A file to keep.
pub(crate) fn download(file: Download) -> Response {
    let response = new(200, file.content_type, Body::Text(file.text))
        .with(
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", file.name),
        )
        .with(
            HeaderName::from_static("x-record-count"),
            file.records.to_string(),
        );
    match file.next {
        Some(path) => response.with(LINK, format!("<{path}>; rel=\"next\"")),
        None => response,
    }
}

/// A redirect to a path of ours, to be got with GET (303, RFC 9110, section 15.4.4).
pub(crate) fn see_other(path: &str) -> Response {
    new(303, "text/plain; charset=utf-8", Body::Empty).with(LOCATION, path.to_owned())
}

/// A file whose path names its content, so that it never changes.
pub(crate) fn immutable(content_type: &'static str, bytes: &[u8]) -> Response {
    let body = match std::str::from_utf8(bytes) {
        Ok(text) => Body::Text(text.to_owned()),
        Err(_) => Body::Binary(bytes.to_vec()),
    };
    let mut response = new(200, content_type, body);
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    headers.remove(VARY);
    response
}

/// What an answer may be given besides.
pub(crate) trait With: Sized {
    /// The answer with one more header. A value that cannot stand in a header is left out.
    fn with(self, name: HeaderName, value: String) -> Self;

    /// The answer with one more cookie.
    fn with_cookie(self, cookie: Option<String>) -> Self;

    /// The answer with the headers that a failure asks for: `Retry-After`, in seconds, and
    /// `Allow`.
    fn with_hints(self, retry_after: Option<i64>, allow: Option<&'static str>) -> Self;

    /// The answer with what every answer carries; without its body for `HEAD`.
    fn finish(self, request_id: &str, https: bool, head: bool) -> Self;
}

impl With for Response {
    fn with(mut self, name: HeaderName, value: String) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers_mut().insert(name, value);
        }
        self
    }

    fn with_cookie(mut self, cookie: Option<String>) -> Self {
        if let Some(Ok(value)) = cookie.map(HeaderValue::try_from) {
            self.headers_mut().append(SET_COOKIE, value);
        }
        self
    }

    fn with_hints(self, retry_after: Option<i64>, allow: Option<&'static str>) -> Self {
        let response = match retry_after {
            Some(seconds) => self.with(RETRY_AFTER, seconds.to_string()),
            None => self,
        };
        match allow {
            Some(methods) => response.with(ALLOW, methods.to_owned()),
            None => response,
        }
    }

    fn finish(self, request_id: &str, https: bool, head: bool) -> Self {
        let mut response = self.with(
            HeaderName::from_static("x-request-id"),
            request_id.to_owned(),
        );
        if https {
            response.headers_mut().insert(
                STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=63072000; includeSubDomains"),
            );
        }
        if head {
            *response.body_mut() = Body::Empty;
        }
        response
    }
}

/// The answer in the
/// [format of function URLs](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload).
pub(crate) fn to_event(response: Response) -> ApiGatewayV2httpResponse {
    let (parts, body) = response.into_parts();
    let mut headers = parts.headers;
    let cookies = headers.get_all(SET_COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok().map(str::to_owned));
    let mut event = ApiGatewayV2httpResponse::default();
    event.cookies = cookies.collect();
    headers.remove(SET_COOKIE);
    event.status_code = i64::from(parts.status.as_u16());
    event.headers = headers;
    event.multi_value_headers = HeaderMap::new();
    event.is_base64_encoded = matches!(body, Body::Binary(_));
    event.body = Some(match body {
        Body::Empty => Body::Text(String::new()),
        body => body,
    });
    event
}
