//! The product's responses. Each is checked on arrival for what every response must have.

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Headers of every response. HSTS is left out: it is for https only, and the local stack serves http.
const SECURITY: [(&str, &str); 4] = [
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "origin-when-cross-origin"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=()",
    ),
];

/// A response with its whole body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// Reads the whole response and checks it.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn read(response: Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Self {
            status,
            headers,
            text: response.text().await?,
        };
        answer.check();
        Ok(answer)
    }

    /// Asserts what is true of every response.
    fn check(&self) {
        for (name, value) in SECURITY {
            assert_eq!(self.header(name), Some(value), "{name} of {self:?}");
        }
        let policy = self.header("content-security-policy").unwrap_or_default();
        assert!(
            !policy.is_empty() && !policy.contains("unsafe-"),
            "{self:?}"
        );
        assert!(
            self.header("strict-transport-security").is_none(),
            "{self:?}"
        );
        let id = self.header("x-request-id").unwrap_or_default();
        assert!(!id.is_empty(), "{self:?}");
        assert!(
            self.header("cache-tag").is_none(),
            "only the edge may see Cache-Tag: {self:?}"
        );
        if self.is_json() && !self.text.is_empty() {
            self.check_json(id);
        }
    }

    fn check_json(&self, id: &str) {
        let body = self.json();
        match (self.status, body["ok"].as_bool()) {
            (200, Some(true)) => {
                assert!(
                    body.get("data").is_some() && body.get("error").is_none(),
                    "{body}"
                );
                assert!(
                    body.get("requestId").is_none_or(|given| given == id),
                    "{body}"
                );
            }
            (400.., Some(false)) => {
                assert!(
                    body["code"].is_string() && body["error"].is_string(),
                    "{body}"
                );
                assert!(body["fieldErrors"].is_object(), "{body}");
                assert_eq!(body["requestId"], id, "{body}");
            }
            _ => panic!("{} with {body}", self.status),
        }
    }

    fn is_json(&self) -> bool {
        self.header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"))
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The values of every `Set-Cookie`.
    #[must_use]
    pub fn cookies(&self) -> Vec<String> {
        let values = self.headers.get_all("set-cookie").iter();
        values
            .filter_map(|value| Some(value.to_str().ok()?.to_owned()))
            .collect()
    }

    /// The session token that the response sets. Empty if the response removes it.
    #[must_use]
    pub fn session(&self) -> Option<String> {
        let own = |cookie: &String| {
            Some(
                cookie
                    .strip_prefix("session=")?
                    .split(';')
                    .next()?
                    .to_owned(),
            )
        };
        self.cookies().iter().find_map(own)
    }

    /// The body, which must be JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The `data` of a success.
    #[must_use]
    pub fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["data"].take()
    }

    /// The code of a failure.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The message of a failure.
    #[must_use]
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The error message of a field. Empty if there is none.
    #[must_use]
    pub fn field_error(&self, field: &str) -> String {
        self.json()["fieldErrors"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Whether this is the saved response to an earlier request.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// The status and the JSON body without the request id, which differs for every request.
    #[must_use]
    pub fn without_request_id(&self) -> (u16, Value) {
        let mut body = self.json();
        body.as_object_mut().map(|body| body.remove("requestId"));
        (self.status, body)
    }

    /// Asserts that the response is this failure.
    #[track_caller]
    pub fn expect(&self, status: u16, code: &str) -> &Self {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{self:?}"
        );
        self
    }

    /// The value of a hidden field of the page.
    #[must_use]
    pub fn hidden(&self, name: &str) -> Option<String> {
        hidden(&self.text, name)
    }
}

/// The value of a hidden field of a page.
#[must_use]
pub fn hidden(html: &str, name: &str) -> Option<String> {
    let field = html
        .split("<input ")
        .find(|tag| tag.starts_with(&format!("type=\"hidden\" name=\"{name}\"")))?;
    let value = field.split_once("value=\"")?.1;
    Some(value.split('"').next()?.to_owned())
}
