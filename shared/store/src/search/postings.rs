//! Posting lists: for each gram, the blocks that have a text with that gram.

use super::grams;
use crate::convert::Attributes;
use action::Key;
use std::collections::{BTreeMap, BTreeSet};

/// Block numbers to add to posting lists, by page name and gram.
pub(super) type Additions = BTreeMap<(String, String), BTreeSet<usize>>;

/// Adds an entity's block to the list of each gram in its texts.
pub(super) fn add_texts(additions: &mut Additions, page: &str, number: usize, texts: &[String]) {
    for gram in grams::of(texts) {
        let list = additions.entry((page.to_owned(), gram)).or_default();
        list.insert(number);
    }
}

/// The key of a page of a posting list.
pub(super) fn list_key(partition: &str, page: &str, gram: &str) -> Key {
    Key::from_parts(partition.to_owned(), format!("{gram}{page}"))
}

/// Splits a list's sort key into the gram and the page's name, which contains no colon.
pub(super) fn split(key: &str) -> Option<(&str, &str)> {
    key.rfind(':').map(|colon| key.split_at(colon + 1))
}

/// Parses one page of a gram's posting list: the page's name, and the numbers of its blocks.
pub(super) fn posting(attributes: &Attributes, gram: &str) -> Option<(String, BTreeSet<usize>)> {
    let page = attributes.get("sk")?.as_s().ok()?.strip_prefix(gram)?;
    let numbers = attributes.get("blocks")?.as_ns().ok()?;
    let numbers = numbers.iter().filter_map(|number| number.parse().ok());
    Some((page.to_owned(), numbers.collect()))
}
