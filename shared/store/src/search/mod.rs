//! Search for a text in entities of one collection, by an index kept in the same table.
//!
//! The entities of a collection, in the order of their ids, are cut into *blocks* of some dozens,
//! and the *directory* says where each begins. For each *gram* (see [`grams`]) a *posting list*
//! holds the blocks in which a text has that gram. So a search reads the few lists of its text's
//! grams, and then only the blocks that are in all of them: what it costs grows with what it finds
//! and hardly with how many entities there are. Since the blocks themselves are read, nothing is
//! found that is not so, and nothing under a name that it no longer has.
//!
//! The lists are brought up to date some time after a commit, by [`Store::index`]. Until then a
//! record says that the entity is *unindexed*, and holds its texts; the transaction that writes the
//! entity writes it. A search reads these records too. `docs/search.md` says why, in the order in
//! which it reads, nothing is missed.

mod grams;
mod head;
mod index;
mod rebuild;

use crate::convert::{Attributes, item};
use crate::read::FILTERED_PAGE;
use crate::{Store, StoreError};
use action::{Item, Key, Query, Search, Unindexed};
use futures_util::future::{try_join_all, try_join3};
use head::{Head, Page};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub use index::Indexed;
pub use rebuild::Rebuilt;

/// The kind of the records that make the index.
const PARTITION: &str = "search";

/// Behind every id.
const END: &str = "\u{10ffff}";

/// How many pages of each posting list a search reads first, the newest: of a text that many hold
/// they have enough.
const FIRST_PAGES: usize = 4;

/// How many blocks a search reads at once: a few at first, and twice as many each time.
const BLOCKS: [usize; 2] = [4, 32];

/// How large the parts of an index are.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// How many entities a block begins with. A search reads whole blocks; each block is one more
    /// entry in each of its grams' lists.
    pub block: usize,
    /// How many blocks a page of the directory has, and of a posting list at most: both must fit
    /// well into an item, and the one to which blocks are added is written each time.
    pub page: usize,
    /// How many of the newest entities a search reads at once, before it looks into the index: a
    /// small collection, and a text that many hold, need no more.
    pub newest: i32,
}

impl Shape {
    /// About 20 kB a block, at most 10 kB a page of the directory and 1 kB of a posting list.
    pub(crate) const DEFAULT: Self = Self {
        block: 64,
        page: 256,
        newest: 100,
    };
}

/// Why an index was not built or brought up to date.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    /// There are more entities than one run reads: it must be built by the command.
    #[error("there are too many entities for one run")]
    TooLarge,
    /// Somebody else is building it, or has indexed something meanwhile: try again.
    #[error("somebody else is at this index")]
    Overtaken,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was found, by id.
type Hits = BTreeMap<String, Item>;

/// Which blocks may hold what is looked for: their numbers by the names of their pages.
type Candidates = BTreeMap<String, BTreeSet<usize>>;

/// A posting list, or the part of it that was read: block numbers by the names of their pages.
type Postings = BTreeMap<String, BTreeSet<usize>>;

impl Store {
    /// The same as [`Store::range`], by the index where the query is for a text.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        match &query.search {
            Some(search) => self.search(query, search).await,
            None => self.range(query).await,
        }
    }

    /// The newest entities that hold the text, at most as many as the query wants.
    async fn search(&self, query: &Query, search: &Search) -> Result<Vec<Item>, StoreError> {
        let (head, unindexed, (newest, further)) = try_join3(
            self.head(&query.pk),
            self.unindexed(search),
            self.page(query, self.shape.newest, None),
        )
        .await?;
        let least = newest.last().map(|(key, _)| key.parts().1.to_owned());
        let mut look = Look {
            store: self,
            query,
            below: query.after.clone(),
            hits: Hits::new(),
        };
        look.keep(newest);
        let is_enough = least.as_deref().is_some_and(|least| look.has_enough(least));
        if further.is_none() || is_enough {
            return Ok(look.newest());
        }
        look.below = least.or(look.below);
        let wanted = grams::wanted(&search.text);
        if head.generation == 0 || wanted.is_empty() {
            look.scan().await?;
            return Ok(look.newest());
        }
        // Whatever was committed since it was last indexed: only then may the lists be read.
        look.unindexed(unindexed, &search.text).await?;
        let index = Index {
            partition: head::partition(&query.pk, head.generation),
            head,
            wanted,
        };
        look.indexed(&index).await?;
        Ok(look.newest())
    }

    /// The records of what may not be in the index yet, by the entities' ids.
    async fn unindexed(&self, search: &Search) -> Result<BTreeMap<String, Unindexed>, StoreError> {
        let (pk, prefix) = search.unindexed.parts();
        let found = self
            .between(pk, (prefix, &format!("{prefix}{END}")), true, None)
            .await?;
        found
            .into_iter()
            .map(|attributes| {
                let (key, item) = item(attributes)?;
                let id = key.parts().1.strip_prefix(prefix).unwrap_or_default();
                Ok((id.to_owned(), unindexed(item)?))
            })
            .collect()
    }
}

