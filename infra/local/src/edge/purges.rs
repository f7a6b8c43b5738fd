//! What has been invalidated, and since when.
//!
//! Nothing is searched for in the cache when a purge is accepted: each object that is looked up
//! is compared with the purges of its tags and its path. Objects and purges are numbered in one
//! sequence, so which was first is never a question of clocks.

use super::tags;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The most characters of a path
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>).
const LONGEST_PATH: usize = 4000;

/// How many purges are remembered before the cache is rid of what they purge.
const MANY: usize = 10_000;
const MANY_PREFIXES: usize = 64;

/// One thing to invalidate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Item {
    /// Objects with this tag, folded.
    Tag(Box<str>),
    /// The object at this path and query string, in all its variants.
    Path(Box<str>),
    /// Objects whose path and query string begin so.
    Prefix(Box<str>),
}

impl Item {
    /// Reads `#tag`, `/path` or `/path*`; `None` for what CloudFront refuses.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(tag) = text.strip_prefix('#') {
            return tags::folded(tag).map(Self::Tag);
        }
        let is_path = text.starts_with('/')
            && text.len() <= LONGEST_PATH
            && text.bytes().all(|b| b.is_ascii_graphic());
        let (prefix, is_prefix) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        match (is_path && !prefix.contains('*'), is_prefix) {
            (false, _) => None,
            (true, true) => Some(Self::Prefix(prefix.into())),
            (true, false) => Some(Self::Path(text.into())),
        }
    }
}

/// A purge of one item.
#[derive(Debug, Clone, Copy)]
struct Purge {
    /// Its number: it is about objects with lower ones.
    number: u64,
    /// When it takes effect.
    at: Instant,
}

impl Purge {
    fn covers(self, object: u64, now: Instant) -> bool {
        object < self.number && self.at <= now
    }
}

/// What a purge may be about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// The object's number.
    pub(crate) number: u64,
    /// What it may be purged by: its path and its tags.
    pub(crate) items: &'a [Item],
    /// Its path and the query string in its key.
    pub(crate) path: &'a str,
}

/// The purges that some object may not have felt yet.
#[derive(Debug, Default)]
pub(crate) struct Purges {
    latest: u64,
    exact: HashMap<Item, Vec<Purge>>,
    prefixes: Vec<(Box<str>, Purge)>,
}

impl Purges {
    /// Notes a purge that is about objects numbered lower than `number`, which is higher than any
    /// before it, and takes effect `delay` from now.
    pub(crate) fn add(&mut self, items: &[Item], number: u64, delay: Duration) {
        let now = Instant::now();
        let purge = Purge {
            number,
            at: now + delay,
        };
        self.latest = number;
        for item in items {
            match item {
                Item::Prefix(prefix) => self.prefixes.push((prefix.clone(), purge)),
                exact => {
                    let purges = self.exact.entry(exact.clone()).or_default();
                    // One that takes effect no earlier covers nothing that this one does not.
                    purges.retain(|earlier| earlier.at < purge.at);
                    purges.push(purge);
                }
            }
        }
    }

    /// Whether the object has been purged.
    pub(crate) fn cover(&self, object: Subject<'_>, now: Instant) -> bool {
        if object.number > self.latest {
            return false;
        }
        let covered = |item: &Item| {
            let purges = self.exact.get(item);
            purges.is_some_and(|purges| purges.iter().any(|p| p.covers(object.number, now)))
        };
        object.items.iter().any(covered)
            || self.prefixes.iter().any(|(prefix, purge)| {
                purge.covers(object.number, now) && object.path.starts_with(&**prefix)
            })
    }

    /// Whether so much is remembered that [`Purges::forget`] is due.
    pub(crate) fn are_many(&self) -> bool {
        self.exact.len() > MANY || self.prefixes.len() > MANY_PREFIXES
    }

