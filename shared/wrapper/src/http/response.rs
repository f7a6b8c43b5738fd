//! Responses, with the headers that all of them have.

use action::Download;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, LINK, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use serde_json::Value;

/// A response.
pub(crate) type Response = http::Response<Body>;

/// The content security policy of our pages: nothing inline, and nothing from other origins.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The headers of every response. HSTS is added later, only over https (RFC 6797, section 7.2).
const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
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
    // Each status is a constant of ours, so it is valid.
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

/// A JSON response.
pub(crate) fn json(status: u16, body: &Value) -> Response {
    new(status, "application/json", Body::Text(body.to_string()))
}

/// An HTML page.
pub(crate) fn html(status: u16, body: String) -> Response {
    new(status, "text/html; charset=utf-8", Body::Text(body))
}

/// A file to download. A CSV file starts with a byte order mark: without it, Excel reads UTF-8 as
/// Windows-1252.
pub(crate) fn download(mut file: Download) -> Response {
    if file.content_type == Download::CSV {
        file.text.insert(0, '\u{feff}');
    }
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

/// A redirect to one of our paths, which the browser requests with GET (303, RFC 9110, section
/// 15.4.4).
pub(crate) fn see_other(path: &str) -> Response {
    new(303, "text/plain; charset=utf-8", Body::Empty).with(LOCATION, path.to_owned())
}

/// A file that never changes, because its path contains a hash of its content.
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

/// Adds headers to a response.
pub(crate) trait ResponseExt: Sized {
    /// Adds a header. A value that a header cannot contain is left out.
    fn with(self, name: HeaderName, value: String) -> Self;

    /// Adds a cookie, if there is one.
    fn with_cookie(self, cookie: Option<String>) -> Self;

    /// Adds the headers of a failure: `Retry-After`, in seconds, and `Allow`.
    fn with_hints(self, retry_after: Option<i64>, allow: Option<&'static str>) -> Self;

    /// Adds the headers that every response has, and removes the body if the method is `HEAD`.
    fn finish(self, request_id: &str, https: bool, head: bool) -> Self;
}

impl ResponseExt for Response {
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
                HeaderValue::from_static("max-age=63072000"),
            );
        }
        if head {
            *response.body_mut() = Body::Empty;
        }
        response
    }
}

/// The response in the
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
