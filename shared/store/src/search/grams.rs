//! Grams: the sequences of one, two and three characters in a text. If a text contains another, it
//! has all grams of the other.

use std::collections::BTreeSet;

/// The length of the longest grams. Three characters tell most texts apart
/// ([trigram index](https://swtch.com/~rsc/regexp/regexp4.html)). The shorter grams find shorter
/// texts: a name may be one character.
const LONGEST: usize = 3;

/// How many grams an entity may have. Usual contacts have about a hundred. Each gram is a write, so
/// this bounds what one entity can cost.
const MOST: usize = 256;

/// The empty gram, which every text has. Its list names the blocks with an entity that has more than
/// [`MOST`] grams. Every search reads these blocks.
pub(super) const EMPTY: &str = "0:";

/// With how many grams a search looks for a text. Each gram is a query, and more would exclude few
/// blocks.
const WANTED: usize = 8;

/// All grams of the texts, each as the prefix of its posting list's sort keys; [`EMPTY`] alone if
/// there are too many.
pub(super) fn of<T: AsRef<str>>(texts: &[T]) -> BTreeSet<String> {
    let mut grams = BTreeSet::new();
    for text in texts {
        let characters: Vec<char> = text.as_ref().chars().collect();
        for length in 1..=LONGEST {
            grams.extend(characters.windows(length).map(prefix));
        }
    }
    if grams.len() > MOST {
        return BTreeSet::from([EMPTY.to_owned()]);
    }
    grams
}

/// The grams with which to search for `text`, spread over it. Empty if `text` is empty.
pub(super) fn wanted(text: &str) -> BTreeSet<String> {
    let characters: Vec<char> = text.chars().collect();
    if characters.is_empty() {
        return BTreeSet::new();
    }
    let windows: Vec<_> = characters
        .windows(characters.len().min(LONGEST))
        .map(prefix)
        .collect();
    let count = windows.len().min(WANTED);
    let last = windows.len() - 1;
    (0..count)
        .filter_map(|n| windows.get(n * last / (count - 1).max(1)).cloned())
        .collect()
}

/// The prefix begins with the gram's length, so that no prefix begins with another.
fn prefix(gram: &[char]) -> String {
    let text: String = gram.iter().collect();
    format!("{}{text}:", gram.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_have_grams_of_every_length_and_searches_use_the_longest() {
        let all: Vec<_> = of(&["ab:"]).into_iter().collect();
        assert_eq!(all, ["1::", "1a:", "1b:", "2ab:", "2b::", "3ab::"]);
        let searched: Vec<_> = wanted("abcd").into_iter().collect();
        assert_eq!(searched, ["3abc:", "3bcd:"]);
        assert_eq!(wanted("é"), BTreeSet::from(["1é:".to_owned()]));
        assert!(wanted("").is_empty());
        assert_eq!(wanted(&('a'..='z').collect::<String>()).len(), WANTED);
    }

    #[test]
    fn an_entity_with_too_many_grams_has_only_the_empty_one() {
        let text = |length: u32| ('\u{4e00}'..).take(length as usize).collect::<String>();
        assert_eq!(of(&[text(86)]).len(), 86 + 85 + 84);
        assert_eq!(of(&[text(87)]), BTreeSet::from([EMPTY.to_owned()]));
        assert_eq!(of(&["a".repeat(100_000)]).len(), LONGEST);
    }

    proptest! {
        #[test]
        fn a_text_has_all_grams_of_a_text_that_it_contains(before in "\\PC{0,9}", part in "\\PC{0,20}", after in "\\PC{0,9}") {
            let all = of(&[format!("{before}{part}{after}")]);
            prop_assert!(wanted(&part).is_subset(&all));
        }

        #[test]
        fn no_prefix_begins_with_another(one in "[a:1]{1,3}", other in "[a:1]{1,3}") {
            let key = |text: &str| prefix(&text.chars().collect::<Vec<_>>());
            prop_assert!(one == other || !key(&one).starts_with(&key(&other)));
        }
    }
}
