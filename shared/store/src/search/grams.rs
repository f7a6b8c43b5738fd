//! Grams: the runs of one, two and three characters in a text. A text that holds another has all
//! grams of it.

use std::collections::BTreeSet;

/// The longest grams that are kept. Those of three tell most texts apart
/// ([trigram index](https://swtch.com/~rsc/regexp/regexp4.html)); the shorter ones are for texts
/// that are shorter themselves: a name may be one character.
const LONGEST: usize = 3;

/// With how many grams a text is looked for. Each is a query; a few more would exclude little.
const ENOUGH: usize = 8;

/// Every gram of the texts, as what its posting lists' sort keys begin with.
pub(super) fn of<T: AsRef<str>>(texts: &[T]) -> BTreeSet<String> {
    let mut grams = BTreeSet::new();
    for text in texts {
        let characters: Vec<char> = text.as_ref().chars().collect();
        for length in 1..=LONGEST {
            grams.extend(characters.windows(length).map(prefix));
        }
    }
    grams
}

/// Grams that every text that holds `text` has, spread over it; none where it is empty.
pub(super) fn wanted(text: &str) -> BTreeSet<String> {
    let characters: Vec<char> = text.chars().collect();
    if characters.is_empty() {
        return BTreeSet::new();
    }
    let windows: Vec<_> = characters
        .windows(characters.len().min(LONGEST))
        .map(prefix)
        .collect();
    let enough = windows.len().min(ENOUGH);
    let last = windows.len() - 1;
    (0..enough)
        .filter_map(|n| windows.get(n * last / (enough - 1).max(1)).cloned())
        .collect()
}

/// Its length goes first, so that no gram's key begins with another's.
fn prefix(gram: &[char]) -> String {
    let text: String = gram.iter().collect();
    format!("{}{text}:", gram.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grams_of_every_length_are_kept_and_the_longest_are_looked_for() {
        let kept: Vec<_> = of(&["ab:"]).into_iter().collect();
        assert_eq!(kept, ["1::", "1a:", "1b:", "2ab:", "2b::", "3ab::"]);
        let looked: Vec<_> = wanted("abcd").into_iter().collect();
        assert_eq!(looked, ["3abc:", "3bcd:"]);
        assert_eq!(wanted("é"), BTreeSet::from(["1é:".to_owned()]));
        assert!(wanted("").is_empty());
        assert_eq!(wanted(&('a'..='z').collect::<String>()).len(), ENOUGH);
    }

    proptest! {
        #[test]
        fn what_a_text_holds_is_looked_for_by_its_grams(before in "\\PC{0,9}", held in "\\PC{0,20}", after in "\\PC{0,9}") {
            let all = of(&[format!("{before}{held}{after}")]);
            prop_assert!(wanted(&held).is_subset(&all));
        }

        #[test]
        fn no_gram_s_key_begins_with_another_s(one in "[a:1]{1,3}", other in "[a:1]{1,3}") {
            let key = |text: &str| prefix(&text.chars().collect::<Vec<_>>());
            prop_assert!(one == other || !key(&one).starts_with(&key(&other)));
        }
    }
}
