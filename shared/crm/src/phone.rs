//! Phone numbers, which may have an extension.

use crate::digits::{digit, digits};
use crate::{Phone, fold};
use action::Text;
use action::input::{is_default_ignorable, trim};
use std::borrow::Cow;
use validator::ValidationError;

/// What stands before an extension, [folded](fold). The first ones are those of
/// [libphonenumber](https://github.com/google/libphonenumber).
const LABELS: &[&str] = &[
    "ext",
    "extn",
    "xt",
    "xtn",
    "exten",
    "extens",
    "extension",
    "extensión",
    "extensao",
    "extensão",
    "доб",
    "anexo",
    "x",
    "#",
    "~",
    "int",
    ";ext",
    ";",
    ",,",
    // English
    "extension no",
    "ext no",
    "extension number",
    // German
    "durchwahl",
    "dw",
    "nebenstelle",
    "nst",
    "apparat",
    "app",
    "klappe",
    "kl",
    // French, Italian, Portuguese, Spanish
    "poste",
    "p",
    "interno",
    "interne",
    "ramal",
    "anx",
    "ane",
    // Dutch, Danish, Norwegian, Swedish, Finnish
    "toestel",
    "tst",
    "lokal",
    "lok",
    "lokalnummer",
    "anknytning",
    "ankn",
    "anslutning",
    "alanumero",
    // Czech, Slovak, Polish, Hungarian, Turkish, Greek
    "linka",
    "klapka",
    "wewnętrzny",
    "wewn",
    "wew",
    "mellék",
    "dahili",
    "εσωτ",
    "εσωτερικό",
    // Russian, Ukrainian, Bulgarian
    "добавочный",
    "внутренний",
    "внутр",
    "вн",
    "вътр",
    // Japanese, Chinese, Korean, Thai, Vietnamese
    "内線",
    "内線番号",
    "转",
    "轉",
    "转分机",
    "轉分機",
    "分机",
    "分機",
    "内线",
    "내선",
    "ต่อ",
    "máy lẻ",
];

/// Labels of scripts that write from right to left.
const LABELS_TO_THE_LEFT: [&str; 4] = ["داخلی", "داخلي", "تحويلة", "שלוחה"];

/// The most digits of an extension.
const DIGITS: usize = 20;

impl Phone {
    /// The most characters of a number with its extension.
    pub const LONGEST: u64 = 60;

    /// The number to dial, for a `tel:` link
    /// ([RFC 3966](https://www.rfc-editor.org/rfc/rfc3966#section-3)): `+494333633333;ext=543`.
    /// `None` if the text has more than a number in it, because then it is unclear which digits to
    /// dial.
    #[must_use]
    pub fn dialed(&self) -> Option<String> {
        let (number, extension) = split(self.as_str());
        let mut dialed = dialed(number)?;
        if let Some(extension) = extension {
            dialed.push_str(";ext=");
            dialed.push_str(&extension);
        }
        Some(dialed)
    }
}

/// Whether the text has a digit, so that somebody can be reached by it.
pub(crate) fn is_number(text: &Text) -> bool {
    text.as_str().chars().any(|c| digit(c).is_some())
}

/// Refuses a phone number that is too long, not counting its extension. For
/// `#[validate(custom(function = phone_number))]`.
///
/// # Errors
/// The message for the user.
pub fn phone_number(text: &Text) -> Result<(), ValidationError> {
    let (number, extension) = split(text.as_str());
    let [length, all] = [number, text.as_str()].map(|text| text.chars().count() as u64);
    let message: Cow<'static, str> = if length > Phone::MAX {
        let and = if extension.is_none() {
            ", and an extension"
        } else {
            " before the extension"
        };
        format!(
            "Phone too long: it has {length} characters; {} fit{and}",
            Phone::MAX
        )
        .into()
    } else if all > Phone::LONGEST {
        format!(
            "Phone too long: it has {all} characters; {} fit",
            Phone::LONGEST
        )
        .into()
    } else {
        return Ok(());
    };
    Err(ValidationError::new("phone").with_message(message))
}

/// Splits a text into the number and the digits of its extension. Without an extension, all of it is
/// the number.
fn split(text: &str) -> (&str, Option<String>) {
    match extension(text) {
        Some((number, extension)) => (number, Some(extension)),
        None => (text, None),
    }
}

fn extension(text: &str) -> Option<(&str, String)> {
    let rest = trim(text);
    let (rest, bracket) = match rest.strip_suffix([')', '）', ']']) {
        Some(inner) => (trim(inner), true),
        None => (rest, false),
    };
    let rest = rest.strip_suffix(['#', '＃']).unwrap_or(rest);
    let labelled = rest.trim_end_matches(|c| digit(c).is_some());
    let own = digits(rest.get(labelled.len()..)?);
    if !(1..=DIGITS).contains(&own.len()) {
        return None;
    }
    let number = before_label(labelled)?;
    let number = match bracket {
        true => trim(number).strip_suffix(['(', '（', '['])?,
        false => number,
    };
    let number = number.trim_end_matches(|c| is_between(c) || c == ';');
    (digits(number).len() > 1).then_some((number, own))
}

/// Whether `c` may stand between a number, the label and the extension.
fn is_between(c: char) -> bool {
    c.is_whitespace() || is_default_ignorable(c) || ":.,=-–—/：．，－".contains(c)
}

