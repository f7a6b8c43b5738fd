//! What the function is given.

use crate::FunctionError;
use crate::fields::{self, Fields};
use serde::Serialize;
use std::borrow::Cow;

/// A request as a viewer sent it, and what CloudFront knows of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// The id of the distribution.
    pub distribution_id: &'a str,
    /// The domain name that CloudFront gave the distribution.
    pub domain_name: &'a str,
    /// What names this request and no other.
    pub request_id: &'a str,
    /// The address that the request came from.
    pub viewer_ip: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path, as received.
    pub uri: &'a str,
    /// The query string, as received, without the question mark.
    pub query: &'a str,
    /// The headers, names in lower case; several of one name are several pairs. `cookie` is one
    /// of them.
    pub headers: Vec<(&'a str, Cow<'a, str>)>,
}

/// The event object.
#[derive(Serialize)]
struct Object<'a> {
    version: &'static str,
    context: Context<'a>,
    viewer: Viewer<'a>,
    request: &'a RequestObject<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    distribution_domain_name: &'a str,
    distribution_id: &'a str,
    event_type: &'static str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Viewer<'a> {
    ip: &'a str,
}

/// The request within the event object.
#[derive(Serialize)]
pub(crate) struct RequestObject<'a> {
    method: &'a str,
    uri: &'a str,
    pub(crate) querystring: Fields<'a>,
    pub(crate) headers: Fields<'a>,
    pub(crate) cookies: Fields<'a>,
}

impl<'a> Event<'a> {
    /// The cookie headers' values.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        let cookies = self.headers.iter().filter(|(name, _)| *name == "cookie");
        cookies.map(|(_, value)| value.as_ref())
    }

    /// The request as the function sees it.
    pub(crate) fn request(&self) -> RequestObject<'_> {
        let query = self.query.split('&').filter(|pair| !pair.is_empty());
        let cookies = self.cookies().flat_map(|header| header.split(';'));
        let cookies = cookies.map(str::trim).filter(|pair| !pair.is_empty());
        let headers = self.headers.iter().filter(|(name, _)| *name != "cookie");
        let headers =
            headers.map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value.as_ref())));
        RequestObject {
            method: self.method,
            uri: self.uri,
            querystring: fields::collect(query.map(fields::pair)),
            headers: fields::collect(headers),
            cookies: fields::collect(cookies.map(fields::pair)),
        }
    }

    /// The event object around `request`, as JSON.
    pub(crate) fn json(&self, request: &RequestObject<'_>) -> Result<String, FunctionError> {
        let object = Object {
            version: "1.0",
            context: Context {
                distribution_domain_name: self.domain_name,
                distribution_id: self.distribution_id,
                event_type: "viewer-request",
                request_id: self.request_id,
            },
            viewer: Viewer { ip: self.viewer_ip },
            request,
        };
        serde_json::to_string(&object).map_err(|error| FunctionError::Thrown(error.to_string()))
    }
}
