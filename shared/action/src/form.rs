//! Input as it arrives, and the errors it may hold: one message a field, every field at once.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One message for each field that is wrong, by the field's name.
pub type FieldErrors = BTreeMap<String, String>;

/// An action's input. Building one is validating it.
///
/// Its serialised form is what the audit keeps and what tells one input from another under the
/// same idempotency key, so a secret must serialise as a fixed text.
pub trait Input: Serialize + Clone + Send + Sync + Sized + 'static {
    /// Reads every field of `form`, so that every error is found, then builds the input.
    ///
    /// # Errors
    /// [`Invalid`], which only [`Form`] makes, having noted the message beside the field.
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid>;
}

/// No fields at all.
impl Input for () {
    fn parse(_: &mut Form<'_>) -> Result<Self, Invalid> {
        Ok(())
    }
}

/// Proof that an error has been noted beside a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid(());

/// Whether `c` shows nothing, has no width, and moves nothing.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// `text` without white space at its ends, nor what programs put there when they copy: a phone
/// number from a Mac's contacts stands between an override and its end (UAX #9), and a file begins
/// with a byte order mark.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace()
            || is_unseen(c)
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// The fields of one request, and the errors found so far.
#[derive(Debug)]
pub struct Form<'a> {
    values: &'a BTreeMap<String, String>,
    errors: FieldErrors,
}

impl<'a> Form<'a> {
    /// A form with these values. A missing field counts as an empty one.
    #[must_use]
    pub fn new(values: &'a BTreeMap<String, String>) -> Self {
        Self {
            values,
            errors: FieldErrors::new(),
        }
    }

    /// The field, [trimmed](trim), as `parse` makes of it.
    ///
    /// # Errors
    /// [`Invalid`] where `parse` gives an error, whose text is then the field's message.
    pub fn field<T, E: ToString>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Invalid> {
        self.verbatim(name, |text| parse(trim(text)))
    }

    /// The field, trimmed, as `parse` makes of it; `None` where nothing is left.
    ///
    /// # Errors
    /// As [`Form::field`].
    pub fn optional<T, E: ToString>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Invalid> {
        self.field(name, |text| {
            if text.is_empty() {
                Ok(None)
            } else {
                parse(text).map(Some)
            }
        })
    }

    /// The field to the letter, as `parse` makes of it: for a password.
    ///
    /// # Errors
    /// As [`Form::field`].
    pub fn verbatim<T, E: ToString>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Invalid> {
        let text = self.values.get(name).map_or("", String::as_str);
        parse(text).map_err(|error| {
            self.errors.insert(name.to_owned(), error.to_string());
            Invalid(())
        })
    }

    /// Parses the whole form.
    ///
    /// # Errors
    /// Every field's message.
    pub fn parse<I: Input>(mut self) -> Result<I, FieldErrors> {
        I::parse(&mut self).map_err(|Invalid(())| self.errors)
    }
}

/// The hidden field that names the organisation on whose page a form stands. Somebody who has
/// switched to another one meanwhile must not write there what they meant for here.
pub const TENANT_FIELD: &str = "for_tenant";

/// What a form page shows: empty at first; after a refused submit, the input and its errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FormState {
    /// The values to put back into the fields. Never holds a secret.
    pub values: BTreeMap<String, String>,
    /// One message beside each field that is wrong.
    pub errors: FieldErrors,
    /// What is wrong as a whole.
    pub error: Option<String>,
    /// The idempotency key of the next submit.
    pub key: String,
    /// The record as it is now, where the caller's version of it is stale.
    pub current: Option<Value>,
    /// The record that has what must be unique.
    pub existing: Option<String>,
    /// Whether the session has ended, so that the user must sign in and send again.
    pub signed_out: bool,
}

impl FormState {
    /// The value of a field, or an empty text.
    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// The message beside a field.
    #[must_use]
    pub fn field_error(&self, field: &str) -> Option<&str> {
        self.errors.get(field).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Serialize, PartialEq)]
    struct Pair(String, Option<u8>);

    impl Input for Pair {
        fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
            let word = form.field("word", |t| {
                if t.is_empty() {
                    Err("No word")
                } else {
                    Ok(t.to_owned())
                }
            });
            let number = form.optional("number", |t| t.parse().map_err(|_| "No number"));
            Ok(Self(word?, number?))
        }
    }

    fn parse(fields: &[(&str, &str)]) -> Result<Pair, FieldErrors> {
        let values = fields
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Form::new(&values).parse()
    }

    #[test]
    fn every_error_is_told_at_once() {
        let errors = parse(&[("number", "many")]).unwrap_err();
        assert_eq!(errors["word"], "No word");
        assert_eq!(errors["number"], "No number");
    }

    #[test]
    fn text_is_trimmed_and_an_empty_optional_is_absent() {
        assert_eq!(parse(&[("word", " a ")]), Ok(Pair("a".into(), None)));
        assert_eq!(
            parse(&[("word", "a"), ("number", "  ")]),
            Ok(Pair("a".into(), None))
        );
        assert_eq!(
            parse(&[("word", "a"), ("number", " 7 ")]),
            Ok(Pair("a".into(), Some(7)))
        );
        assert_eq!(
            parse(&[("word", "\u{feff}a"), ("number", "\u{202d}7\u{202c} ")]),
            Ok(Pair("a".into(), Some(7)))
        );
        assert_eq!(
            parse(&[("word", "a"), ("number", "\u{200b}")]),
            Ok(Pair("a".into(), None))
        );
    }
}
