//! The CloudFront function, which sees every request first.

use super::cache::Answer;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::{PathAndQuery, Uri};
use viewer_request::{Event, FunctionError, Outcome, ViewerRequest};

/// What the function made of a request.
pub(crate) enum Passed {
    /// It goes on, changed.
    On(Parts),
    /// The function answers it.
    Answered(Answer),
}

/// What the function is told beside the request.
pub(crate) struct Circumstances<'a> {
    pub(crate) distribution_id: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) viewer_ip: &'a str,
}

/// Passes a request through the function.
///
/// # Errors
/// [`FunctionError`], for which CloudFront answers with a 503 or a 502.
pub(crate) fn pass(
    function: &ViewerRequest,
    mut parts: Parts,
    circumstances: &Circumstances<'_>,
) -> Result<Passed, FunctionError> {
    let headers = parts.headers.iter();
    let event = Event {
        distribution_id: circumstances.distribution_id,
        domain_name: circumstances.domain,
        request_id: circumstances.request_id,
        viewer_ip: circumstances.viewer_ip,
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
            let headers = collect(request.headers)?;
            if !unchanged {
                parts.uri = uri(&request.uri, &request.query)?;
            }
            parts.headers = headers;
            Ok(Passed::On(parts))
        }
        Outcome::Response(response) => Ok(Passed::Answered(Answer {
            status: StatusCode::from_u16(response.status)
                .map_err(|e| FunctionError::Returned(e.to_string()))?,
            headers: collect(response.headers)?,
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

fn collect(pairs: Vec<(String, String)>) -> Result<HeaderMap, FunctionError> {
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let unusable = |what: &str| FunctionError::Returned(format!("the {what} of {name:?}"));
        let value = HeaderValue::try_from(value).map_err(|_| unusable("value"))?;
        let name = HeaderName::try_from(&name).map_err(|_| unusable("name"))?;
        headers.append(name, value);
    }
    Ok(headers)
}
