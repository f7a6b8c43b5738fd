//! The texts of the domain: names, companies, phone numbers, notes, emails.

use action::input::trim;
use action::{Lines, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Defines a text type that is made from a validated field of an input.
macro_rules! text {
    ($(#[$meta:meta])* $name:ident, $field:ty, at most $max:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(inline)]
        pub struct $name(String);

        impl $name {
            /// The most characters that the field may have.
            pub const MAX: u64 = $max;

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Takes a field whose limits the wrapper has checked.
        impl From<&$field> for $name {
            fn from(field: &$field) -> Self {
                Self(field.as_str().to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// The name of a user, a contact or a project.
    Name, Text, at most 100
}
text! {
    /// The name of an organisation.
    OrganizationName, Text, at most 100
}
text! {
    /// The company that a contact works for.
    Company, Text, at most 100
}
text! {
    /// A phone number, in any format. An extension may follow its characters.
    Phone, Text, at most 20
}
text! {
    /// Free text about a contact, of several lines.
    Notes, Lines, at most 500
}

/// Error: the text is not an email address. Displays as the message for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidEmail;

impl fmt::Display for InvalidEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invalid email format")
    }
}

/// An email address, in the letter case in which it was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Email(#[schemars(email, length(max = Email::MAX))] String);

impl Email {
    /// The most characters of an address.
    pub const MAX: u64 = 255;

    /// Parses an address and trims it. It must be a
    /// [valid email address of HTML](https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address) of at most 255
    /// characters. Before the `@` it has at most 64 characters and no dot at the start, at the end
    /// or next to another dot.
    ///
    /// # Errors
    /// [`InvalidEmail`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = trim(text);
        let (local, domain) = text.split_once('@').unwrap_or_default();
        let valid = text.len() as u64 <= Self::MAX
            && local.len() <= 64
            && local.split('.').all(is_atom)
            && domain.split('.').all(is_label);
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEmail)
        }
    }

    /// The address as it was entered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in lower case, which must be unique.
    #[must_use]
    pub fn unique(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        Self::parse(text)
    }
}

/// Whether the text is allowed between the dots before the `@`.
fn is_atom(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Whether the text is a label of a domain name (RFC 1034, section 3.5).
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let bounded = !text.starts_with('-') && !text.ends_with('-');
    (1..=63).contains(&text.len()) && bounded && text.bytes().all(inner)
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_email_is_accepted_if_html_accepts_it() {
        for email in [
            "a@b",
            "ada@example.com",
            "A.B+c@x-y.example",
            "o'neil@example.ie",
            "!#$%&'*+/=?^_`{|}~-@x.y",
        ] {
            assert!(Email::parse(email).is_ok(), "{email:?}");
        }
        for email in [
            "",
            "a",
            "@b",
            "a@",
            "a@b.",
            "a@.b",
            "a@-b",
            "a@b-",
            "a@b..c",
            "a b@c",
            "a@b c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@[127.0.0.1]",
            "a@bücher.example",
            "é@b",
            "a@b@c",
            "a@b\n",
            "a\u{0}@b",
            "\"a\"@b",
            "<a@b>",
        ] {
            // The line break at the end is trimmed, like all white space.
            assert_eq!(Email::parse(email).is_ok(), email == "a@b\n", "{email:?}");
        }
    }

    proptest::proptest! {
        /// The validator library uses the pattern of HTML, but accepts more than that.
        #[test]
        fn an_email_is_accepted_if_the_pattern_of_html_matches(
            text in "([a-z.!#$%&'*+/=?^_`{|}~\"(,:;<> -]{0,5}|a{60,66})@([a-zA-Z0-9._\\[@-]{0,6}|b{61,65}\\.c)"
        ) {
            use validator::ValidateEmail;
            let trimmed = text.trim();
            let local = trimmed.rsplit_once('@').map_or("", |(local, _)| local);
            let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
            proptest::prop_assert_eq!(
                Email::parse(&text).is_ok(),
                trimmed.validate_email() && !dots && !trimmed.contains('['),
                "{}", text
            );
        }
    }

    #[test]
    fn an_email_has_at_most_255_characters_and_64_before_the_at() {
        let domain = |n: usize| format!("{}.{}", "d".repeat(60), "e".repeat(n - 61));
        assert!(Email::parse(&format!("{}@x.y", "a".repeat(64))).is_ok());
        assert!(Email::parse(&format!("{}@x.y", "a".repeat(65))).is_err());
        let long = |n: usize| {
            format!(
                "{}@{}.{}",
                "a".repeat(64),
                domain(120),
                "f".repeat(n - 64 - 1 - 120 - 1).as_str()
            )
        };
        assert_eq!(long(248).len(), 248);
        assert!(Email::parse(&long(248)).is_ok());
        let too_long = format!(
            "{}@{d}.{d}.{d}.{}",
            "a".repeat(64),
            "b".repeat(10),
            d = "d".repeat(59)
        );
        assert_eq!(too_long.len(), 255);
        assert!(Email::parse(&too_long).is_ok());
        assert!(Email::parse(&format!("{too_long}b")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in "\\PC{0,300}|.{0,300}") {
            let _ = Email::parse(&text);
        }
    }
}
