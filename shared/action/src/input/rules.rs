//! Which characters a text may contain.

use super::{Lines, Text};
use validator::ValidationError;

/// The flags that are made of tag characters: England, Scotland, Wales
/// ([UTS #51](https://www.unicode.org/reports/tr51/), annex B).
const FLAGS: [&str; 3] = [
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Whether `c` has no width and no effect.
fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Whether `c` is invisible and can hide or reorder the characters around it: controls, the
/// overrides and isolates of the bidirectional algorithm
/// ([UAX #9](https://www.unicode.org/reports/tr9/)), zero-width spaces, tags. The joiners U+200C
/// and U+200D and the marks U+200E and U+200F stay allowed: Persian, Hindi, Hebrew and emoji need
/// them.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || is_zero_width(c)
        || matches!(c, '\u{180e}' | '\u{2028}'..='\u{202e}' | '\u{2061}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a character that `allowed` does not except can hide or reorder the rest of `text`.
fn is_deceptive_text(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    let has_deceptive = |text: &str| text.chars().any(|c| is_deceptive(c) && !allowed(c));
    if !has_deceptive(text) {
        return false;
    }
    let without_flags = FLAGS.iter().fold(text.to_owned(), |text, flag| {
        text.replace(flag, "\u{1f3f4}")
    });
    has_deceptive(&without_flags)
}

/// Refuses a text with invisible characters that can hide or reorder the rest of it. For
/// `#[validate(custom(function = visible))]`.
///
/// # Errors
/// The code `invisible`.
pub fn visible(text: &Text) -> Result<(), ValidationError> {
    check(!is_deceptive_text(text.as_str(), |_| false))
}

/// As [`visible`], for several lines: line breaks, tabs and characters without width do no harm
/// there.
///
/// # Errors
/// The code `invisible`.
pub fn visible_lines(lines: &Lines) -> Result<(), ValidationError> {
    let allowed = |c| matches!(c, '\n' | '\t') || is_zero_width(c);
    check(!is_deceptive_text(lines.as_str(), allowed))
}

fn check(is_valid: bool) -> Result<(), ValidationError> {
    if is_valid {
        Ok(())
    } else {
        Err(ValidationError::new("invisible"))
    }
}
