//! JSON bodies: one object with plain values.

use crate::Failure;
use crate::http::fields::Fields;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;

/// The fields in `bytes`. Numbers and booleans become text. A field that is null counts as missing. A
/// nested object or list is refused, and so is a name that occurs twice.
pub(crate) fn parse(bytes: &[u8]) -> Result<Fields, Failure> {
    let Object(pairs) = serde_json::from_slice(bytes)
        .map_err(|_| Failure::unreadable("The body is not a JSON object of plain values"))?;
    let (mut fields, mut nulls) = (Fields::default(), Vec::new());
    for (name, Scalar(value)) in pairs {
        if value.is_none() {
            nulls.push(name.clone());
        }
        fields.insert(name, value.unwrap_or_default())?;
    }
    for name in nulls {
        fields.0.remove(&name);
    }
    Ok(fields)
}

struct Object(Vec<(String, Scalar)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                    if pairs.len() > Fields::MAX {
                        return Err(A::Error::custom("too many fields"));
                    }
                }
                Ok(Object(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

/// A plain value as text; `None` if it is null.
struct Scalar(Option<String>);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, number, boolean or null")
            }

            fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_owned())))
            }

            fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
                Ok(Scalar(Some(value)))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_string())))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_string())))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_string())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(Some(value.to_string())))
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar(None))
            }
        }

        deserializer.deserialize_any(Text)
    }
}
