//! What a search looks for, and where.

use crate::digits::{digit, digits};
use crate::fold::{bare, fold, spelled};
use action::Words;

/// The words of a query. A text in double quotes is one word. Each is in one of the
/// [texts](searchable) of a contact that the query finds.
#[must_use]
pub fn words(query: &str) -> Words {
    let query = fold(query);
    let mut words = Vec::new();
    let mut rest = query.trim_start();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (word, behind) = match quoted {
            Some(quoted) => quoted,
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(spellings(word.trim()));
        rest = behind.trim_start();
    }
    Words::new(words)
}

/// A word as it was typed, and as it may be written instead.
fn spellings(word: &str) -> Vec<String> {
    // A quote that is never closed may have been typed, or may be on the page.
    let unquoted = word.strip_prefix('"').unwrap_or(word);
    let mut spellings = vec![word.to_owned(), unquoted.to_owned()];
    if unquoted.chars().any(is_spelled) {
        spellings.push(spelled(unquoted));
    }
    if unquoted.chars().any(is_turkish) {
        spellings.push(bare(unquoted));
    }
    if is_number(unquoted) {
        spellings.push(digits(unquoted));
    }
    let alone = unquoted.trim_matches([',', ';', ':', '(', ')', '[', ']']);
    if !alone.is_empty() && !spellings.iter().any(|spelling| spelling == alone) {
        spellings.push(alone.to_owned());
    }
    spellings
}

/// Whether the word may be Turkish, whose capital of `ı` is `I`, and that of `i` is `İ`: the same word in
/// capitals has other letters once it is folded.
fn is_turkish(c: char) -> bool {
    "ışğ\u{307}".contains(c)
}

/// Whether two letters may stand for `c`.
fn is_spelled(c: char) -> bool {
    "äöüåøæ".contains(c)
}

/// How many digits a number with an extension has at least. Fewer may be anything: `3x`.
const WITH_EXTENSION: usize = 7;

/// Whether the word consists of digits and what stands between the digits of a phone number.
fn is_number(word: &str) -> bool {
    let may_be_dialed = |c| digit(c).is_some() || " +-()[]./~,;:#*".contains(c);
    let is_dialed = |word: &str| word.chars().all(may_be_dialed);
    match digits(word).len() {
        0 => false,
        WITH_EXTENSION.. => is_dialed(&word.replace("ext", "").replace('x', "")),
        _ => is_dialed(word),
    }
}

/// The forms in which a search finds a text: folded, and with its marked letters as they may be typed.
pub(crate) fn searchable(text: &str) -> Vec<String> {
    let folded = fold(text);
    if folded.is_ascii() {
        return vec![folded];
    }
    let mut forms = vec![bare(&folded), spelled(&folded)];
    forms.dedup();
    forms.retain(|form| *form != folded);
    forms.insert(0, folded);
    forms
}

/// The forms in which a search finds a phone number: its digits, too, so that the punctuation does
/// not matter, with and without the zero that is dialed only within the country (`+44 (0)20`).
pub(crate) fn searchable_phone(text: &str) -> Vec<String> {
    let mut forms = searchable(text);
    for digits in [digits(text), digits(&text.replacen("(0)", "", 1))] {
        if !digits.is_empty() && !forms.contains(&digits) {
            forms.push(digits);
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled_words(query: &str) -> Vec<Vec<String>> {
        words(query).iter().map(<[String]>::to_vec).collect()
    }

    #[test]
    fn a_query_is_a_list_of_words() {
        for (query, expected) in [
            ("", vec![]),
            (" \u{3000}", vec![]),
            ("\"\"", vec![]),
            ("“”  « »", vec![]),
            ("Grace  hopper GRACE", vec![vec!["grace"], vec!["hopper"]]),
            (
                "\"Grace  Hopper\" acme",
                vec![vec!["grace hopper"], vec!["acme"]],
            ),
            (
                "“grace hopper”acme",
                vec![vec!["grace hopper"], vec!["acme"]],
            ),
            ("„Grace Hopper“", vec![vec!["grace hopper"]]),
            ("«Grace Hopper»", vec![vec!["grace hopper"]]),
            ("\"grace hop", vec![vec!["\"grace", "grace"], vec!["hop"]]),
            ("5\" pipe", vec![vec!["5\""], vec!["pipe"]]),
            ("müller", vec![vec!["müller", "mueller"]]),
            ("(555) 123", vec![vec!["(555)", "555"], vec!["123"]]),
            ("\"+1 (555) 12\"", vec![vec!["+1 (555) 12", "155512"]]),
            ("٥٥", vec![vec!["٥٥", "55"]]),
            (
                "smith, (jean)",
                vec![vec!["smith,", "smith"], vec!["(jean)", "jean"]],
            ),
            ("ışık", vec![vec!["ışık", "isik"]]),
            ("IŞIK", vec![vec!["işik", "isik"]]),
            ("50% a-1 3x", vec![vec!["50%"], vec!["a-1"], vec!["3x"]]),
            ("555-1234x890", vec![vec!["555-1234x890", "5551234890"]]),
        ] {
            assert_eq!(spelled_words(query), expected, "{query:?}");
        }
    }

    #[test]
    fn a_text_is_found_in_each_of_its_forms() {
        assert_eq!(searchable("Ada"), ["ada"]);
        assert_eq!(searchable("Müller"), ["müller", "muller", "mueller"]);
        assert_eq!(searchable("Émile"), ["émile", "emile"]);
        assert_eq!(searchable_phone("555"), ["555"]);
        assert_eq!(searchable_phone("+1 (55) x2"), ["+1 (55) x2", "1552"]);
        let zero = ["+44 (0)20 1", "440201", "44201"];
        assert_eq!(searchable_phone(zero[0]), zero);
        assert_eq!(searchable_phone("n/a"), ["n/a"]);
    }

    proptest::proptest! {
        #[test]
        fn a_text_is_found_by_itself(text in "\\PC{1,30}", other in "[a-zé ’–０-９]{1,30}") {
            for text in [text, other] {
                let found = searchable(&text);
                proptest::prop_assert!(words(&text).are_in(&found), "{:?}", text);
                // Quotes of every kind.
                let quoted = fold(&text).replace('"', " ");
                let word = words(&format!("\"{quoted}\""));
                proptest::prop_assert!(word.are_in(&searchable(&quoted)), "{:?}", text);
            }
        }
    }
}