/// What stands before the label at the end of `text`; `None` if there is none.
fn before_label(text: &str) -> Option<&str> {
    let without_dots = text.trim_end_matches(is_between);
    // ",," is a label itself.
    [without_dots, text.trim_end()]
        .into_iter()
        .find_map(|text| {
            let starts = text.char_indices().map(|(start, _)| start);
            starts
                .rev()
                .take(20)
                .filter_map(|start| {
                    let (before, label) = text.split_at_checked(start)?;
                    is_label(before, &fold(label)).then_some(before)
                })
                .last()
        })
}

/// Whether `label` introduces an extension after `before`. A label of letters is a word of its own,
/// except in scripts without spaces between words.
fn is_label(before: &str, label: &str) -> bool {
    let is_known = LABELS.contains(&label) || LABELS_TO_THE_LEFT.contains(&label);
    let begins = |c: char| c.is_alphabetic() && c < '\u{e00}';
    let is_inside = before.ends_with(char::is_alphabetic) && label.starts_with(begins);
    is_known && !is_inside
}

/// The digits of a number, and a `+` before them.
fn dialed(number: &str) -> Option<String> {
    let is_separator = |c: char| {
        c.is_whitespace() || is_default_ignorable(c) || "-()./\u{2010}\u{2011}\u{2013}".contains(c)
    };
    let shown = fold(number);
    // "+44 (0)20": the zero is dialed only within the country.
    let number = match shown.strip_prefix('+') {
        Some(international) => format!("+{}", international.replacen("(0)", "", 1)),
        None => shown,
    };
    let dialed: String = number
        .chars()
        .filter(|c| !is_separator(*c))
        .map(|c| digit(c).unwrap_or(c))
        .collect();
    let digits = dialed.strip_prefix('+').unwrap_or(&dialed);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(dialed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Phone {
        Phone::from(&Text::from(text))
    }

    #[test]
    fn an_extension_follows_a_number_in_every_usual_spelling() {
        for label in [
            " ext. 543",
            " ext 543",
            " EXT:543",
            " Ext.543",
            "ext543",
            " x543",
            "x543",
            " x 543",
            " X. 543",
            " #543",
            "#543",
            " extension 543",
            " extn. 543",
            ";ext=543",
            " ;ext=543",
            " доб. 543",
            " (доб. 543)",
            " [ext. 543]",
            " Durchwahl 543",
            " DW 543",
            " -DW 543",
            " poste 543",
            " ext/543",
            " int. 543",
            " anexo 543",
            " 内線543",
            " 内線：５４３",
            "转543",
            " 分机 543",
            "轉分機543",
            " ext. 543#",
            " ｅｘｔ．５４３",
            " extensio\u{301}n 543",
            " Extensión: 543",
            " ramal 543",
            " toestel 543",
            " ต่อ 543",
            " máy lẻ 543",
            " 내선 543",
            " داخلی ۵۴۳",
            ",,543",
            ", ext. 543",
            " - ext. 543",
            "~543",
            " вн. 543",
            " wewn. 543",
        ] {
            let text = format!("+49 4333 633333{label}");
            assert_eq!(phone_number(&Text::from(&*text)), Ok(()), "{text}");
            let dialed = phone(&text).dialed();
            assert_eq!(dialed.as_deref(), Some("+494333633333;ext=543"), "{text}");
        }
    }

    #[test]
    fn the_number_itself_has_at_most_20_characters() {
        for (text, message) in [
            (
                "123456789012345678901",
                "Phone too long: it has 21 characters; 20 fit, and an extension",
            ),
            (
                "+1 (555) 123-4567 890123 x1",
                "Phone too long: it has 24 characters; 20 fit before the extension",
            ),
            (
                "call me tomorrow, next 5",
                "Phone too long: it has 24 characters; 20 fit, and an extension",
            ),
            (
                "reach me on my mobile x5",
                "Phone too long: it has 24 characters; 20 fit, and an extension",
            ),
            (
                "12345678901234 ext. 123456789012345678901",
                "Phone too long: it has 41 characters; 20 fit, and an extension",
            ),
        ] {
            let error = phone_number(&Text::from(text)).unwrap_err();
            assert_eq!(error.message.as_deref(), Some(message), "{text}");
        }
        let spaced = format!("+1 555 123 4567 ext{}5", " ".repeat(50));
        assert!(phone_number(&Text::from(&*spaced)).is_err());
        for text in [
            "12345678901234567890",
            "12345678901234567890 ext. 12345678901234567890",
            "",
            "n/a",
        ] {
            assert_eq!(phone_number(&Text::from(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn only_a_plain_number_is_dialed() {
        for (text, dialed) in [
            ("+44 (0)20-7946", Some("+44207946")),
            ("(030) 794/609", Some("030794609")),
            ("030.123\u{a0}456", Some("030123456")),
            ("＋４９ ３０ １２３", Some("+4930123")),
            ("٠٣٠ ١٢٣", Some("030123")),
            ("+ext", None),
            ("555-1234 ext. 5", Some("5551234;ext=5")),
            ("1-800-FLOWERS", None),
            ("1-800-FLOWERS ext. 5", None),
            ("030 1234, 030 5678", None),
            ("+", None),
            ("+1+2", None),
            ("x5", None),
        ] {
            assert_eq!(phone(text).dialed().as_deref(), dialed, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}|[0-9 extx#().,;:=~доб内線]{0,60}") {
            let phone = phone(&text);
            let dialed = phone.dialed().unwrap_or_default();
            let allowed = |c: char| c.is_ascii_digit() || "+;ext=".contains(c);
            proptest::prop_assert!(dialed.chars().all(allowed));
        }
    }
}
