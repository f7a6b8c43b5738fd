//! Which kind of body a content type names.

/// The kinds of body that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Urlencoded,
    Multipart,
    Json,
}

/// The kind that a content type names; its parameters do not matter here.
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
