//! Content types of request bodies.

/// The kinds of body that we accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Urlencoded,
    Multipart,
    Json,
}

/// The kind of body with this content type, whatever its parameters.
pub(crate) fn kind(content_type: &str) -> Option<Kind> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is = |name: &str| essence.eq_ignore_ascii_case(name);
    if is("application/x-www-form-urlencoded") {
        Some(Kind::Urlencoded)
    } else if is("multipart/form-data") {
        Some(Kind::Multipart)
    } else if is("application/json") {
        Some(Kind::Json)
    } else {
        None
    }
}
