//! What the function is given.

use crate::fields::{self, Fields};
use crate::reserved::is_disallowed;
use rquickjs::{Ctx, Object, Result};
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

/// The parts of the request that have names.
pub(crate) struct Given<'a> {
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

    /// The headers that the function does not see. They go on as they came.
    pub(crate) fn unseen(&self) -> impl Iterator<Item = (String, String)> {
        let unseen = self.headers.iter().filter(|(name, _)| is_disallowed(name));
        unseen.map(|(name, value)| ((*name).to_owned(), value.to_string()))
    }

    /// What has names, as the function sees it.
    pub(crate) fn given(&self) -> Given<'_> {
        let query = self.query.split('&').filter(|pair| !pair.is_empty());
        let cookies = self.cookies().flat_map(|header| header.split(';'));
        let cookies = cookies.map(str::trim).filter(|pair| !pair.is_empty());
        let headers = self.headers.iter();
        let headers = headers.filter(|(name, _)| *name != "cookie" && !is_disallowed(name));
        let headers =
            headers.map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value.as_ref())));
        Given {
            querystring: fields::collect(query.map(fields::pair)),
            headers: fields::collect(headers),
            cookies: fields::collect(cookies.map(fields::pair)),
        }
    }

    /// The event object.
    pub(crate) fn write<'js>(&self, ctx: &Ctx<'js>, given: &Given<'_>) -> Result<Object<'js>> {
        let context = Object::new(ctx.clone())?;
        context.set("distributionDomainName", self.domain_name)?;
        context.set("distributionId", self.distribution_id)?;
        context.set("eventType", "viewer-request")?;
        context.set("requestId", self.request_id)?;
        let viewer = Object::new(ctx.clone())?;
        viewer.set("ip", self.viewer_ip)?;
        let request = Object::new(ctx.clone())?;
        request.set("method", self.method)?;
        request.set("uri", self.uri)?;
        request.set("querystring", fields::write(ctx, &given.querystring)?)?;
        request.set("headers", fields::write(ctx, &given.headers)?)?;
        request.set("cookies", fields::write(ctx, &given.cookies)?)?;
        let event = Object::new(ctx.clone())?;
        event.set("version", "1.0")?;
        event.set("context", context)?;
        event.set("viewer", viewer)?;
        event.set("request", request)?;
        Ok(event)
    }
}
