//! The purges, and which cache entries they cover.
//!
//! A purge does not search the cache. Instead, every look-up compares the entry with the purges of
//! its tags and its path. Entries and purges are numbered in one sequence, so their order does not
//! depend on a clock.

use super::tags;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The longest path of an invalidation, in characters
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>).
const LONGEST_PATH: usize = 4000;

/// How many purged tags and paths are remembered before the purged entries are removed.
const MANY: usize = 10_000;

/// The same for prefixes, each of which a look-up compares with.
const MANY_PREFIXES: usize = 64;

/// What to purge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum PurgeItem {
    /// The entries with this tag, which is in lower case.
    Tag(Box<str>),
    /// The entries of this path and query string, in every variant.
    Path(Box<str>),
    /// The entries whose path and query string begin with this.
    Prefix(Box<str>),
}

impl PurgeItem {
    /// Parses `#tag`, `/path` or `/path*`; `None` for text that CloudFront refuses.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(tag) = text.strip_prefix('#') {
            return tags::normalised(tag).map(Self::Tag);
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
    /// It covers entries with lower numbers.
    number: u64,
    /// When it takes effect.
    at: Instant,
}

impl Purge {
    fn covers(self, entry: u64, now: Instant) -> bool {
        entry < self.number && self.at <= now
    }
}

/// What a purge needs to know of a cache entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryInfo<'a> {
    /// The entry's number.
    pub(crate) number: u64,
    /// The items that purge it: its path and its tags.
    pub(crate) items: &'a [PurgeItem],
    /// The path and query string in its key.
    pub(crate) path: &'a str,
}

/// The purges that may cover entries which are still in the cache.
#[derive(Debug, Default)]
pub(crate) struct Purges {
    latest: u64,
    exact: HashMap<PurgeItem, Vec<Purge>>,
    prefixes: Vec<(Box<str>, Purge)>,
}

impl Purges {
    /// Adds a purge of the entries numbered lower than `number`, which must be higher than any
    /// before. It takes effect after `delay`.
    pub(crate) fn add(&mut self, items: &[PurgeItem], number: u64, delay: Duration) {
        let now = Instant::now();
        let purge = Purge {
            number,
            at: now + delay,
        };
        self.latest = number;
        for item in items {
            match item {
                PurgeItem::Prefix(prefix) => self.prefixes.push((prefix.clone(), purge)),
                exact => {
                    let purges = self.exact.entry(exact.clone()).or_default();
                    // An earlier purge that takes effect no sooner is now redundant.
                    purges.retain(|earlier| earlier.at < purge.at);
                    purges.push(purge);
                }
            }
        }
    }

    /// Whether the entry has been purged.
    pub(crate) fn cover(&self, entry: EntryInfo<'_>, now: Instant) -> bool {
        if entry.number > self.latest {
            return false;
        }
        let covered = |item: &PurgeItem| {
            let purges = self.exact.get(item);
            purges.is_some_and(|purges| purges.iter().any(|p| p.covers(entry.number, now)))
        };
        entry.items.iter().any(covered)
            || self.prefixes.iter().any(|(prefix, purge)| {
                purge.covers(entry.number, now) && entry.path.starts_with(&**prefix)
            })
    }

    /// Whether there are so many that [`Purges::forget`] is due.
    pub(crate) fn are_many(&self) -> bool {
        self.exact.len() > MANY || self.prefixes.len() > MANY_PREFIXES
    }

    /// Forgets the purges in effect at `now`. The caller has removed the entries that they cover.
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

    fn entry<'a>(number: u64, items: &'a [PurgeItem], path: &'a str) -> EntryInfo<'a> {
        EntryInfo {
            number,
            items,
            path,
        }
    }

    fn items(texts: &[&str]) -> Vec<PurgeItem> {
        texts
            .iter()
            .map(|text| PurgeItem::parse(text).unwrap())
            .collect()
    }

    #[test]
    fn an_item_is_a_tag_a_path_or_a_prefix() {
        assert_eq!(
            PurgeItem::parse("#Acme:x"),
            Some(PurgeItem::Tag("acme:x".into()))
        );
        assert_eq!(
            PurgeItem::parse("/A?q=1"),
            Some(PurgeItem::Path("/A?q=1".into()))
        );
        assert_eq!(
            PurgeItem::parse("/a*"),
            Some(PurgeItem::Prefix("/a".into()))
        );
        assert_eq!(PurgeItem::parse("/*"), Some(PurgeItem::Prefix("/".into())));
        let long = format!("/{}", "a".repeat(4000));
        for junk in [
            "", "a", "*", "#", "# a", "#a b", "#a,b", "/a*b", "/**", "/é", "/a b", &long,
        ] {
            assert_eq!(PurgeItem::parse(junk), None, "{junk}");
        }
        // No wildcard: the asterisk is a character of the tag.
        assert_eq!(PurgeItem::parse("#a*"), Some(PurgeItem::Tag("a*".into())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_purge_covers_what_was_stored_before_it() {
        let mut purges = Purges::default();
        let tags = items(&["#a", "#b"]);
        purges.add(&items(&["#B"]), 5, Duration::ZERO);
        let now = Instant::now();
        assert!(purges.cover(entry(4, &tags, "/x"), now));
        assert!(!purges.cover(entry(6, &tags, "/x"), now));
        assert!(!purges.cover(entry(4, &tags[..1], "/x"), now));
    }

    #[tokio::test(start_paused = true)]
    async fn a_delayed_purge_does_not_hide_one_in_effect() {
        let mut purges = Purges::default();
        let tags = items(&["#a"]);
        let second = Duration::from_secs(1);
        purges.add(&items(&["#a"]), 5, second);
        purges.add(&items(&["#a"]), 8, second * 3);
        let at = |after| Instant::now() + after;
        assert!(!purges.cover(entry(4, &tags, "/"), at(Duration::ZERO)));
        assert!(purges.cover(entry(4, &tags, "/"), at(second)));
        assert!(!purges.cover(entry(7, &tags, "/"), at(second * 2)));
        assert!(purges.cover(entry(7, &tags, "/"), at(second * 3)));
        // A later purge that takes effect sooner replaces the delayed ones.
        purges.add(&items(&["#a"]), 9, Duration::ZERO);
        assert!(purges.cover(entry(8, &tags, "/"), at(Duration::ZERO)));
        assert_eq!(purges.exact[&PurgeItem::Tag("a".into())].len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_path_matches_exactly_or_as_a_prefix_and_is_case_sensitive() {
        let mut purges = Purges::default();
        purges.add(&items(&["/a", "/b?q=1", "/c*"]), 5, Duration::ZERO);
        let purged = |path: &str| {
            let item = [PurgeItem::Path(path.into())];
            purges.cover(entry(1, &item, path), Instant::now())
        };
        for path in ["/a", "/b?q=1", "/c", "/c/d", "/c?q=2"] {
            assert!(purged(path), "{path}");
        }
        for path in ["/A", "/a/", "/a?q=1", "/b", "/b?q=2", "/C"] {
            assert!(!purged(path), "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_purges_in_effect_are_forgotten() {
        let mut purges = Purges::default();
        purges.add(&items(&["#a", "/a*"]), 5, Duration::ZERO);
        purges.add(&items(&["#b", "/b*"]), 6, Duration::from_secs(1));
        purges.forget(Instant::now());
        assert_eq!((purges.exact.len(), purges.prefixes.len()), (1, 1));
        let later = Instant::now() + Duration::from_secs(1);
        assert!(purges.cover(entry(1, &[], "/b"), later));
    }
}
