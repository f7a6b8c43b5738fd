//! Characters that show nothing.

use std::cmp::Ordering;

/// Unicode's [Default_Ignorable_Code_Point](https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point):
/// what a font need not show. The ranges include code points that are not assigned yet, so they
/// change rarely; a test compares them with those of `regex-syntax`.
const IGNORABLE: [(char, char); 17] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether Unicode lets a font show nothing for `c`.
#[must_use]
pub fn is_default_ignorable(c: char) -> bool {
    let order = |(first, last): &(char, char)| match (*last < c, c < *first) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => Ordering::Equal,
    };
    IGNORABLE.binary_search_by(order).is_ok()
}

/// Whether `c` is a symbol or a letter without ink: the blank Braille pattern, the null notehead, the
/// blanks of hieroglyphs, the filler of Khitan.
fn is_blank_symbol(c: char) -> bool {
    matches!(
        c,
        '\u{2800}' | '\u{1d159}' | '\u{13441}' | '\u{13442}' | '\u{16fe4}'
    )
}

/// Whether `c` is part of no text: a control character, or a delimiter of annotations.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fff9}'..='\u{fffb}')
}

/// Whether `text` shows nothing at all.
pub(super) fn is_blank(text: &str) -> bool {
    let shows_nothing = |c: char| {
        c.is_whitespace() || is_control(c) || is_default_ignorable(c) || is_blank_symbol(c)
    };
    text.chars().all(shows_nothing)
}

/// Whether `c` never does anything at the end of a text: spaces, controls, marks of direction, spaces
/// without width, the soft hyphen.
fn does_nothing_at_an_end(c: char) -> bool {
    c.is_whitespace()
        || is_control(c)
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{feff}')
}

/// Whether `c` looks the same beside a joiner or a selector: the letters before Hebrew, and the
/// punctuation of ASCII.
fn is_plain(c: char) -> bool {
    c < '\u{590}'
}

/// Whether `c` followed by a variation selector may be an emoji
/// ([UTS #51](https://www.unicode.org/reports/tr51/#def_emoji_presentation_sequence)).
fn is_plain_or_emoji(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '#' | '*' | '\u{a9}' | '\u{ae}')
}

/// `text` without what nobody sees at its ends: white space, and the invisible characters that
/// programs put there when they copy. macOS puts a phone number between a bidirectional override and
/// its end, a file may begin with a byte order mark, a web page marks the direction of an email.
///
/// A character that changes how its neighbour looks stays: the selector that makes a heart an emoji,
/// the joiner after an Arabic letter, the tags of a flag.
#[must_use]
pub fn trim(text: &str) -> &str {
    let mut rest = text;
    loop {
        let trimmed = trim_end(trim_start(rest.trim_matches(does_nothing_at_an_end)));
        if trimmed.len() == rest.len() {
            return rest;
        }
        rest = trimmed;
    }
}

/// Without the ignorable characters before a plain one. Before another, without those that a mark
/// separates from it.
fn trim_start(text: &str) -> &str {
    let rest = text.trim_start_matches(is_default_ignorable);
    if rest.starts_with(is_plain) {
        return rest;
    }
    let (ignorable, _) = text.split_at(text.len() - rest.len());
    let kept = ignorable.rsplit(does_nothing_at_an_end).next();
    let kept = kept.unwrap_or_default().len() + rest.len();
    text.get(text.len() - kept..).unwrap_or_default()
}

/// Without the ignorable characters after a plain one, unless they make it an emoji. After another,
/// without those that a mark separates from it.
fn trim_end(text: &str) -> &str {
    let rest = text.trim_end_matches(is_default_ignorable);
    let (_, ignorable) = text.split_at(rest.len());
    let selects = ignorable.starts_with(['\u{fe0e}', '\u{fe0f}']);
    let is_emoji = selects && rest.ends_with(is_plain_or_emoji);
    if rest.ends_with(is_plain) && !is_emoji {
        return rest;
    }
    let kept = ignorable.split(does_nothing_at_an_end).next();
    let kept = rest.len() + kept.unwrap_or_default().len();
    text.get(..kept).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::hir::{Class, HirKind};

    #[test]
    fn the_ignorable_characters_are_those_of_unicode() {
        let class = regex_syntax::parse(r"\p{Default_Ignorable_Code_Point}").unwrap();
        let HirKind::Class(Class::Unicode(class)) = class.kind() else {
            panic!("{class:?}")
        };
        let ranges: Vec<_> = class
            .ranges()
            .iter()
            .map(|range| (range.start(), range.end()))
            .collect();
        assert_eq!(IGNORABLE.as_slice(), ranges);
        for c in '\0'..=char::MAX {
            let listed = ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&c));
            assert_eq!(is_default_ignorable(c), listed, "{c:?}");
        }
    }

    #[test]
    fn a_text_that_shows_nothing_is_blank() {
        for blank in [
            "",
            "\u{fe0f}",
            "\u{2800}",
            "\u{3164}",
            "\u{115f}",
            "\u{17b4}",
            "\u{e0100}",
            "\u{ffa0}",
            "\u{34f}",
            "\u{1d159}",
            "\u{e0041}",
            "\u{180b}",
            " \u{2800}\u{fe0f}\t\u{200d}\u{7f}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for shown in ["❤\u{fe0f}", ".", "\u{301}", "ᄀ\u{1160}", "ក\u{17b4}", "_"] {
            assert!(!is_blank(shown), "{shown:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_trimmed() {
        let marks = "\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{200b}\u{2060}\u{ad}\u{61c}\u{180e}\u{2800}\u{1}\u{9f}";
        for mark in marks.chars().map(String::from).chain([marks.to_owned()]) {
            for text in ["ada@example.com", "李小龍", "محمد", "+1 555"] {
                assert_eq!(trim(&format!("{mark}{text} {mark}")), text, "{mark:?}");
            }
        }
        for hidden in [
            "\u{200d}",
            "\u{200c}",
            "\u{fe0f}",
            "\u{e0001}",
            "\u{34f}\u{200e}",
        ] {
            assert_eq!(
                trim(&format!("{hidden}a@b.c{hidden}")),
                "a@b.c",
                "{hidden:?}"
            );
        }
        assert_eq!(trim("\u{200d}1\u{200d}\u{fe0f}"), "1");
        let (heh, heart) = ("ه\u{200d}", "❤\u{fe0f}");
        assert_eq!(trim(&format!("\u{200d}\u{2063}{heh}\u{200e}\u{200d}")), heh);
        assert_eq!(trim(&format!("{heart}\u{feff}\u{fe0f}")), heart);
    }

    #[test]
    fn what_changes_a_visible_character_stays() {
        for text in [
            "❤\u{fe0f}",
            "1\u{fe0f}",
            "©\u{fe0f}",
            "ه\u{200d}",
            "\u{200d}ه",
            "क\u{94d}\u{200d}",
            "葛\u{e0100}",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "👩\u{200d}💻",
        ] {
            assert_eq!(trim(&format!("\u{200f}{text}\u{200e} ")), text);
        }
    }
}
