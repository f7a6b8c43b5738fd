//! Bodies of every kind as fields of text.

use crate::event::Request;
use crate::{Failure, json, urlencoded};
use multer::{Constraints, Multipart, SizeLimit};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// The fields of a form, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) BTreeMap<String, String>);

impl Fields {
    /// More fields than any form of ours has by far.
    pub(crate) const MOST: usize = 1_000;

    /// Adds a field. Refuses one that is there already, a NUL, and one too many.
    pub(crate) fn insert(&mut self, name: String, value: String) -> Result<(), Failure> {
        if name.contains('\0') || value.contains('\0') {
            return Err(Failure::unreadable("A field contains a NUL character"));
        }
        if self.0.len() >= Self::MOST {
            return Err(Failure::unreadable("The form has too many fields"));
        }
        match self.0.insert(name, value) {
            None => Ok(()),
            Some(_) => Err(Failure::unreadable("A field is given twice")),
        }
    }
}

/// The kinds of body that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Urlencoded,
    Multipart,
    Json,
}

/// The kind that a content type names; its parameters do not matter here.
fn kind(content_type: &str) -> Option<Kind> {
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

/// Whether the body is JSON, by its content type.
pub(crate) fn is_json(request: &Request) -> bool {
    request.header("content-type").and_then(kind) == Some(Kind::Json)
}

/// The fields of the request's body.
///
/// # Errors
/// 413 for more than `limit` bytes, 415 for another content type, 400 for what cannot be parsed.
pub(crate) async fn parse(request: &Request, limit: usize) -> Result<Fields, Failure> {
    let bytes = request.body(limit)?;
    let encoding = request.header("content-encoding").unwrap_or("identity");
    if !encoding.trim().eq_ignore_ascii_case("identity") {
        return Err(Failure::unsupported(
            "The body is compressed, which is not supported",
        ));
    }
    let content_type = request.header("content-type").unwrap_or_default();
    match kind(content_type) {
        Some(Kind::Urlencoded) => urlencoded::parse(&bytes),
        Some(Kind::Json) => json::parse(&bytes),
        Some(Kind::Multipart) => multipart(content_type, bytes).await,
        None if bytes.is_empty() => Ok(Fields::default()),
        None => Err(Failure::unsupported(
            "The content type must be application/x-www-form-urlencoded, multipart/form-data or application/json",
        )),
    }
}

/// The fields of a multipart form (RFC 7578). Files are refused: no form of ours has any.
async fn multipart(content_type: &str, bytes: Vec<u8>) -> Result<Fields, Failure> {
    let unreadable = |_| Failure::unreadable("The form cannot be read as multipart/form-data");
    let boundary = multer::parse_boundary(content_type).map_err(unreadable)?;
    let constraints =
        Constraints::new().size_limit(SizeLimit::new().whole_stream(bytes.len() as u64));
    let stream = futures_util::stream::iter([Ok::<_, Infallible>(bytes)]);
    let mut parts = Multipart::with_constraints(stream, boundary, constraints);
    let mut fields = Fields::default();
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        if part.file_name().is_some() {
            return Err(Failure::unreadable(
                "The form has a file, which is not supported",
            ));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let value = part.bytes().await.map_err(unreadable)?;
        let value = String::from_utf8(value.into())
            .map_err(|_| Failure::unreadable("The form is not valid UTF-8"))?;
        fields.insert(name, value)?;
    }
    Ok(fields)
}