/// The index as a search uses it.
struct Index {
    partition: String,
    head: Head,
    wanted: BTreeSet<String>,
}

/// A search that is under way.
struct Look<'a> {
    store: &'a Store,
    query: &'a Query,
    /// Everything from this id on has been read.
    below: Option<String>,
    hits: Hits,
}

impl Look<'_> {
    fn keep(&mut self, read: Vec<(Key, Item)>) {
        let passing = read
            .into_iter()
            .filter(|(_, item)| self.query.passes(item))
            .map(|(key, item)| (key.into_parts().1, item));
        self.hits.extend(passing);
    }

    /// Whether nothing below `id` can belong to the answer any more.
    fn has_enough(&self, id: &str) -> bool {
        self.hits.range(id.to_owned()..).count() >= self.query.limit
    }

    fn newest(self) -> Vec<Item> {
        let newest = self.hits.into_values().rev();
        newest.take(self.query.limit).collect()
    }

    /// Whether an id is still to be looked at.
    fn is_below(&self, id: &str) -> bool {
        self.below.as_deref().is_none_or(|below| id < below)
    }

    /// Reads on, where there is no index.
    async fn scan(&mut self) -> Result<(), StoreError> {
        let rest = self.query.clone().after(self.below.clone());
        let mut from = None;
        loop {
            let (read, further) = self.store.page(&rest, FILTERED_PAGE, from).await?;
            let least = read.last().map(|(key, _)| key.parts().1.to_owned());
            self.keep(read);
            from = further;
            let enough = least.is_some_and(|least| self.has_enough(&least));
            if enough || from.is_none() {
                return Ok(());
            }
        }
    }

    /// Those whose unindexed texts hold the text, as they are now: as many of the newest as can
    /// belong to the answer.
    async fn unindexed(
        &mut self,
        records: BTreeMap<String, Unindexed>,
        text: &str,
    ) -> Result<(), StoreError> {
        let holds = |record: &Unindexed| record.texts.iter().any(|own| own.contains(text));
        let ids: Vec<_> = records
            .into_iter()
            .rev()
            .filter(|(id, record)| self.is_below(id) && holds(record))
            .map(|(id, _)| id)
            .collect();
        for some in ids.chunks(self.query.limit.clamp(1, 100)) {
            let keys = some
                .iter()
                .map(|id| Key::from_parts(self.query.pk.clone(), id.clone()));
            let found = self.store.items(keys).await?;
            self.keep(found.into_iter().collect());
            if some.last().is_some_and(|least| self.has_enough(least)) {
                break;
            }
        }
        Ok(())
    }

    /// Those in blocks that all lists name. The newest pages of the lists are read first, and the
    /// rest where that is not enough.
    async fn indexed(&mut self, index: &Index) -> Result<(), StoreError> {
        let newest = self.postings(index, None, Some(FIRST_PAGES)).await?;
        // Where a list was not read to its end, nothing is known of what is older.
        let read_to = |list: &Postings| {
            let all = list.len() < FIRST_PAGES;
            list.keys().next().filter(|_| !all).cloned()
        };
        let floor = newest.iter().filter_map(read_to).max();
        let mut candidates = common(&newest);
        if let Some(floor) = &floor {
            candidates.retain(|page, _| page >= floor);
        }
        self.blocks(index, candidates).await?;
        let Some(floor) = floor else { return Ok(()) };
        if self.has_enough(&floor) {
            return Ok(());
        }
        let rest = self.postings(index, Some(&floor), None).await?;
        self.blocks(index, common(&rest)).await
    }

    /// The lists of all grams, of pages that are not read yet.
    async fn postings(
        &self,
        index: &Index,
        before: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Vec<Postings>, StoreError> {
        let most = before.or(self.below.as_deref()).unwrap_or(END);
        let lists = index.wanted.iter().map(|gram| async move {
            let range = (gram.as_str(), format!("{gram}{most}"));
            let read = self
                .store
                .between(&index.partition, (range.0, &range.1), false, limit)
                .await?;
            let parts = read
                .iter()
                .filter_map(|attributes| posting(attributes, gram));
            Ok(parts
                .filter(|(page, _)| before != Some(page.as_str()))
                .collect())
        });
        try_join_all(lists).await
    }

    /// Reads the candidates, the newest first, until there is enough.
    async fn blocks(
        &mut self,
        index: &Index,
        mut candidates: Candidates,
    ) -> Result<(), StoreError> {
        let open = index.head.open.name();
        let [mut at_once, most] = BLOCKS;
        let newer = candidates.split_off(open);
        let mut ranges = tail(&index.head, &newer);
        let numbers = newer.get(open).into_iter().flatten().rev();
        ranges.extend(numbers.filter_map(|number| range(&index.head.open, *number)));
        let mut closed = candidates.into_iter().rev().peekable();
        loop {
            while ranges.len() < at_once && closed.peek().is_some() {
                let some: Vec<_> = closed.by_ref().take(at_once).collect();
                let names = some.iter().map(|(name, _)| name.as_str());
                let pages = self.store.pages(&index.partition, names).await?;
                for (page, (_, numbers)) in pages.iter().zip(&some) {
                    let numbers = numbers.iter().rev();
                    ranges.extend(numbers.filter_map(|number| range(page, *number)));
                }
            }
            ranges.retain(|(start, _)| self.is_below(start));
            if ranges.is_empty() {
                return Ok(());
            }
            let later = ranges.split_off(ranges.len().min(at_once));
            let some = std::mem::replace(&mut ranges, later);
            let reads = some.iter().map(|range| self.block(range));
            let found = try_join_all(reads).await?;
            self.keep(found.into_iter().flatten().collect());
            if some.last().is_some_and(|(least, _)| self.has_enough(least)) {
                return Ok(());
            }
            at_once = most.min(at_once * 2);
        }
    }

    async fn block(&self, (start, end): &Range) -> Result<Vec<(Key, Item)>, StoreError> {
        let ends = [end.as_deref(), self.below.as_deref()];
        let end = ends.into_iter().flatten().min();
        let read = self
            .store
            .between(&self.query.pk, (start, end.unwrap_or(END)), false, None)
            .await?;
        let read = read.into_iter().map(item);
        let is_own = |(key, _): &(Key, Item)| end.is_none_or(|end| key.parts().1 < end);
        read.filter(|read| read.as_ref().map_or(true, is_own))
            .collect()
    }
}

