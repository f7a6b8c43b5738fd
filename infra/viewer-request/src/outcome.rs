//! The result of the function: a request or a response.

use crate::event::FunctionInput;
use crate::fields::{self, Fields};
use crate::reserved::{READ_ONLY, is_disallowed};
use crate::{Event, FunctionError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rquickjs::{Object, Value};

/// The function's decision about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Forward this request.
    Request(Request),
    /// Send this response to the viewer.
    Response(Response),
}

/// A request that is forwarded to the cache. Its method is the viewer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The path.
    pub uri: String,
    /// The query string without the question mark. If the function did not change it, it is as
    /// received.
    pub query: String,
    /// The headers, sorted by name, then those that the function does not see. A header that occurs
    /// several times is several pairs. The last pair is `cookie` with all cookies. If the function did
    /// not change them, their text is as received.
    pub headers: Vec<(String, String)>,
}

/// A response that the function created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers. Each cookie is a `set-cookie`.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

/// The object that the function returned. It is a response if it has a status code.
pub(crate) struct Returned {
    status: Option<u16>,
    uri: Option<String>,
    querystring: Fields<'static>,
    headers: Fields<'static>,
    cookies: Fields<'static>,
    body: Option<Body>,
}

enum Body {
    Text(String),
    Encoded { encoding: String, data: String },
}

impl Returned {
    /// Reads what the function returned.
    ///
    /// # Errors
    /// The engine's error if a value has the wrong type.
    pub(crate) fn read(value: &Value<'_>) -> rquickjs::Result<Self> {
        let object: Object<'_> = value.get()?;
        let body = match object.get::<_, Option<Value<'_>>>("body")? {
            None => None,
            Some(body) if body.is_string() => Some(Body::Text(body.get()?)),
            Some(body) => {
                let body: Object<'_> = body.get()?;
                Some(Body::Encoded {
                    encoding: body.get("encoding")?,
                    data: body.get("data")?,
                })
            }
        };
        Ok(Self {
            status: object.get("statusCode")?,
            uri: object.get("uri")?,
            querystring: fields::read(&object, "querystring")?,
            headers: fields::read(&object, "headers")?,
            cookies: fields::read(&object, "cookies")?,
            body,
        })
    }

    /// The outcome for the request of `event`, which the function saw as `input`.
    ///
    /// # Errors
    /// [`FunctionError::Returned`] or [`FunctionError::Header`] if CloudFront would refuse the result.
    pub(crate) fn outcome(
        self,
        event: &Event<'_>,
        input: &FunctionInput<'_>,
    ) -> Result<Outcome, FunctionError> {
        if let Some(name) = self.headers.keys().find(|name| is_disallowed(name)) {
            return Err(FunctionError::Header(name.to_string()));
        }
        match self.status {
            Some(status) => self.response(status).map(Outcome::Response),
            None => self.request(event, input).map(Outcome::Request),
        }
    }

    fn request(
        self,
        event: &Event<'_>,
        input: &FunctionInput<'_>,
    ) -> Result<Request, FunctionError> {
        let changed = |name: &&&str| self.headers.get(**name) != input.headers.get(**name);
        if let Some(name) = READ_ONLY.iter().find(changed) {
            return Err(FunctionError::Header((*name).to_owned()));
        }
        let uri = self.uri.unwrap_or_default();
        if uri != event.uri && !uri.starts_with('/') {
            return Err(invalid("the path must begin with a slash"));
        }
        let query = if self.querystring == input.querystring {
            event.query.to_owned()
        } else {
            fields::join(&self.querystring, &input.querystring, "&")
        };
        let cookie = if self.cookies == input.cookies {
            event.cookies().collect::<Vec<_>>().join("; ")
        } else {
            fields::join(&self.cookies, &input.cookies, "; ")
        };
        let mut headers = header_pairs(&self.headers, &input.headers);
        headers.extend(event.hidden_headers());
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
        let mut headers = header_pairs(&self.headers, &Fields::new());
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
            Some(Body::Text(data)) => data.into_bytes(),
            Some(Body::Encoded { encoding, data }) => match encoding.as_str() {
                "text" => data.into_bytes(),
                "base64" => BASE64_STANDARD.decode(data).map_err(invalid)?,
                _ => return Err(invalid("the encoding must be text or base64")),
            },
        };
        Ok(Response {
            status,
            headers,
            body,
        })
    }
}

fn header_pairs(fields: &Fields<'_>, input: &Fields<'_>) -> Vec<(String, String)> {
    let pairs = fields.iter().flat_map(|(name, field)| {
        let values = field.values(input.get(name));
        values
            .into_iter()
            .map(move |single| (name.to_string(), single.value.to_string()))
    });
    pairs.collect()
}

fn invalid(why: impl ToString) -> FunctionError {
    FunctionError::Returned(why.to_string())
}
