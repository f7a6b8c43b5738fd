//! Parses request bodies of every kind into text fields.

use crate::Failure;
use crate::http::content_type::{Kind, kind};
use crate::http::fields::Fields;
use crate::http::request::RequestInfo;
use crate::http::{json, urlencoded};
use lambda_http::Request;
use multer::{Constraints, Multipart, SizeLimit};
use std::convert::Infallible;

/// The fields of the request's body.
///
/// # Errors
/// 413 if the body is too large, 415 for another content type, 400 if the body cannot be parsed.
pub(crate) async fn parse(request: &Request) -> Result<Fields, Failure> {
    let bytes = request.bytes()?;
    let encoding = request.header("content-encoding").unwrap_or("identity");
    if !encoding.trim().eq_ignore_ascii_case("identity") {
        return Err(Failure::unsupported(
            "The body is compressed, which is not supported",
        ));
    }
    let content_type = request.header("content-type").unwrap_or_default();
    match kind(content_type) {
        Some(Kind::Urlencoded) => urlencoded::parse(bytes),
        Some(Kind::Json) => json::parse(bytes),
        Some(Kind::Multipart) => multipart(content_type, bytes).await,
        None if bytes.is_empty() => Ok(Fields::default()),
        None => Err(Failure::unsupported(
            "The content type must be application/x-www-form-urlencoded, multipart/form-data or application/json",
        )),
    }
}

/// The fields of a multipart form (RFC 7578). Files are refused, because none of our forms has any.
async fn multipart(content_type: &str, bytes: &[u8]) -> Result<Fields, Failure> {
    let unreadable = |_| Failure::unreadable("The form cannot be read as multipart/form-data");
    let boundary = multer::parse_boundary(content_type).map_err(unreadable)?;
    let constraints =
        Constraints::new().size_limit(SizeLimit::new().whole_stream(bytes.len() as u64));
    let stream = futures_util::stream::iter([Ok::<_, Infallible>(bytes.to_vec())]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::from_event;
    use futures_util::FutureExt;
    use proptest::prelude::*;
    use serde_json::json;

    const MULTIPART: &str = "multipart/form-data; boundary=x";

    /// Parses a body with this content type. The parser never waits.
    fn read(content_type: &str, body: &str) -> Result<Fields, u16> {
        let event = json!({
            "headers": { "content-type": content_type },
            "requestContext": { "http": { "method": "POST" } },
            "body": body,
        });
        let request = from_event(event.to_string().as_bytes(), 1 << 20).unwrap();
        let parsed = parse(&request).now_or_never().unwrap();
        parsed.map_err(|failure| failure.status)
    }

    #[test]
    fn every_encoding_gives_the_same_fields() {
        let part = |name: &str, value: &str| {
            format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let multipart = part("name", "Zoë & Co") + &part("n", "1") + "--x--\r\n";
        let urlencoded = read(
            "application/x-www-form-urlencoded",
            "n=1&name=Zo%C3%AB+%26+Co",
        )
        .unwrap();
        assert_eq!(urlencoded.0["name"], "Zoë & Co");
        assert_eq!(
            read(
                "Application/JSON; charset=utf-8",
                r#"{"name":"Zoë & Co","n":1}"#
            )
            .unwrap(),
            urlencoded
        );
        assert_eq!(read(MULTIPART, &multipart).unwrap(), urlencoded);
    }

    #[test]
    fn an_unreadable_body_is_a_400() {
        let form = "application/x-www-form-urlencoded";
        let many = "&a=b".repeat(2);
        let too_many: String = (0..=Fields::MAX).map(|n| format!("&f{n}=")).collect();
        for body in [many.as_str(), &too_many, "a=%ff", "%c3=1", "a=%00"] {
            assert_eq!(read(form, body), Err(400), "{body}");
        }
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "1",
            "[]",
            "{",
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":1,"a":2}"#,
            "{}x",
            r#"{"a":"\u0000"}"#,
            &deep,
        ] {
            assert_eq!(read("application/json", body), Err(400), "{body:.20}");
        }
        for (content_type, body) in [
            ("multipart/form-data", "--x--\r\n"),
            (MULTIPART, "junk"),
            (
                MULTIPART,
                "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nno end",
            ),
            (
                MULTIPART,
                "--x\r\ncontent-disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\n1\r\n--x--\r\n",
            ),
        ] {
            assert_eq!(read(content_type, body), Err(400), "{body}");
        }
    }

    #[test]
    fn another_content_type_is_a_415_and_an_empty_body_has_no_fields() {
        for content_type in [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencodedx",
            "junk",
        ] {
            assert_eq!(read(content_type, "a=b"), Err(415), "{content_type}");
            assert_eq!(
                read(content_type, ""),
                Ok(Fields::default()),
                "{content_type}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_the_parser_panic(kind in 0..3usize, body in ".{0,400}") {
            let content_type = ["application/x-www-form-urlencoded", MULTIPART, "application/json"][kind];
            let _ = read(content_type, &body);
            let _ = read(MULTIPART, &format!("--x\r\n{body}\r\n--x--\r\n"));
        }

        #[test]
        fn a_value_that_a_browser_encodes_is_read_back(value in "[^\\x00]{0,80}") {
            let encoded: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
            let fields = read("application/x-www-form-urlencoded", &format!("a={encoded}")).unwrap();
            prop_assert_eq!(&fields.0["a"], &value);
            let fields = read("application/json", &json!({ "a": value }).to_string()).unwrap();
            prop_assert_eq!(&fields.0["a"], &value);
        }
    }
}
