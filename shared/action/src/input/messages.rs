//! Validation errors as messages beside the fields.

use super::secret::REDACTED;
use crate::FieldErrors;
use serde_json::Value;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// One message for each field that is wrong, by the field's name in the request (camelCase).
///
/// A message that the field's attribute gives is taken as it is. Otherwise it is made from the
/// code and the last word of the field's name: "Name is required", "Name too long", "Company
/// contains invisible characters", "Invalid id".
#[must_use]
pub fn field_errors(errors: &ValidationErrors) -> FieldErrors {
    let mut found = FieldErrors::new();
    collect(errors, "", &mut found);
    found
}

/// What validator calls a struct as a whole.
const WHOLE: &str = "__all__";

/// Nested structs are flattened: their fields stand beside the outer ones. An error without a name
/// belongs to the field `parent`. An error of a struct as a whole, for which no field alone is to
/// blame, belongs to the field that is its code, unless that field has an error of its own.
fn collect(errors: &ValidationErrors, parent: &str, found: &mut FieldErrors) {
    for (name, kind) in errors.errors() {
        let name = if name.is_empty() { parent } else { name };
        match kind {
            ValidationErrorsKind::Field(errors) if name == WHOLE => {
                for error in errors {
                    let field = found.entry(camel_case(&error.code));
                    field.or_insert_with(|| message(&error.code, error));
                }
            }
            ValidationErrorsKind::Field(errors) => {
                // One message a field. A text that is too long says that first.
                let first = errors.iter().find(|error| error.code == "length");
                if let Some(error) = first.or(errors.first()) {
                    found.insert(camel_case(name), message(name, error));
                }
            }
            ValidationErrorsKind::Struct(errors) => collect(errors, name, found),
            // No input has a list.
            ValidationErrorsKind::List(_) => {}
        }
    }
}

fn message(name: &str, error: &ValidationError) -> String {
    if let Some(message) = &error.message {
        return message.to_string();
    }
    let label = label(name);
    match &*error.code {
        "length" => length(&label, error),
        "invisible" => format!("{label} contains invisible characters"),
        _ => format!("Invalid {}", label.to_lowercase()),
    }
}

/// Which limit was missed: a length error has the value and the limits as its parameters.
fn length(label: &str, error: &ValidationError) -> String {
    let text = error.params.get("value").and_then(Value::as_str);
    let text = text.unwrap_or_default();
    let length = text.chars().count() as u64;
    let limit = |name| error.params.get(name).and_then(Value::as_u64);
    match (limit("min"), limit("max")) {
        (Some(_), _) if length == 0 => format!("{label} is required"),
        // The length of a secret is not known here.
        (Some(min), Some(max)) if text == REDACTED => {
            format!("{label} must have {min} to {max} characters")
        }
        (Some(min), _) if length < min => format!("{label} must be at least {min} characters"),
        _ => format!("{label} too long"),
    }
}

/// `current_password` as `Password`: the last word.
fn label(name: &str) -> String {
    let word = name.rsplit('_').next().unwrap_or(name);
    let mut characters = word.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// `current_password` as `currentPassword`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &label(word))
}
