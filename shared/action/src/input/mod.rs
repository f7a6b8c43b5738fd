//! Inputs: structs whose fields are read from a request's form and then validated.
//!
//! An input derives `Deserialize`, `Serialize`, `Validate` and `JsonSchema`. Its limits are written
//! once, as attributes of its fields, and become the validation, the JSON Schema and the OpenAPI
//! document. Reading a field never fails, so that one wrong field does not hide the errors of the
//! others: what a user types is a [`Text`], [`Lines`], [`Secret`] or [`Parsed`] value until the
//! whole input has been validated.
//!
//! | what | attribute |
//! |---|---|
//! | the struct | `#[serde(default)]`: a missing field counts as an empty one |
//! | a text | `#[validate(length(min = 1, max = …), custom(function = visible))]` |
//! | a [`Parsed`] value, or a flattened struct | `#[validate(nested)]` |
//! | an `Option` of one of these | `#[serde(deserialize_with = "optional")]`: a blank field is `None` |
//! | a rule over several fields | `#[validate(schema(function = …, skip_on_field_errors = false))]` on the struct; the error's code is the field that it belongs to |
//! | an `Option` of a value whose wrong texts count as none | `#[serde(deserialize_with = "lenient")]` |

mod messages;
mod parsed;
mod rules;
mod secret;
mod text;
mod unseen;

pub use messages::field_errors;
pub use parsed::Parsed;
pub use rules::{visible, visible_lines};
pub use secret::Secret;
pub use text::{Lines, Text, lenient, optional};
pub use unseen::{is_default_ignorable, trim};

use crate::FieldErrors;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, MapDeserializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use validator::Validate;

/// The input of an action, or the parameters of a view.
///
/// Its serialised form is kept in the audit, and decides whether two requests with the same
/// idempotency key have the same input. So a [`Secret`] serialises as a fixed text.
pub trait Input:
    DeserializeOwned + Serialize + Validate + JsonSchema + Clone + Send + Sync + 'static
{
}

impl<T> Input for T where
    T: DeserializeOwned + Serialize + Validate + JsonSchema + Clone + Send + Sync + 'static
{
}

/// An input, or an output, without fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, Validate, JsonSchema)]
pub struct Empty {}

/// Why a request's fields are not a valid input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InputError {
    /// Fields are wrong: one message for each.
    #[error("invalid input")]
    Invalid(FieldErrors),
    /// A field has a type whose `Deserialize` fails, which hides the errors of the others: use one
    /// of this module's types.
    #[error("an input has a field that cannot be read from a form: {0}")]
    Unreadable(#[from] Error),
}

/// Reads an input from the fields of a request, and validates it. A missing field counts as an
/// empty one, if the input has `#[serde(default)]`.
///
/// # Errors
/// [`InputError::Invalid`] with the message of every field that is wrong.
pub fn read<I: Input>(fields: &BTreeMap<String, String>) -> Result<I, InputError> {
    let pairs = fields
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let input = I::deserialize(MapDeserializer::<_, Error>::new(pairs))?;
    match input.validate() {
        Ok(()) => Ok(input),
        Err(errors) => Err(InputError::Invalid(field_errors(&errors))),
    }
}

#[cfg(test)]
mod tests;
