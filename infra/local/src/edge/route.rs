//! A cache behaviour together with its function, and the request that the function gets.

use super::distribution::Distribution;
use super::error::EdgeError;
use super::key::forwarded;
use super::lifetime;
use super::origin::FunctionOrigin;
use super::policy::Behavior;
use crate::Template;
use crate::refusal::Refusal;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT, VIA};
use hyper::http::request::Parts;
use hyper::{Request, Uri};
use std::collections::BTreeMap;
use std::time::Duration;

/// The session cookie's name in the template.
const DEPLOYED_COOKIE: &str = "__Host-session";

/// A cache behaviour together with its function.
pub(super) struct Route {
    /// Its position in the template, which keeps the keys of two behaviours apart.
    pub(super) number: usize,
    pub(super) behavior: Behavior,
    pub(super) origin: FunctionOrigin,
    pub(super) origin_headers: HeaderMap,
    pub(super) removed: Vec<HeaderName>,
    pub(super) tag_header: Option<String>,
    pub(super) errors: BTreeMap<u16, Duration>,
    /// Whether a response may be cached, even if only an error.
    pub(super) may_cache: bool,
    /// Whether simultaneous requests share a response.
    pub(super) collapses: bool,
}

impl Route {
    /// The route of the behaviour at position `number`.
    ///
    /// # Errors
    /// [`EdgeError`] if its function does not exist or a header is invalid.
    pub(super) fn new(
        number: usize,
        behavior: &Behavior,
        template: &Template,
        origins: &[FunctionOrigin],
        distribution: &Distribution,
    ) -> Result<Self, EdgeError> {
        let settings = distribution.settings();
        let origin = origins.iter().find(|o| o.name() == behavior.function);
        let origin = origin.ok_or_else(|| EdgeError::UnknownFunction(behavior.function.clone()))?;
        let mut behavior = behavior.clone();
        // Browsers accept `__Host-` cookies over https only. Over plain HTTP the session cookie has
        // another name.
        let rename = |name: String| match name.as_str() {
            DEPLOYED_COOKIE => settings.session_cookie.clone(),
            _ => name,
        };
        behavior.forward.cookies = behavior.forward.cookies.map(rename);
        behavior.cache.key.cookies = behavior.cache.key.cookies.map(rename);
        let invalid = |name: &str| EdgeError::Header(name.to_owned());
        let mut origin_headers = HeaderMap::new();
        for (name, value) in &behavior.origin_headers {
            origin_headers.insert(
                HeaderName::try_from(name).map_err(|_| invalid(name))?,
                HeaderValue::try_from(value).map_err(|_| invalid(name))?,
            );
        }
        let removed = behavior.removed.iter();
        let removed = removed.map(|name| HeaderName::try_from(name).map_err(|_| invalid(name)));
        let collapses = !behavior.cache.ttl.is_zero();
        Ok(Self {
            number,
            origin: origin.clone(),
            origin_headers,
            removed: removed.collect::<Result<_, _>>()?,
            tag_header: template.tag_header.clone(),
            errors: template.errors.clone(),
            may_cache: collapses || lifetime::keeps_errors(&template.errors),
            collapses,
            behavior,
        })
    }

    /// The request that the origin gets.
    ///
    /// # Errors
    /// [`Refusal::NoPath`] if the path cannot be forwarded.
    pub(super) fn origin_request(
        &self,
        parts: &Parts,
        via: &HeaderValue,
        id: &str,
    ) -> Result<Parts, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        let behavior = &self.behavior;
        let (query, mut headers) =
            forwarded(&behavior.cache, &behavior.forward, query, &parts.headers);
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static("Amazon CloudFront"));
        headers.insert(VIA, via.clone());
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert("x-amz-cf-id", id);
        }
        for (name, value) in &self.origin_headers {
            headers.insert(name, value.clone());
        }
        let path = parts.uri.path();
        let uri = match query.as_str() {
            "" => Uri::try_from(path),
            query => Uri::try_from(format!("{path}?{query}")),
        };
        let mut request = Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.version_mut() = parts.version;
        *request.uri_mut() = uri.map_err(|_| Refusal::NoPath)?;
        *request.headers_mut() = headers;
        Ok(request.into_parts().0)
    }
}
