//! Texts as a user enters them.

use super::unseen::{is_blank, trim};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::Error as ValueError;
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use validator::ValidateLength;

/// A text of one line, [trimmed](trim). One that shows nothing is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(String);

/// A text of several lines, trimmed. Every line break is one `\n`: a browser sends CR LF, and
/// counts it as one character.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(String);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(without_blank(text).to_owned())
    }
}

impl From<&str> for Lines {
    fn from(text: &str) -> Self {
        let text = without_blank(text).replace("\r\n", "\n");
        Self(text.replace(['\r', '\u{2028}', '\u{2029}'], "\n"))
    }
}

fn without_blank(text: &str) -> &str {
    if is_blank(text) { "" } else { trim(text) }
}

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether it is empty.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(&*Cow::<'de, str>::deserialize(deserializer)?))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        /// In characters.
        impl ValidateLength<u64> for $name {
            fn length(&self) -> Option<u64> {
                Some(self.0.chars().count() as u64)
            }
        }

        /// Inline, so that the limits of a field stand beside its type.
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string" })
            }
        }
    };
}

text!(Text);
text!(Lines);

/// Reads an optional field: a blank one is `None`. For
/// `#[serde(deserialize_with = "optional")]`.
///
/// # Errors
/// If `T` cannot be read from a text.
pub fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    if is_blank(&text) {
        return Ok(None);
    }
    let deserializer: serde::de::value::CowStrDeserializer<'_, ValueError> =
        text.into_deserializer();
    T::deserialize(deserializer)
        .map(Some)
        .map_err(D::Error::custom)
}

/// Reads a field whose wrong values count as none: it gets no error. For
/// `#[serde(deserialize_with = "lenient")]`.
///
/// # Errors
/// If the field is not a text.
pub fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
{
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    Ok(trim(&text).parse().ok())
}
