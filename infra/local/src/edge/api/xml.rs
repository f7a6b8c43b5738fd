//! The XML of the API. The names of the types are the names of the elements.

use super::ApiError;
use super::invalidations::{AcceptedInvalidation, Batch, Page};
use quick_xml::de::Deserializer;
use quick_xml::se;
use serde::{Deserialize, Serialize};

const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvalidationBatch {
    paths: Paths,
    caller_reference: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Paths {
    quantity: i64,
    items: Option<Items>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Items {
    #[serde(default)]
    path: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Invalidation {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    id: String,
    status: &'static str,
    create_time: String,
    invalidation_batch: InvalidationBatch,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvalidationList {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    marker: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    max_items: usize,
    is_truncated: bool,
    quantity: usize,
    items: Summaries,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summaries {
    invalidation_summary: Vec<Summary>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    id: String,
    create_time: String,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorResponse<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    error: Error<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Error<'a> {
    r#type: &'static str,
    code: &'a str,
    message: &'a str,
}

/// Parses a batch.
///
/// # Errors
/// [`ApiError::MissingBody`], [`ApiError::MalformedInput`] or [`ApiError::InconsistentQuantities`].
pub(super) fn parse_batch(body: &[u8]) -> Result<Batch, ApiError> {
    if body.trim_ascii().is_empty() {
        return Err(ApiError::MissingBody);
    }
    let text = std::str::from_utf8(body).map_err(|_| ApiError::MalformedInput)?;
    let mut document = Deserializer::from_str(text.trim());
    let batch =
        InvalidationBatch::deserialize(&mut document).map_err(|_| ApiError::MalformedInput)?;
    if !document.is_empty() {
        return Err(ApiError::MalformedInput); // Something follows the element.
    }
    let paths = batch.paths.items.unwrap_or_default().path;
    if usize::try_from(batch.paths.quantity) != Ok(paths.len()) {
        return Err(ApiError::InconsistentQuantities);
    }
    Ok(Batch {
        caller_reference: batch.caller_reference,
        paths,
    })
}

/// The XML of one invalidation.
pub(super) fn invalidation(invalidation: &AcceptedInvalidation) -> String {
    document(&Invalidation {
        namespace: NAMESPACE,
        id: invalidation.id.clone(),
        status: invalidation.status(),
        create_time: invalidation.created.to_string(),
        invalidation_batch: InvalidationBatch {
            paths: Paths {
                quantity: i64::try_from(invalidation.batch.paths.len()).unwrap_or(i64::MAX),
                items: Some(Items {
                    path: invalidation.batch.paths.clone(),
                }),
            },
            caller_reference: invalidation.batch.caller_reference.clone(),
        },
    })
}

/// The XML of a page of the list.
pub(super) fn list(page: &Page) -> String {
    let summary = |invalidation: &std::sync::Arc<AcceptedInvalidation>| Summary {
        id: invalidation.id.clone(),
        create_time: invalidation.created.to_string(),
        status: invalidation.status(),
    };
    document(&InvalidationList {
        namespace: NAMESPACE,
        marker: page.marker.clone(),
        next_marker: page.next_marker.clone(),
        max_items: page.max_items,
        is_truncated: page.next_marker.is_some(),
        quantity: page.invalidations.len(),
        items: Summaries {
            invalidation_summary: page.invalidations.iter().map(summary).collect(),
        },
    })
}

/// The XML of an error.
pub(super) fn error(code: &str, message: &str, request_id: &str) -> String {
    document(&ErrorResponse {
        namespace: NAMESPACE,
        error: Error {
            r#type: "Sender",
            code,
            message,
        },
        request_id,
    })
}

fn document(value: &impl Serialize) -> String {
    // The value consists of strings and numbers only, so this cannot fail.
    let xml = se::to_string(value).unwrap_or_default();
    format!("<?xml version=\"1.0\"?>\n{xml}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "<InvalidationBatch><CallerReference>r</CallerReference><Paths>\
        <Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths></InvalidationBatch>";

    #[test]
    fn malformed_xml_is_refused_without_a_panic() {
        assert!(parse_batch(format!(" {WHOLE}\n").as_bytes()).is_ok());
        let deep = "<a>".repeat(20_000);
        for malformed in [
            "<",
            "text",
            "<InvalidationBatch/>",
            "<InvalidationBatch><Paths><Quantity>x</Quantity></Paths></InvalidationBatch>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><InvalidationBatch>&b;</InvalidationBatch>",
            "<InvalidationBatch><CallerReference>a</CallerReference></InvalidationBatch>",
            "\0",
            &deep,
            &format!("{WHOLE}<a>"),
            &format!("{WHOLE}a</a>"),
            &format!("a{WHOLE}"),
            &format!("<InvalidationBatch>{deep}"),
        ] {
            let read = parse_batch(malformed.as_bytes()).map(|batch| batch.paths);
            assert_eq!(read, Err(ApiError::MalformedInput), "{malformed:.60}");
        }
        assert_eq!(parse_batch(b"\xff").err(), Some(ApiError::MalformedInput));
        assert_eq!(parse_batch(b" \n").err(), Some(ApiError::MissingBody));
    }

    #[test]
    fn the_quantity_must_be_the_number_of_paths() {
        for (quantity, accepted) in [(1, true), (0, false), (2, false), (-1, false)] {
            let text = format!(
                "<InvalidationBatch xmlns=\"{NAMESPACE}\"><CallerReference>r</CallerReference><Paths>\
                 <Quantity>{quantity}</Quantity><Items><Path>#a&amp;b</Path></Items></Paths></InvalidationBatch>"
            );
            match parse_batch(text.as_bytes()) {
                Ok(batch) => assert_eq!((accepted, &*batch.paths[0]), (true, "#a&b")),
                Err(error) => {
                    assert_eq!((accepted, error), (false, ApiError::InconsistentQuantities));
                }
            }
        }
    }
}
