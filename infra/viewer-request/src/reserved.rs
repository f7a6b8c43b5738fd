//! The headers that a function must not set.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html>

/// Names of headers that a function does not see and must not add.
const DISALLOWED: [&str; 25] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Prefixes of such names.
const PREFIXES: [&str; 2] = ["x-amz-cf-", "x-edge-"];

/// Names of headers that a function sees but must not change at viewer-request.
pub(crate) const READ_ONLY: [&str; 4] = ["content-length", "host", "transfer-encoding", "via"];

/// Whether a function does not see and must not add a header of this name.
pub(crate) fn is_disallowed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    DISALLOWED.contains(&name.as_str()) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
