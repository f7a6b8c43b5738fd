//! Runs the CloudFront function on a request, before anything else sees it.

use super::cache::BufferedResponse;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::{PathAndQuery, Uri};
use viewer_request::{Event, FunctionError, Outcome, ViewerRequest};

/// What the function decided about a request.
pub(crate) enum Decision {
    /// Forward it, as the function changed it.
    Forward(Parts),
    /// Send the viewer this response.
    Respond(BufferedResponse),
}

/// The part of the function's event that does not come from the request itself.
pub(crate) struct EventContext<'a> {
    pub(crate) distribution_id: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) viewer_ip: &'a str,
}

/// Runs the function on a request.
///
/// # Errors
/// [`FunctionError`]. CloudFront responds with a 503 or a 502.
pub(crate) fn run(
    function: &ViewerRequest,
    mut parts: Parts,
    context: &EventContext<'_>,
) -> Result<Decision, FunctionError> {
    let headers = parts.headers.iter();
    let event = Event {
        distribution_id: context.distribution_id,
        domain_name: context.domain,
        request_id: context.request_id,
        viewer_ip: context.viewer_ip,
        method: parts.method.as_str(),
        uri: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: headers
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
            .collect(),
    };
    match function.run(&event)? {
        Outcome::Request(request) => {
            let unchanged = request.uri == event.uri && request.query == event.query;
            let headers = header_map(request.headers)?;
            if !unchanged {
                parts.uri = uri(&request.uri, &request.query)?;
            }
            parts.headers = headers;
            Ok(Decision::Forward(parts))
        }
        Outcome::Response(response) => Ok(Decision::Respond(BufferedResponse {
            status: StatusCode::from_u16(response.status)
                .map_err(|e| FunctionError::Returned(e.to_string()))?,
            headers: header_map(response.headers)?,
            body: Bytes::from(response.body),
        })),
    }
}

fn uri(path: &str, query: &str) -> Result<Uri, FunctionError> {
    let text = match query {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    let path = PathAndQuery::try_from(text).map_err(|e| FunctionError::Returned(e.to_string()))?;
    Ok(Uri::from(path))
}

fn header_map(pairs: Vec<(String, String)>) -> Result<HeaderMap, FunctionError> {
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let invalid = |what: &str| FunctionError::Returned(format!("the {what} of {name:?}"));
        let value = HeaderValue::try_from(value).map_err(|_| invalid("value"))?;
        let name = HeaderName::try_from(&name).map_err(|_| invalid("name"))?;
        headers.append(name, value);
    }
    Ok(headers)
}
