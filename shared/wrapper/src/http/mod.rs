//! HTTP: requests from events, fields from bodies, responses, and which headers to trust.

pub(crate) mod body;
mod content_type;
pub(crate) mod fields;
mod json;
pub(crate) mod negotiate;
pub(crate) mod origin;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod trust;
pub(crate) mod urlencoded;
