//! Makes an HTTP request from an event of a function URL, and reads what the wrapper needs from it.
//!
//! lambda_http makes the request. Its conversion panics on three kinds of events, which no function
//! URL sends but someone who invokes the function can: a body that is not valid base64 although it
//! claims to be, and a path or a query that is not valid in a URI. So these are checked first.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>

use crate::Failure;
use crate::http::content_type::{Kind, kind};
use crate::http::negotiate;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest as Event;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Body, Request, RequestExt};
use serde_json::Value;

/// The longest path and query, in bytes. CloudFront takes
/// [8,192](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-general).
const MAX_URL: usize = 16_384;

/// The id of the request: Lambda's, or a new one.
#[derive(Debug, Clone)]
struct RequestId(String);

/// Why the body cannot be read. The request fails with it only when the body is needed, because
/// earlier checks come first.
#[derive(Debug, Clone)]
struct UnreadableBody(Failure);

/// Why an event cannot become a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EventError {
    /// The event is not a request, so the invocation fails.
    #[error("This is not an event of a function URL")]
    NotARequest,
    /// The method, a header or another part is not valid in HTTP: a 400.
    #[error("The request cannot be read")]
    Malformed,
    /// The path or the query is not valid in a URI: a 400.
    #[error("The address is not a valid URL")]
    Url,
}

/// Makes a request from the event's JSON. The decoded body may have at most `limit` bytes.
///
/// # Errors
/// [`EventError`] if it is not an event of a function URL, or not a valid request.
pub(crate) fn from_event(payload: &[u8], limit: usize) -> Result<Request, EventError> {
    let mut event = parse(payload)?;
    let path = event.raw_path.replace("/".to_owned()).unwrap_or_default();
    let query = event.raw_query_string.take().unwrap_or_default();
    let url = format!("{path}?{query}");
    let is_short = url.len() <= MAX_URL && (path.is_empty() || path.starts_with('/'));
    let url = PathAndQuery::try_from(url).ok().filter(|_| is_short);
    let url = url.ok_or(EventError::Url)?;
    // The host name is Lambda's own. Nothing here needs it.
    event.headers.remove(HOST);
    event.request_context.domain_name = None;
    event.request_context.stage = None;
    let id = request_id(event.request_context.request_id.take());
    let cookies = event.cookies.take().unwrap_or_default();
    let body = decode(event.body.take(), event.is_base64_encoded, limit);
    // The path and the query are set here, because lambda_http panics on some of them.
    let mut request = Request::from(LambdaRequest::ApiGatewayV2(event)).with_raw_http_path(path);
    *request.uri_mut() = url.into();
    // lambda_http drops all cookies if one of them is not ASCII.
    let cookies = cookies
        .iter()
        .map(|cookie| HeaderValue::from_bytes(cookie.as_bytes()));
    for cookie in cookies.flatten() {
        request.headers_mut().append(COOKIE, cookie);
    }
    request.extensions_mut().insert(RequestId(id));
    match body {
        Ok(body) => *request.body_mut() = body,
        Err(failure) => {
            request.extensions_mut().insert(UnreadableBody(failure));
        }
    }
    Ok(request)
}

/// Parses the event. Its type accepts only ASCII in headers, but browsers send more, so other headers
/// are parsed separately.
fn parse(payload: &[u8]) -> Result<Event, EventError> {
    if let Ok(event) = serde_json::from_slice(payload) {
        return Ok(event);
    }
    let mut event: Value = serde_json::from_slice(payload).map_err(|_| EventError::NotARequest)?;
    let method = event.pointer("/requestContext/http/method");
    let wrong = match method {
        Some(Value::String(_)) => EventError::Malformed,
        _ => EventError::NotARequest,
    };
    let headers = event
        .as_object_mut()
        .and_then(|event| event.remove("headers"));
    let mut event: Event = serde_json::from_value(event).map_err(|_| wrong)?;
    let headers = match headers {
        None | Some(Value::Null) => HeaderMap::new(),
        Some(Value::Object(headers)) => {
            let headers = headers.iter().map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                Some((
                    name,
                    HeaderValue::from_bytes(value.as_str()?.as_bytes()).ok()?,
                ))
            });
            headers.collect::<Option<HeaderMap>>().ok_or(wrong)?
        }
        Some(_) => return Err(wrong),
    };
    event.headers = headers;
    Ok(event)
}

fn decode(text: Option<String>, is_base64: bool, limit: usize) -> Result<Body, Failure> {
    let Some(text) = text else {
        return Ok(Body::Empty);
    };
    // Base64 has four characters for three bytes, so this is the least that the text can decode to.
    let least = if is_base64 {
        (text.len() / 4 * 3).saturating_sub(2)
    } else {
        text.len()
    };
    if least > limit {
        return Err(Failure::too_large(limit));
    }
    if !is_base64 {
        return Ok(Body::Text(text));
    }
    let bytes = STANDARD.decode(text);
    let bytes = bytes.map_err(|_| Failure::unreadable("The body is not valid base64"))?;
    if bytes.len() > limit {
        return Err(Failure::too_large(limit));
    }
    Ok(Body::Binary(bytes))
}

/// Lambda's own id, so that its logs and ours have the same. A new one if a header cannot contain it.
pub(crate) fn request_id(id: Option<String>) -> String {
    let usable =
        |id: &String| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    id.filter(usable)
        .unwrap_or_else(|| uuid::Uuid::now_v7().to_string())
}