/// The least id that may be in a block, and where the next begins.
type Range = (String, Option<String>);

fn range(page: &Page, number: usize) -> Option<Range> {
    let (start, end) = page.block(number)?;
    Some((start.to_owned(), end.map(str::to_owned)))
}

/// A list may name a block that the head that was read does not know yet. It lies behind where the
/// last known one begins.
fn tail(head: &Head, newer: &Candidates) -> Vec<Range> {
    let is_known = |(page, numbers): (&String, &BTreeSet<usize>)| {
        page == head.open.name() && numbers.last() < Some(&head.open.starts.len())
    };
    match newer.iter().all(is_known) {
        true => Vec::new(),
        false => vec![(head.open.last().to_owned(), None)],
    }
}

/// What is in all lists.
fn common(lists: &[Postings]) -> Candidates {
    let Some((first, others)) = lists.split_first() else {
        return Candidates::new();
    };
    let in_all = |(page, numbers): (&String, &BTreeSet<usize>)| {
        let mut numbers = numbers.clone();
        for list in others {
            let list = list.get(page)?;
            numbers.retain(|number| list.contains(number));
        }
        Some((page.clone(), numbers)).filter(|(_, numbers)| !numbers.is_empty())
    };
    first.iter().filter_map(in_all).collect()
}

/// One page of a posting list: the page's name, and the numbers of its blocks.
fn posting(attributes: &Attributes, gram: &str) -> Option<(String, BTreeSet<usize>)> {
    let page = attributes.get("sk")?.as_s().ok()?.strip_prefix(gram)?;
    let numbers = attributes.get("blocks")?.as_ns().ok()?;
    let numbers = numbers.iter().filter_map(|number| number.parse().ok());
    Some((page.to_owned(), numbers.collect()))
}

fn unindexed(item: Item) -> Result<Unindexed, StoreError> {
    serde_json::from_value(Value::Object(item))
        .map_err(|e| StoreError::Bug(format!("an unindexed record cannot be read: {e}")))
}
