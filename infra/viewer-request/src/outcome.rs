//! What the function decided.

use crate::event::RequestObject;
use crate::fields::{self, Fields};
use crate::{Event, FunctionError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

/// What becomes of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on, as the function left it.
    Request(Request),
    /// The function answers it itself.
    Response(Response),
}

/// A request that goes on to the cache. Its method is the viewer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The path.
    pub uri: String,
    /// The query string without the question mark; as received where the function did not
    /// change it.
    pub query: String,
    /// The headers, sorted by name; several of one name are several pairs. All cookies are one
    /// header `cookie`, with the text as received where the function did not change them.
    pub headers: Vec<(String, String)>,
}

/// A response that the function made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers; a cookie is a `set-cookie`.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

/// What the function returned, a response where it has a status.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Returned {
    status_code: Option<u16>,
    uri: Option<String>,
    #[serde(default)]
    querystring: Fields<'static>,
    #[serde(default)]
    headers: Fields<'static>,
    #[serde(default)]
    cookies: Fields<'static>,
    body: Option<Body>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Text(String),
    Encoded { encoding: Encoding, data: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Text,
    Base64,
}

/// The outcome that `json` says, of the function that was `given` the request of `event`.
///
/// # Errors
/// [`FunctionError::Returned`] for what CloudFront would not take.
pub(crate) fn read(
    json: &str,
    event: &Event<'_>,
    given: &RequestObject<'_>,
) -> Result<Outcome, FunctionError> {
    let returned: Returned = serde_json::from_str(json).map_err(refused)?;
    match returned.status_code {
        Some(status) => returned.response(status).map(Outcome::Response),
        None => returned.request(event, given).map(Outcome::Request),
    }
}

impl Returned {
    fn request(
        self,
        event: &Event<'_>,
        given: &RequestObject<'_>,
    ) -> Result<Request, FunctionError> {
        let uri = self.uri.unwrap_or_default();
        if uri != event.uri && !uri.starts_with('/') {
            return Err(refused("a path begins with a slash"));
        }
        let query = if self.querystring == given.querystring {
            event.query.to_owned()
        } else {
            fields::join(&self.querystring, &given.querystring, "&")
        };
        let cookie = if self.cookies == given.cookies {
            event.cookies().collect::<Vec<_>>().join("; ")
        } else {
            fields::join(&self.cookies, &given.cookies, "; ")
        };
        let mut headers = lines(&self.headers, &given.headers);
        if !cookie.is_empty() {
            headers.push(("cookie".to_owned(), cookie));
        }
        Ok(Request {
            uri,
            query,
            headers,
        })
    }

    fn response(self, status: u16) -> Result<Response, FunctionError> {
        let mut headers = lines(&self.headers, &Fields::new());
        for (name, field) in &self.cookies {
            for cookie in field.values(None) {
                let attributes = cookie.attributes.as_deref().unwrap_or_default();
                let separator = if attributes.is_empty() { "" } else { "; " };
                let line = format!("{name}={}{separator}{attributes}", cookie.value);
                headers.push(("set-cookie".to_owned(), line));
            }
        }
        let body = match self.body {
            None => Vec::new(),
            Some(
                Body::Text(data)
                | Body::Encoded {
                    encoding: Encoding::Text,
                    data,
                },
            ) => data.into_bytes(),
            Some(Body::Encoded { data, .. }) => BASE64_STANDARD.decode(data).map_err(refused)?,
        };
        Ok(Response {
            status,
            headers,
            body,
        })
    }
}

fn lines(fields: &Fields<'_>, given: &Fields<'_>) -> Vec<(String, String)> {
    let lines = fields.iter().flat_map(|(name, field)| {
        let values = field.values(given.get(name));
        values
            .into_iter()
            .map(move |single| (name.to_string(), single.value.to_string()))
    });
    lines.collect()
}

fn refused(why: impl ToString) -> FunctionError {
    FunctionError::Returned(why.to_string())
}
