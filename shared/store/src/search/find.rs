//! Runs a search.

use super::END;
use super::grams::{self, Wanted};
use super::head::{self, Head, Page};
use super::postings::posting;
use super::waiting::unindexed;
use crate::convert::item;
use crate::read::FILTERED_PAGE;
use crate::{Store, StoreError};
use action::{Item, Key, Query, RangeItems, Search};
use futures_util::future::{join, join_all, try_join_all, try_join3};
use std::collections::{BTreeMap, BTreeSet};

/// How many pages of each posting list a search reads first. These newest pages are enough for
/// frequent texts.
const FIRST_PAGES: usize = 4;

/// How many records of unindexed entities a search reads at a time.
const RECORDS: usize = 1_000;

/// How many blocks a search reads concurrently: the first number at first, then twice as many each
/// time, up to the second.
const BLOCKS: [usize; 2] = [4, 32];

/// The entities found so far, by id.
type Hits = BTreeMap<String, Item>;

/// The blocks that may have hits: block numbers by page name.
type Candidates = BTreeMap<String, BTreeSet<usize>>;

/// A posting list, or the part of it that was read: block numbers by page name.
type Postings = BTreeMap<String, BTreeSet<usize>>;

/// The posting lists that were read, by gram.
type Lists = BTreeMap<String, Postings>;

impl Store {
    /// The items of a query, newest first. Uses the index if the query searches for a text; otherwise
    /// this is [`Store::range`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, query: &Query) -> Result<RangeItems, StoreError> {
        match &query.search {
            Some(search) => Ok(self.search(query, search).await?.into()),
            None => self.range(query).await,
        }
    }

    /// The newest entities that have the words, up to the query's limit.
    async fn search(&self, query: &Query, search: &Search) -> Result<Vec<Item>, StoreError> {
        let (head, unindexed, (newest, next)) = try_join3(
            self.head(&query.pk),
            self.unindexed_with(search),
            self.page(query, self.shape.newest, None),
        )
        .await?;
        let least = newest.last().map(|(key, _)| key.parts().1.to_owned());
        let first = newest
            .first()
            .map(|(key, item)| (key.parts().1.to_owned(), item.clone()));
        let mut running = Running {
            store: self,
            query,
            below: query.after.clone(),
            hits: Hits::new(),
        };
        running.add_hits(newest);
        let is_complete = least
            .as_deref()
            .is_some_and(|least| running.is_complete_from(least));
        if next.is_none() || is_complete {
            return Ok(running.newest());
        }
        running.below = least.or(running.below);
        let wanted = Wanted::new(&search.words);
        if wanted.is_empty() {
            running.scan().await?;
            return Ok(running.newest());
        }
        if !head.is_usable(search.form) {
            let ask = first.iter().map(|first| self.ask_for_index(search, first));
            let (scanned, _) = join(running.scan(), join_all(ask)).await;
            scanned?;
            return Ok(running.newest());
        }
        // The unindexed records were read above. Only after that may the lists be read.
        running.unindexed(unindexed).await?;
        let index = Index {
            partition: head::partition(&query.pk, head.generation),
            head,
            wanted,
        };
        running.indexed(&index).await?;
        Ok(running.newest())
    }

    /// The ids of the unindexed entities whose recorded texts have the words, or are in an earlier
    /// form, so that only the entity itself tells. Does not keep the records, because there may be
    /// many.
    async fn unindexed_with(&self, search: &Search) -> Result<BTreeSet<String>, StoreError> {
        let (pk, prefix) = search.unindexed.parts();
        let (mut from, end) = (prefix.to_owned(), format!("{prefix}{END}"));
        let mut ids = BTreeSet::new();
        loop {
            let read = self.between(pk, (&from, &end), true, Some(RECORDS)).await?;
            let is_last = read.len() < RECORDS;
            for attributes in read {
                let (key, item) = item(attributes)?;
                from = key.into_parts().1;
                let record = unindexed(item)?;
                if record.form != search.form || search.words.are_in(&record.texts) {
                    let id = from.strip_prefix(prefix).unwrap_or_default();
                    ids.insert(id.to_owned());
                }
            }
            if is_last {
                return Ok(ids);
            }
        }
    }
}

/// The index as a search uses it.
struct Index {
    partition: String,
    head: Head,
    wanted: Wanted,
}

/// A running search.
struct Running<'a> {
    store: &'a Store,
    query: &'a Query,
    /// All entities with this id or a greater one have been read.
    below: Option<String>,
    hits: Hits,
}

