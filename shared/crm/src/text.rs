//! Texts that can only be built by following their rule.

use action::{is_unseen, trim};
use serde::{Deserialize, Serialize};
use std::fmt;
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

/// A text breaks its rule; displays as the message beside the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidText(pub &'static str);

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The flags that are made of tags: England, Scotland, Wales (UTS #51, annex B).
const FLAGS: [&str; 3] = [
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Whether `c` shows nothing and can hide or reorder what stands around it: controls, the
/// overrides and isolates of Unicode's bidirectional algorithm (UAX #9), zero-width spaces, tags.
/// The joiners U+200C and U+200D and the marks U+200E and U+200F stay allowed: Persian, Hindi,
/// Hebrew and emoji need them.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || is_unseen(c)
        || matches!(c, '\u{180e}' | '\u{2028}'..='\u{202e}' | '\u{2061}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` with one character for each line break. A browser sends CR LF and counts it as one;
/// others are pasted.
fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace(['\r', '\u{2028}', '\u{2029}'], "\n")
}

/// Whether something in `text` can hide or reorder the rest. In a text of several lines that
/// stands by itself what has no width does no harm.
fn deceives(text: &str, lines: bool) -> bool {
    let harmless = |c| lines && (matches!(c, '\n' | '\t') || is_unseen(c));
    let hides = |text: &str| text.chars().any(|c| is_deceptive(c) && !harmless(c));
    let beside_flags = || {
        let seen = |text: String, flag: &&str| text.replace(flag, "\u{1f3f4}");
        FLAGS.iter().fold(text.to_owned(), seen)
    };
    hides(text) && hides(&beside_flags())
}

/// Whether nothing of `text` can be seen.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace() || is_deceptive(c) || matches!(c, '\u{200c}'..='\u{200f}' | '\u{00ad}')
    })
}

