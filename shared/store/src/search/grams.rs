//! Grams: the sequences of one, two and three characters in a text. If a text contains another, it
//! has all grams of the other.

use action::Words;
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

/// With how many grams a search looks for its words together. Each gram is a query, and more would
/// exclude few blocks.
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

/// The grams with which to search: for each word, those of each of its spellings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted(Vec<Vec<BTreeSet<String>>>);

impl Wanted {
    /// The grams with which to search for these words. If there are many words, only for the longest
    /// ones, which tell entities apart best: what a search reads has all words checked.
    pub(super) fn new(words: &Words) -> Self {
        let mut words: Vec<Vec<Windows>> = words
            .iter()
            .map(|word| word.iter().map(|spelling| Windows::of(spelling)).collect())
            .collect();
        let length = |word: &Vec<Windows>| word.iter().map(Windows::characters).min();
        words.sort_by_key(|word| std::cmp::Reverse(length(word)));
        let mut spellings = 0;
        let most = words.iter().take_while(|word| {
            spellings += word.len();
            spellings <= WANTED
        });
        words.truncate(most.count().max(1));
        let mut left = WANTED;
        let mut lists: usize = words.iter().map(Vec::len).sum();
        // The shortest first: the others may have what it does not need.
        let mut wanted: Vec<Vec<BTreeSet<String>>> = Vec::new();
        for word in words.iter().rev() {
            let grams = word.iter().map(|spelling| {
                let grams = spelling.spread((left / lists.max(1)).max(1));
                left = left.saturating_sub(grams.len());
                lists -= 1;
                grams
            });
            wanted.push(grams.collect());
        }
        Self(wanted)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All grams.
    pub(super) fn grams(&self) -> BTreeSet<&str> {
        let all = self.0.iter().flatten().flatten();
        all.map(String::as_str).collect()
    }

    /// The grams of each spelling of each word.
    pub(super) fn words(&self) -> &[Vec<BTreeSet<String>>] {
        &self.0
    }
}

/// A text's longest grams, as they follow each other in it.
struct Windows(Vec<char>);

impl Windows {
    fn of(text: &str) -> Self {
        Self(text.chars().collect())
    }

    fn characters(&self) -> usize {
        self.0.len()
    }

    /// At most `most` grams, spread over the text.
    fn spread(&self, most: usize) -> BTreeSet<String> {
        let length = self.0.len().clamp(1, LONGEST);
        let windows: Vec<_> = self.0.windows(length).map(prefix).collect();
        let count = windows.len().min(most);
        let last = windows.len().saturating_sub(1);
        (0..count)
            .filter_map(|n| windows.get(n * last / (count - 1).max(1)).cloned())
            .collect()
    }
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

    fn of_words(words: &[&[&str]]) -> Words {
        let owned = |word: &&[&str]| word.iter().map(|&text| text.to_owned()).collect();
        Words::new(words.iter().map(owned))
    }

    fn wanted(words: &[&[&str]]) -> Vec<String> {
        let wanted = Wanted::new(&of_words(words));
        wanted.grams().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn texts_have_grams_of_every_length_and_searches_use_the_longest() {
        let all: Vec<_> = of(&["ab:"]).into_iter().collect();
        assert_eq!(all, ["1::", "1a:", "1b:", "2ab:", "2b::", "3ab::"]);
        assert_eq!(wanted(&[&["abcd"]]), ["3abc:", "3bcd:"]);
        assert_eq!(wanted(&[&["é"]]), ["1é:"]);
        assert!(wanted(&[]).is_empty());
        let alphabet: String = ('a'..='z').collect();
        assert_eq!(wanted(&[&[&alphabet]]).len(), WANTED);
    }

    #[test]
    fn all_words_together_have_few_grams() {
        let wanted_of = |words: &[&[&str]]| Wanted::new(&of_words(words));
        let two = wanted_of(&[&["王"], &["abcdefghijkl"]]);
        assert_eq!(two.words().len(), 2);
        assert_eq!(two.grams().len(), WANTED);
        let spelled = wanted_of(&[&["müllerin", "muellerin"], &["(555)", "555"]]);
        let counts: Vec<Vec<_>> = spelled
            .words()
            .iter()
            .map(|word| word.iter().map(BTreeSet::len).collect())
            .collect();
        assert_eq!(counts, [[2, 1], [2, 3]]);
        // Of many words the longest, and at least one of each.
        let many: Vec<String> = (1..=40).map(|n| "x".repeat(n)).collect();
        let many: Vec<[&str; 1]> = many.iter().map(|word| [word.as_str()]).collect();
        let many: Vec<&[&str]> = many.iter().map(<[_; 1]>::as_slice).collect();
        assert_eq!(wanted_of(&many).words().len(), WANTED);
        let spellings: Vec<String> = (0..20).map(|n| format!("abc{n}")).collect();
        let spellings: Vec<&str> = spellings.iter().map(String::as_str).collect();
        let one = wanted_of(&[&spellings]);
        assert!(one.words()[0].iter().all(|grams| grams.len() == 1));
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
            prop_assert!(wanted(&[&[&part]]).iter().all(|gram| all.contains(gram)));
        }

        #[test]
        fn no_prefix_begins_with_another(one in "[a:1]{1,3}", other in "[a:1]{1,3}") {
            let key = |text: &str| prefix(&text.chars().collect::<Vec<_>>());
            prop_assert!(one == other || !key(&one).starts_with(&key(&other)));
        }
    }
}
