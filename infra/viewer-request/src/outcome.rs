//! What the function decided.

use crate::event::Given;
use crate::fields::{self, Fields};
use crate::reserved::{READ_ONLY, is_disallowed};
use crate::{Event, FunctionError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rquickjs::{Object, Value};

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
    /// The headers, sorted by name, then those that the function does not see; several of one name
    /// are several pairs. All cookies are one header `cookie`, the last, with the text as received
    /// where the function did not change them.
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
    /// Those of the engine, where something has another type than it should have.
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

    /// What becomes of the request of `event`, which the function saw as `given`.
    ///
    /// # Errors
    /// [`FunctionError::Returned`] and [`FunctionError::Header`] for what CloudFront would not take.
    pub(crate) fn outcome(
        self,
        event: &Event<'_>,
        given: &Given<'_>,
    ) -> Result<Outcome, FunctionError> {
        if let Some(name) = self.headers.keys().find(|name| is_disallowed(name)) {
            return Err(FunctionError::Header(name.to_string()));
        }
        match self.status {
            Some(status) => self.response(status).map(Outcome::Response),
            None => self.request(event, given).map(Outcome::Request),
        }
    }

    fn request(self, event: &Event<'_>, given: &Given<'_>) -> Result<Request, FunctionError> {
        let changed = |name: &&&str| self.headers.get(**name) != given.headers.get(**name);
        if let Some(name) = READ_ONLY.iter().find(changed) {
            return Err(FunctionError::Header((*name).to_owned()));
        }
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
        headers.extend(event.unseen());
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
            Some(Body::Text(data)) => data.into_bytes(),
            Some(Body::Encoded { encoding, data }) => match encoding.as_str() {
                "text" => data.into_bytes(),
                "base64" => BASE64_STANDARD.decode(data).map_err(refused)?,
                _ => return Err(refused("an encoding is text or base64")),
            },
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