impl Running<'_> {
    fn add_hits(&mut self, read: Vec<(Key, Item)>) {
        let passing = read
            .into_iter()
            .filter(|(_, item)| self.query.passes(item))
            .map(|(key, item)| (key.into_parts().1, item));
        self.hits.extend(passing);
    }

    /// Whether the result is complete once all entities from `id` on have been read.
    fn is_complete_from(&self, id: &str) -> bool {
        self.hits.range(id.to_owned()..).count() >= self.query.limit
    }

    fn newest(self) -> Vec<Item> {
        let newest = self.hits.into_values().rev();
        newest.take(self.query.limit).collect()
    }

    /// Whether the entity with this id has not been read yet.
    fn is_below(&self, id: &str) -> bool {
        self.below.as_deref().is_none_or(|below| id < below)
    }

    /// Reads the remaining entities, if there is no index.
    async fn scan(&mut self) -> Result<(), StoreError> {
        let rest = self.query.clone().after(self.below.clone());
        let mut from = None;
        loop {
            let (read, next) = self.store.page(&rest, FILTERED_PAGE, from).await?;
            let least = read.last().map(|(key, _)| key.parts().1.to_owned());
            self.add_hits(read);
            from = next;
            let enough = least.is_some_and(|least| self.is_complete_from(&least));
            if enough || from.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads these unindexed entities, newest first, until the result is complete.
    async fn unindexed(&mut self, ids: BTreeSet<String>) -> Result<(), StoreError> {
        let ids: Vec<_> = ids
            .into_iter()
            .rev()
            .filter(|id| self.is_below(id))
            .collect();
        for some in ids.chunks(self.query.limit.clamp(1, 100)) {
            let keys = some
                .iter()
                .map(|id| Key::from_parts(self.query.pk.clone(), id.clone()));
            let found = self.store.items(keys).await?;
            self.add_hits(found.into_iter().collect());
            if some
                .last()
                .is_some_and(|least| self.is_complete_from(least))
            {
                break;
            }
        }
        Ok(())
    }

    /// Reads the blocks that the lists name. Reads the newest pages of the lists first, and the other
    /// pages only if those are not enough.
    async fn indexed(&mut self, index: &Index) -> Result<(), StoreError> {
        let newest = self.postings(index, None, Some(FIRST_PAGES)).await?;
        // If a list was not read to its end, the blocks of its older pages are unknown.
        let read_to = |list: &Postings| {
            let all = list.len() < FIRST_PAGES;
            list.keys().next().filter(|_| !all).cloned()
        };
        let floor = newest.values().filter_map(read_to).max();
        let mut first = candidates(&index.wanted, &newest);
        if let Some(floor) = &floor {
            first.retain(|page, _| page >= floor);
        }
        self.blocks(index, first).await?;
        let Some(floor) = floor else { return Ok(()) };
        if self.is_complete_from(&floor) {
            return Ok(());
        }
        let rest = self.postings(index, Some(&floor), None).await?;
        self.blocks(index, candidates(&index.wanted, &rest)).await
    }

    /// The posting lists of the empty gram and of all wanted grams, without the pages from `before` on.
    async fn postings(
        &self,
        index: &Index,
        before: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Lists, StoreError> {
        let greatest = before.or(self.below.as_deref()).unwrap_or(END);
        let lists = std::iter::once(grams::EMPTY).chain(index.wanted.grams());
        let lists = lists.map(|gram| async move {
            let range = (gram, format!("{gram}{greatest}"));
            let read = self
                .store
                .between(&index.partition, (range.0, &range.1), false, limit)
                .await?;
            let parts = read
                .iter()
                .filter_map(|attributes| posting(attributes, gram));
            let postings: Postings = parts
                .filter(|(page, _)| before != Some(page.as_str()))
                .collect();
            Ok((gram.to_owned(), postings))
        });
        Ok(try_join_all(lists).await?.into_iter().collect())
    }

    /// Reads the candidates, newest first, until the result is complete.
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
                for (name, numbers) in &some {
                    let Some(page) = pages.iter().find(|page| page.name() == name) else {
                        continue;
                    };
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
            self.add_hits(found.into_iter().flatten().collect());
            if some
                .last()
                .is_some_and(|(least, _)| self.is_complete_from(least))
            {
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

/// The least id that a block may have, and where the next block begins.
type Range = (String, Option<String>);

fn range(page: &Page, number: usize) -> Option<Range> {
    let (start, end) = page.block(number)?;
    Some((start.to_owned(), end.map(str::to_owned)))
}

/// If a list names a block that is newer than the head that was read: the range from the start of
/// the last known block on, which includes the new block.
fn tail(head: &Head, newer: &Candidates) -> Vec<Range> {
    let is_known = |(page, numbers): (&String, &BTreeSet<usize>)| {
        page == head.open.name() && numbers.last() < Some(&head.open.starts.len())
    };
    match newer.iter().all(is_known) {
        true => Vec::new(),
        false => vec![(head.open.last().to_owned(), None)],
    }
}

/// The blocks that are in the list of the empty gram, and those that have, of each word, all grams of
/// one spelling.
fn candidates(wanted: &Wanted, lists: &Lists) -> Candidates {
    let list = |gram: &String| lists.get(gram).cloned().unwrap_or_default();
    let of_spelling = |grams: &BTreeSet<String>| grams.iter().map(list).reduce(in_both);
    let of_word = |spellings: &Vec<BTreeSet<String>>| {
        let found = spellings.iter().filter_map(of_spelling);
        found.reduce(in_either).unwrap_or_default()
    };
    let all = wanted.words().iter().map(of_word).reduce(in_both);
    let always = lists.get(grams::EMPTY).cloned().unwrap_or_default();
    in_either(all.unwrap_or_default(), always)
}

fn in_both(mut one: Postings, other: Postings) -> Postings {
    one.retain(|page, numbers| {
        let other = other.get(page);
        numbers.retain(|number| other.is_some_and(|other| other.contains(number)));
        !numbers.is_empty()
    });
    one
}

fn in_either(mut one: Postings, other: Postings) -> Postings {
    for (page, numbers) in other {
        one.entry(page).or_default().extend(numbers);
    }
    one
}