/// What the wrapper reads from a request.
pub(crate) trait RequestInfo {
    /// The id in the response and in the log.
    fn id(&self) -> &str;
    /// The path as it was sent.
    fn path(&self) -> &str;
    /// The query as it was sent; empty if there is none.
    fn query(&self) -> &str;
    /// The IP address that called the function URL, as Lambda reports it.
    fn source_ip(&self) -> &str;
    /// A header's value, if it is text.
    fn header(&self, name: &str) -> Option<&str>;
    /// The first cookie of that name.
    fn cookie(&self, name: &str) -> Option<&str>;
    /// Whether the response is JSON: if `Accept` prefers it, or if the body is JSON.
    fn wants_json(&self) -> bool;
    /// The body.
    ///
    /// # Errors
    /// 413 if it is too large, 400 if it cannot be decoded.
    fn bytes(&self) -> Result<&[u8], Failure>;
}

impl RequestInfo for Request {
    fn id(&self) -> &str {
        let id = self.extensions().get::<RequestId>();
        id.map_or("", |RequestId(id)| id.as_str())
    }

    fn path(&self) -> &str {
        self.raw_http_path()
    }

    fn query(&self) -> &str {
        self.uri().query().unwrap_or_default()
    }

    fn source_ip(&self) -> &str {
        match self.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                context.http.source_ip.as_deref().unwrap_or_default()
            }
            _ => "",
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers().get(name)?.as_bytes()).ok()
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        let headers = self.headers().get_all(COOKIE).iter();
        headers
            .filter_map(|header| std::str::from_utf8(header.as_bytes()).ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    fn wants_json(&self) -> bool {
        let is_json = |content_type| kind(content_type) == Some(Kind::Json);
        negotiate::wants_json(self.header(ACCEPT.as_str()))
            || self.header(CONTENT_TYPE.as_str()).is_some_and(is_json)
    }

    fn bytes(&self) -> Result<&[u8], Failure> {
        match self.extensions().get::<UnreadableBody>() {
            Some(UnreadableBody(failure)) => Err(failure.clone()),
            None => Ok(self.body()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(event: &Value) -> Result<Request, EventError> {
        from_event(event.to_string().as_bytes(), 3)
    }

    fn context() -> Value {
        json!({ "http": { "method": "GET" } })
    }

    #[test]
    fn optional_parts_of_an_event_may_be_missing_or_null() {
        let nulls = json!({
            "rawQueryString": null, "cookies": null, "body": null, "headers": null,
            "requestContext": context(),
        });
        for event in [json!({ "requestContext": context() }), nulls] {
            let request = request(&event).unwrap();
            assert_eq!((request.query(), request.cookie("session")), ("", None));
            assert_eq!(request.bytes(), Ok(&[][..]));
        }
    }

    #[test]
    fn headers_and_cookies_need_not_be_ascii() {
        let event = json!({
            "headers": { "Cookie": "a=1; ü=2", "user-agent": "Zoë" },
            "cookies": ["c=ß", "session=3"],
            "requestContext": context(),
        });
        let request = request(&event).unwrap();
        assert_eq!(request.header("user-agent"), Some("Zoë"));
        for (name, value) in [("a", "1"), ("ü", "2"), ("c", "ß"), ("session", "3")] {
            assert_eq!(request.cookie(name), Some(value));
        }
    }

    #[test]
    fn an_id_that_a_header_cannot_contain_is_replaced() {
        assert_eq!(request_id(Some("a-b".to_owned())), "a-b");
        assert!(!request_id(None).is_empty());
        for id in ["", "a b", "a\nb", "é"] {
            assert_ne!(request_id(Some(id.to_owned())), id);
        }
    }

    #[test]
    fn a_path_or_a_query_that_is_not_valid_in_a_uri_is_refused() {
        let ask = |path: &str, query: &str| {
            let event =
                json!({ "rawPath": path, "rawQueryString": query, "requestContext": context() });
            request(&event).map(|request| (request.path().to_owned(), request.query().to_owned()))
        };
        let own = |path: &str, query: &str| Ok((path.to_owned(), query.to_owned()));
        assert_eq!(
            ask("/a/%zz/..//b", "q=%C3%AB&x"),
            own("/a/%zz/..//b", "q=%C3%AB&x")
        );
        assert_eq!(ask("", ""), own("", ""));
        for (path, query) in [
            ("a", ""),
            (":99999999", ""),
            ("@evil.example/", ""),
            ("/a b", ""),
            ("/a\u{0}", ""),
            ("/", "a b"),
            ("/", "<x>"),
            ("/", "a\nb"),
        ] {
            assert_eq!(ask(path, query), Err(EventError::Url), "{path:?} {query:?}");
        }
        assert_eq!(ask("/", &"a".repeat(70_000)), Err(EventError::Url));
    }

    #[test]
    fn the_limit_is_for_the_decoded_body() {
        let body = |body: &str, is_base64: bool| {
            let event = json!({
                "body": body, "isBase64Encoded": is_base64, "requestContext": context(),
            });
            let request = request(&event).unwrap();
            let bytes = request.bytes().map(<[u8]>::to_vec);
            bytes.map_err(|failure| failure.status)
        };
        assert_eq!(body("YWJj", true), Ok(b"abc".to_vec()));
        assert_eq!(body("abc", false), Ok(b"abc".to_vec()));
        assert_eq!(body("YWJjZA==", true), Err(413));
        assert_eq!(body("abcd", false), Err(413));
        assert_eq!(body("%%%", true), Err(400));
        assert_eq!(body(&"!".repeat(99), true), Err(413));
    }
}