macro_rules! text {
    (
        $(#[$meta:meta])*
        $name:ident, max $max:literal, $(required $required:literal,)?
        long $long:literal, odd $odd:literal, lines $lines:literal
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("The text, trimmed, where it has at most ", $max, " characters and")]
            /// nothing that hides or reorders the rest of it.
            ///
            /// # Errors
            /// The message for the user.
            pub fn parse(text: &str) -> Result<Self, InvalidText> {
                $(if is_blank(text) {
                    return Err(InvalidText($required));
                })?
                let text = trim(text);
                let text = if $lines { with_line_feeds(text) } else { text.to_owned() };
                if text.chars().count() > $max {
                    return Err(InvalidText($long));
                }
                if deceives(&text, $lines) {
                    return Err(InvalidText($odd));
                }
                Ok(Self(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
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
    /// The name of a person.
    Name, max 100, required "Name is required", long "Name too long",
    odd "Name contains invisible characters", lines false
}
text! {
    /// The name of an organisation that uses the product.
    OrganizationName, max 100, required "Organization is required", long "Organization too long",
    odd "Organization contains invisible characters", lines false
}
text! {
    /// The company that a contact works for.
    Company, max 100, long "Company too long", odd "Company contains invisible characters", lines false
}
text! {
    /// A phone number, as people write it.
    Phone, max 20, long "Phone too long", odd "Phone contains invisible characters", lines false
}
text! {
    /// Free text about a contact, of several lines.
    Notes, max 500, long "Notes too long", odd "Notes contain invisible characters", lines true
}

/// An email address, in the letter case it was given in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The address, trimmed, where it is a
    /// [valid email address of HTML](https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address)
    /// of at most 255 characters, with at most 64 before the `@`, among them no leading, trailing
    /// or doubled dot.
    ///
    /// # Errors
    /// The message for the user.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let text = trim(text);
        let (local, domain) = text.split_once('@').unwrap_or_default();
        let valid = text.len() <= 255
            && local.len() <= 64
            && local.split('.').all(is_atom)
            && domain.split('.').all(is_label);
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidText("Invalid email format"))
        }
    }

    /// The address as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in lower case, under which it is unique.
    #[must_use]
    pub fn unique(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// Whether the text stands between dots before the `@`.
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

/// `text` in the form in which texts are compared without regard to case: Unicode's full case
/// folding over its canonical composition, so that `É` in either encoding finds `é`.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let composed: String = text.nfc().collect();
    UniCase::unicode(composed).to_folded_case().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_required_and_has_at_most_100_characters() {
        assert_eq!(Name::parse("  "), Err(InvalidText("Name is required")));
        assert_eq!(
            Name::parse("\u{200b}\u{200d}\u{feff}"),
            Err(InvalidText("Name is required"))
        );
        assert_eq!(
            Name::parse(&"é".repeat(101)),
            Err(InvalidText("Name too long"))
        );
        assert_eq!(
            Name::parse(&format!(" {} ", "é".repeat(100))).map(|n| n.to_string()),
            Ok("é".repeat(100))
        );
    }

    #[test]
    fn names_in_any_script_pass_and_hidden_reordering_does_not() {
        for name in [
            "محمد",
            "שרה",
            "می‌خواهم",
            "👩‍💻 Ada",
            "Zoë",
            "李小龍",
            "__proto__",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿 Ada",
            "Ada 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        ] {
            assert_eq!(
                Name::parse(name).map(|n| n.to_string()),
                Ok(name.to_owned())
            );
        }
        for name in [
            "Ada\u{202e}ecalevoL",
            "A\u{200b}da",
            "Ada\u{0}",
            "Ada\nLovelace",
            "A\u{2066}da",
            "Ada\u{1f3f4}\u{e0041}",
        ] {
            assert_eq!(
                Name::parse(name),
                Err(InvalidText("Name contains invisible characters")),
                "{name:?}"
            );
        }
    }

    #[test]
    fn what_a_copy_brings_along_is_no_part_of_a_text() {
        assert_eq!(
            Phone::parse("\u{202d}+49 30 123456\u{202c}").map(|p| p.to_string()),
            Ok("+49 30 123456".to_owned())
        );
        assert_eq!(
            Name::parse("\u{feff}Paul \u{200b}").map(|n| n.to_string()),
            Ok("Paul".to_owned())
        );
        assert_eq!(
            Email::parse("\u{200b}ada@example.com").map(|e| e.to_string()),
            Ok("ada@example.com".to_owned())
        );
        assert_eq!(
            Company::parse("\u{200b}").map(|c| c.to_string()),
            Ok(String::new())
        );
        let pasted = "one\rtwo\u{2028}three\u{feff}\u{200b}";
        assert_eq!(
            Notes::parse(&format!("{pasted}!")).map(|n| n.to_string()),
            Ok("one\ntwo\nthree\u{feff}\u{200b}!".to_owned())
        );
        assert!(Notes::parse("a\u{202e}b").is_err());
    }

    #[test]
    fn notes_have_lines_and_a_line_break_counts_once() {
        let sent = "a\r\n".repeat(249) + "bc";
        assert_eq!(
            Notes::parse(&sent).map(|n| n.to_string()),
            Ok("a\n".repeat(249) + "bc")
        );
    }

    #[test]
    fn an_email_is_what_html_accepts() {
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
            // The trailing line break is trimmed like any white space.
            assert_eq!(Email::parse(email).is_ok(), email == "a@b\n", "{email:?}");
        }
    }

    proptest::proptest! {
        /// The library has the pattern of HTML, and takes more besides.
        #[test]
        fn an_email_is_what_the_pattern_of_html_accepts(
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

    #[test]
    fn folding_finds_text_in_any_case_and_encoding() {
        assert_eq!(fold("É"), fold("é"));
        assert_eq!(fold("E\u{301}"), fold("é"));
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in "\\PC{0,300}|.{0,300}") {
            let _ = (Name::parse(&text), Notes::parse(&text), Email::parse(&text), Phone::parse(&text));
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn what_was_parsed_parses_to_itself(text in ".{0,120}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
            }
        }
    }
}
