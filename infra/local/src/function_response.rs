//! Decodes the response that a function returns to Lambda.

use crate::edge::BufferedResponse;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    status_code: u16,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Why a function's output is not a valid response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidResponse {
    #[error("not the JSON of a response: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0} is not a final status code")]
    Status(u16),
    #[error("a header has an invalid name or value: {0}")]
    Header(#[from] hyper::http::Error),
    #[error("the body is not valid base64: {0}")]
    Base64(#[from] base64::DecodeError),
}

/// Decodes a response in [payload format 2.0](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload).
///
/// # Errors
/// [`InvalidResponse`], which only the log shows.
pub(crate) fn decode(json: &[u8]) -> Result<BufferedResponse, InvalidResponse> {
    let payload: Payload = serde_json::from_slice(json)?;
    let status = StatusCode::from_u16(payload.status_code)
        .ok()
        .filter(|status| !status.is_informational())
        .ok_or(InvalidResponse::Status(payload.status_code))?;
    let body = match payload.body {
        Some(text) if payload.is_base64_encoded => Bytes::from(BASE64_STANDARD.decode(text)?),
        Some(text) => Bytes::from(text),
        None => Bytes::new(),
    };
    let mut headers = HeaderMap::with_capacity(payload.headers.len() + payload.cookies.len());
    for (name, value) in payload.headers {
        let name = HeaderName::try_from(name).map_err(hyper::http::Error::from)?;
        if !is_set_by_server(&name) {
            headers.append(
                name,
                HeaderValue::try_from(value).map_err(hyper::http::Error::from)?,
            );
        }
    }
    for cookie in payload.cookies {
        headers.append(
            SET_COOKIE,
            HeaderValue::try_from(cookie).map_err(hyper::http::Error::from)?,
        );
    }
    Ok(BufferedResponse {
        status,
        headers,
        body,
    })
}

/// Whether the server sets this header itself: it describes the length of the body or the connection.
fn is_set_by_server(name: &HeaderName) -> bool {
    *name == CONTENT_LENGTH
        || ["connection", "keep-alive", "transfer-encoding", "upgrade"].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_cookie_becomes_a_header_of_its_own() {
        let output = json!({
            "statusCode": 303,
            "headers": {"location": "/t/acme/contacts", "x-name": "Zoë", "content-length": "99"},
            "multiValueHeaders": {},
            "cookies": ["session=a; HttpOnly", "fresh=b"],
            "body": "",
            "isBase64Encoded": false
        });
        let response = decode(output.to_string().as_bytes()).unwrap();
        assert_eq!(response.status, 303);
        assert_eq!(response.headers["location"], "/t/acme/contacts");
        assert_eq!(response.headers["x-name"].as_bytes(), "Zoë".as_bytes());
        assert_eq!(response.headers.get("content-length"), None);
        let cookies: Vec<_> = response.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["session=a; HttpOnly", "fresh=b"]);
        assert_eq!(response.body, "");
    }

    #[test]
    fn a_base64_body_is_decoded() {
        let output = json!({"statusCode": 200, "body": "/wA=", "isBase64Encoded": true});
        assert_eq!(
            decode(output.to_string().as_bytes()).unwrap().body,
            &[0xff, 0][..]
        );
    }

    #[test]
    fn invalid_output_is_an_error() {
        let invalid = [
            json!({"body": "no status"}),
            json!({"statusCode": 0}),
            json!({"statusCode": 101}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}),
            json!({"statusCode": 200, "cookies": ["a\n"]}),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
            json!("text"),
        ];
        for output in invalid {
            assert!(decode(output.to_string().as_bytes()).is_err(), "{output}");
        }
        assert!(decode(b"").is_err());
        assert!(decode(b"\xff{").is_err());
    }
}