    /// Forgets what has taken effect by `now`, once the cache holds nothing that it covers.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.exact.retain(|_, purges| {
            purges.retain(|purge| purge.at > now);
            !purges.is_empty()
        });
        self.prefixes.retain(|(_, purge)| purge.at > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject<'a>(number: u64, items: &'a [Item], path: &'a str) -> Subject<'a> {
        Subject {
            number,
            items,
            path,
        }
    }

    fn items(texts: &[&str]) -> Vec<Item> {
        texts
            .iter()
            .map(|text| Item::parse(text).unwrap())
            .collect()
    }

    #[test]
    fn an_item_is_a_tag_a_path_or_a_prefix() {
        assert_eq!(Item::parse("#Acme:x"), Some(Item::Tag("acme:x".into())));
        assert_eq!(Item::parse("/A?q=1"), Some(Item::Path("/A?q=1".into())));
        assert_eq!(Item::parse("/a*"), Some(Item::Prefix("/a".into())));
        assert_eq!(Item::parse("/*"), Some(Item::Prefix("/".into())));
        let long = format!("/{}", "a".repeat(4000));
        for junk in [
            "", "a", "*", "#", "# a", "#a b", "#a,b", "/a*b", "/**", "/é", "/a b", &long,
        ] {
            assert_eq!(Item::parse(junk), None, "{junk}");
        }
        // No wildcard: the asterisk is a character of the tag.
        assert_eq!(Item::parse("#a*"), Some(Item::Tag("a*".into())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_purge_is_about_what_was_stored_before_it() {
        let mut purges = Purges::default();
        let tags = items(&["#a", "#b"]);
        purges.add(&items(&["#B"]), 5, Duration::ZERO);
        let now = Instant::now();
        assert!(purges.cover(subject(4, &tags, "/x"), now));
        assert!(!purges.cover(subject(6, &tags, "/x"), now));
        assert!(!purges.cover(subject(4, &tags[..1], "/x"), now));
    }

    #[tokio::test(start_paused = true)]
    async fn a_delayed_purge_does_not_hide_one_in_effect() {
        let mut purges = Purges::default();
        let tags = items(&["#a"]);
        let second = Duration::from_secs(1);
        purges.add(&items(&["#a"]), 5, second);
        purges.add(&items(&["#a"]), 8, second * 3);
        let at = |after| Instant::now() + after;
        assert!(!purges.cover(subject(4, &tags, "/"), at(Duration::ZERO)));
        assert!(purges.cover(subject(4, &tags, "/"), at(second)));
        assert!(!purges.cover(subject(7, &tags, "/"), at(second * 2)));
        assert!(purges.cover(subject(7, &tags, "/"), at(second * 3)));
        // A later one that is in effect first makes the slower ones superfluous.
        purges.add(&items(&["#a"]), 9, Duration::ZERO);
        assert!(purges.cover(subject(8, &tags, "/"), at(Duration::ZERO)));
        assert_eq!(purges.exact[&Item::Tag("a".into())].len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn paths_are_exact_or_a_beginning_and_know_case() {
        let mut purges = Purges::default();
        purges.add(&items(&["/a", "/b?q=1", "/c*"]), 5, Duration::ZERO);
        let purged = |path: &str| {
            let item = [Item::Path(path.into())];
            purges.cover(subject(1, &item, path), Instant::now())
        };
        for path in ["/a", "/b?q=1", "/c", "/c/d", "/c?q=2"] {
            assert!(purged(path), "{path}");
        }
        for path in ["/A", "/a/", "/a?q=1", "/b", "/b?q=2", "/C"] {
            assert!(!purged(path), "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_has_taken_effect_is_forgotten() {
        let mut purges = Purges::default();
        purges.add(&items(&["#a", "/a*"]), 5, Duration::ZERO);
        purges.add(&items(&["#b", "/b*"]), 6, Duration::from_secs(1));
        purges.forget(Instant::now());
        assert_eq!((purges.exact.len(), purges.prefixes.len()), (1, 1));
        let later = Instant::now() + Duration::from_secs(1);
        assert!(purges.cover(subject(1, &[], "/b"), later));
    }
}
