//! A function URL's event (payload format 2.0) as a request.
//!
//! The events crate's own conversion panics on a body that is not base64 and on a path that is no
//! URL, and a panic from input must not be; so only the fields that matter are read here, and
//! what is wrong with them is an answer.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>

use crate::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::HashMap;

/// The largest body of a request that Lambda takes, in bytes.
pub const MAX_EVENT_BODY: usize = 6 << 20;

/// The event, as far as it matters.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    #[serde(default)]
    raw_path: String,
    #[serde(default)]
    raw_query_string: Option<String>,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    request_context: RequestContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    http: Http,
    #[serde(default)]
    request_id: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    #[serde(default)]
    source_ip: String,
}

/// A request. Header names are in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) source_ip: String,
    headers: HashMap<String, String>,
    cookies: Vec<String>,
    body: Option<String>,
    is_base64: bool,
}

impl From<Event> for Request {
    fn from(event: Event) -> Self {
        let RequestContext { http, request_id } = event.request_context;
        let mut headers: HashMap<_, _> = event
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let mut cookies = event.cookies.unwrap_or_default();
        if let Some(header) = headers.remove("cookie") {
            cookies.push(header);
        }
        Self {
            id: request_id_or_new(request_id),
            method: http.method,
            path: event.raw_path,
            query: event.raw_query_string.unwrap_or_default(),
            source_ip: http.source_ip,
            headers,
            cookies,
            body: event.body,
            is_base64: event.is_base64_encoded,
        }
    }
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first cookie of that name.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The body's bytes, at most `limit` of them.
    pub(crate) fn body(&self, limit: usize) -> Result<Vec<u8>, Failure> {
        let text = self.body.as_deref().unwrap_or_default();
        // Three bytes make four characters; whatever is shorter than that can still be too long.
        let least = if self.is_base64 {
            text.len() / 4 * 3
        } else {
            text.len() + 2
        };
        if least > limit + 2 {
            return Err(Failure::too_large(limit));
        }
        let bytes = if self.is_base64 {
            STANDARD
                .decode(text)
                .map_err(|_| Failure::unreadable("The body is not valid base64"))?
        } else {
            text.as_bytes().to_vec()
        };
        if bytes.len() > limit {
            Err(Failure::too_large(limit))
        } else {
            Ok(bytes)
        }
    }
}

/// Lambda's own id, so that its logs and ours agree; a new one where it cannot stand in a header.
fn request_id_or_new(id: String) -> String {
    let usable = (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if usable {
        id
    } else {
        uuid::Uuid::now_v7().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_may_lack_what_a_request_lacks_or_say_null() {
        let context = json!({ "http": { "method": "GET" } });
        let nulls = json!({
            "rawQueryString": null, "cookies": null, "body": null, "requestContext": context,
        });
        for event in [json!({ "requestContext": context }), nulls] {
            let request = Request::from(serde_json::from_value::<Event>(event).unwrap());
            assert_eq!(
                (request.query.as_str(), request.cookie("session")),
                ("", None)
            );
            assert_eq!(request.body(0), Ok(Vec::new()));
        }
    }

    #[test]
    fn an_id_that_cannot_stand_in_a_header_is_replaced() {
        assert_eq!(request_id_or_new("a-b".to_owned()), "a-b");
        for id in ["", "a b", "a\nb", "é"] {
            assert_ne!(request_id_or_new(id.to_owned()), id);
        }
    }

    #[test]
    fn a_body_is_measured_decoded() {
        let request = |body: &str, is_base64| Request {
            body: Some(body.to_owned()),
            is_base64,
            ..Request::default()
        };
        assert_eq!(request("YWJj", true).body(3), Ok(b"abc".to_vec()));
        assert_eq!(
            request("YWJj", true)
                .body(2)
                .map_err(|failure| failure.status),
            Err(413)
        );
        assert_eq!(
            request("abc", false)
                .body(2)
                .map_err(|failure| failure.status),
            Err(413)
        );
        assert_eq!(request("abc", false).body(3), Ok(b"abc".to_vec()));
        assert_eq!(
            request("%%%", true)
                .body(9)
                .map_err(|failure| failure.status),
            Err(400)
        );
    }
}
