//! Fields that are more than text: ids, versions, roles, emails.

use super::Text;
use crate::ActionError;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

/// A field that is parsed from its trimmed text. Reading it never fails. Validating it fails if the text
/// cannot be parsed, with the parser's error as the message. The field needs `#[validate(nested)]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<T> {
    text: Text,
    value: Option<T>,
}

impl<T> Parsed<T> {
    /// The value.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if the text could not be parsed. Validation finds that first, unless the
    /// field lacks `#[validate(nested)]`.
    pub fn get(&self) -> Result<&T, ActionError> {
        self.value
            .as_ref()
            .ok_or_else(|| ActionError::Internal("a field was not validated".to_owned()))
    }

    /// The text as it was sent, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }
}

impl<T: FromStr> From<&str> for Parsed<T> {
    fn from(text: &str) -> Self {
        let text = Text::from(text);
        let value = text.as_str().parse().ok();
        Self { text, value }
    }
}

/// The empty text.
impl<T: FromStr> Default for Parsed<T> {
    fn default() -> Self {
        Self::from("")
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(&*Cow::<'de, str>::deserialize(deserializer)?))
    }
}

/// The value, or the text if it could not be parsed.
impl<T: Serialize> Serialize for Parsed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Some(value) => value.serialize(serializer),
            None => self.text.serialize(serializer),
        }
    }
}

impl<T: FromStr<Err: Display>> Validate for Parsed<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let Err(error) = self.text.as_str().parse::<T>() else {
            return Ok(());
        };
        let error = ValidationError::new("parsed").with_message(error.to_string().into());
        // Without a name: the error belongs to the field that holds this value.
        let errors = ValidationErrorsKind::Field(vec![error]);
        Err(ValidationErrors(HashMap::from([(
            Cow::Borrowed(""),
            errors,
        )])))
    }
}

impl<T: JsonSchema> JsonSchema for Parsed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
