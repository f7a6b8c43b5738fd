//! The event that the function gets.

use crate::fields::{self, Fields};
use crate::reserved::is_disallowed;
use rquickjs::{Ctx, Object, Result};
use std::borrow::Cow;

/// A viewer's request, with what CloudFront adds about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// The id of the distribution.
    pub distribution_id: &'a str,
    /// The domain name that CloudFront assigned to the distribution.
    pub domain_name: &'a str,
    /// The unique id of the request.
    pub request_id: &'a str,
    /// The address that the request came from.
    pub viewer_ip: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path, as received.
    pub uri: &'a str,
    /// The query string, as received, without the question mark.
    pub query: &'a str,
    /// The headers, including `cookie`, with names in lower case. A header that occurs several times
    /// is several pairs.
    pub headers: Vec<(&'a str, Cow<'a, str>)>,
}

/// The named fields of the request, as the function sees them.
pub(crate) struct FunctionInput<'a> {
    pub(crate) querystring: Fields<'a>,
    pub(crate) headers: Fields<'a>,
    pub(crate) cookies: Fields<'a>,
}

impl<'a> Event<'a> {
    /// The values of the `cookie` headers.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        let cookies = self.headers.iter().filter(|(name, _)| *name == "cookie");
        cookies.map(|(_, value)| value.as_ref())
    }

    /// The headers that the function does not see. They are forwarded unchanged.
    pub(crate) fn hidden_headers(&self) -> impl Iterator<Item = (String, String)> {
        let hidden = self.headers.iter().filter(|(name, _)| is_disallowed(name));
        hidden.map(|(name, value)| ((*name).to_owned(), value.to_string()))
    }

    /// The named fields, as the function sees them.
    pub(crate) fn function_input(&self) -> FunctionInput<'_> {
        let query = self.query.split('&').filter(|pair| !pair.is_empty());
        let cookies = self.cookies().flat_map(|header| header.split(';'));
        let cookies = cookies.map(str::trim).filter(|pair| !pair.is_empty());
        let headers = self.headers.iter();
        let headers = headers.filter(|(name, _)| *name != "cookie" && !is_disallowed(name));
        let headers =
            headers.map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value.as_ref())));
        FunctionInput {
            querystring: fields::collect(query.map(fields::pair)),
            headers: fields::collect(headers),
            cookies: fields::collect(cookies.map(fields::pair)),
        }
    }

    /// The JavaScript event object.
    pub(crate) fn write<'js>(
        &self,
        ctx: &Ctx<'js>,
        input: &FunctionInput<'_>,
    ) -> Result<Object<'js>> {
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
        request.set("querystring", fields::write(ctx, &input.querystring)?)?;
        request.set("headers", fields::write(ctx, &input.headers)?)?;
        request.set("cookies", fields::write(ctx, &input.cookies)?)?;
        let event = Object::new(ctx.clone())?;
        event.set("version", "1.0")?;
        event.set("context", context)?;
        event.set("viewer", viewer)?;
        event.set("request", request)?;
        Ok(event)
    }
}
