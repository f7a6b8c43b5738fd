//! Texts in the form in which they are compared.

use action::input::is_default_ignorable;
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// The text in the form that is compared if case and spelling do not matter, so that what a page
/// shows is found by typing it: Unicode's full case folding and compatibility forms (`É` in either
/// encoding is `é`, and a full-width `Ａ` is `a`), one kind of quotes, apostrophes and dashes, one space
/// for white space of any kind and length, and nothing that is not seen.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return spaced(text.chars().map(|c| c.to_ascii_lowercase()));
    }
    // A second time, because a folded character may stand for several that fold further.
    let once = folded(text);
    if once.is_ascii() { once } else { folded(&once) }
}

fn folded(text: &str) -> String {
    let composed: String = text.chars().filter_map(shown).nfkc().collect();
    let cased = UniCase::unicode(composed).to_folded_case();
    spaced(cased.chars().filter_map(shown).nfkc())
}

/// With one space instead of several, and the punctuation that a keyboard has.
fn spaced(characters: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    for c in characters.filter_map(shown) {
        if c != ' ' || !text.ends_with(' ') {
            text.push(c);
        }
    }
    text
}

/// The character that a keyboard has for `c`; `None` if it shows nothing. The tags in flags stay.
fn shown(c: char) -> Option<char> {
    Some(match c {
        '\u{e0020}'..='\u{e007f}' => c,
        '\u{2800}' => ' ',
        c if c.is_whitespace() => ' ',
        c if is_default_ignorable(c) => return None,
        // Apostrophes, single quotes, primes, accents without a letter, and those of other scripts.
        '`'
        | '´'
        | '\u{2b9}'
        | '\u{2bb}'..='\u{2bd}'
        | '\u{2c8}'
        | '\u{2ca}'
        | '\u{2cb}'
        | '\u{55a}'
        | '\u{5f3}'
        | '\u{2018}'..='\u{201b}'
        | '\u{2032}'
        | '\u{2035}'
        | '\u{2039}'
        | '\u{203a}'
        | '\u{275b}'
        | '\u{275c}'
        | '\u{a78b}'
        | '\u{a78c}'
        | '\u{ff07}' => '\'',
        '\u{ab}'
        | '\u{bb}'
        | '\u{2ba}'
        | '\u{2dd}'
        | '\u{2ee}'
        | '\u{5f4}'
        | '\u{201c}'..='\u{201f}'
        | '\u{2033}'
        | '\u{2036}'
        | '\u{275d}'
        | '\u{275e}'
        | '\u{2e42}'
        | '\u{301d}'..='\u{301f}'
        | '\u{ff02}' => '"',
        '\u{58a}'
        | '\u{5be}'
        | '\u{1806}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{fe31}'
        | '\u{fe32}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}' => '-',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{2053}' | '\u{223c}' | '\u{301c}' => '~',
        c => c,
    })
}

/// A folded text without the marks on its letters, as it is typed on a keyboard without them: `emile`
/// for `émile`, `soren` for `søren`.
pub(crate) fn bare(folded: &str) -> String {
    if folded.is_ascii() {
        return folded.to_owned();
    }
    let mut text = String::new();
    for c in folded.nfd().filter(|c| !is_mark(*c)) {
        match c {
            'ø' => text.push('o'),
            'ł' => text.push('l'),
            'đ' | 'ð' => text.push('d'),
            'ħ' => text.push('h'),
            'ŧ' => text.push('t'),
            'ı' => text.push('i'),
            'æ' => text.push_str("ae"),
            'œ' => text.push_str("oe"),
            'þ' => text.push_str("th"),
            c => text.push(c),
        }
    }
    text.nfc().collect()
}

/// A folded text with the letters that stand for marked ones in German and the Nordic languages:
/// `mueller` for `müller`. The other marks are left out, as by [`bare`].
pub(crate) fn spelled(folded: &str) -> String {
    if folded.is_ascii() {
        return folded.to_owned();
    }
    let mut text = String::new();
    for c in folded.chars() {
        match c {
            'ä' | 'æ' => text.push_str("ae"),
            'ö' | 'ø' => text.push_str("oe"),
            'ü' => text.push_str("ue"),
            'å' => text.push_str("aa"),
            c => text.push(c),
        }
    }
    bare(&text)
}

/// Whether `c` is a mark that people leave out: an accent, or a point of Hebrew or Arabic. Not the
/// marks that make another letter of it, such as those of Japanese and Hindi.
fn is_mark(c: char) -> bool {
    matches!(canonical_combining_class(c), 10..=35 | 200..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folding_finds_text_in_any_case_and_encoding() {
        assert_eq!(fold("É"), fold("é"));
        assert_eq!(fold("E\u{301}"), fold("é"));
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
    }

    #[test]
    fn what_looks_alike_is_alike() {
        for (shown, typed) in [
            ("Alan  Turing", "alan turing"),
            ("Alan\u{a0}Turing", "alan turing"),
            ("Alan\t\u{2003}\u{3000}Turing", "alan turing"),
            ("Al\u{ad}an\u{200b}\u{200e}", "alan"),
            ("O’Brien", "o'brien"),
            ("O`Brien ʻOkina", "o'brien 'okina"),
            (
                "“Ace” „Ace“ «Ace» ＂Ace＂",
                "\"ace\" \"ace\" \"ace\" \"ace\"",
            ),
            ("Anne–Marie — ‑ −", "anne-marie - - -"),
            ("Ａｄａ １２３", "ada 123"),
            ("ﬁnance № ㈱", "finance no (株)"),
            ("ｶﾞｰﾄﾞ", "ガード"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("❤\u{fe0f}", "❤"),
            ("½", "1/2"),
        ] {
            assert_eq!(fold(shown), typed);
        }
    }

    #[test]
    fn a_letter_is_found_without_its_mark() {
        for (text, without, instead) in [
            ("müller", "muller", "mueller"),
            ("émile", "emile", "emile"),
            ("søren ågaard", "soren agaard", "soeren aagaard"),
            ("łódź", "lodz", "lodz"),
            ("nguyễn", "nguyen", "nguyen"),
            ("か が ガ", "か が ガ", "か が ガ"),
            ("हिन्दी", "हिन्दी", "हिन्दी"),
            ("한국", "한국", "한국"),
            ("مُحَمَّد", "محمد", "محمد"),
        ] {
            assert_eq!([bare(text), spelled(text)], [without, instead]);
        }
    }

    #[test]
    fn every_character_is_folded_once_and_for_all() {
        for c in '\0'..='\u{1ffff}' {
            let folded = fold(&c.to_string());
            assert_eq!(fold(&folded), folded, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in "\\PC{0,300}|.{0,300}|[A-Z\u{300}-\u{36f}\u{390}-\u{3ff}`´ ]{0,20}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
