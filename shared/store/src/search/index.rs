//! Brings an index up to date: adds what was written since to the posting lists.

use super::head::{Head, Page, partition};
use super::{END, IndexError, grams, posting, unindexed};
use crate::convert::{item, key_attributes, number};
use crate::error::{classify, is_bug};
use crate::transact::{backoff, bug, cancelled};
use crate::verdict::{has_failed, is_contended, leave_out_failed};
use crate::{Store, StoreError};
use action::{Entity, Key, Unindexed};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet};

/// How many partitions the unindexed records are in: one for each hexadecimal digit.
const SHARDS: &str = "0123456789abcdef";

/// How many records of each partition one run takes.
const RECORDS: usize = 2_000;

/// How many entities at the end of a collection one run reads: it must know those from which new
/// blocks are made.
const TAIL: usize = 10_000;

/// How many lists are written at once.
const AT_ONCE: usize = 16;

/// How many records one transaction removes: it takes 100 items, and writes the head and pages too.
const REMOVED: usize = 90;

/// How often a run begins again because another was quicker.
const ATTEMPTS: u32 = 6;

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexed {
    /// How many entities are in the index now that were not, or not as they are.
    pub entities: usize,
    /// The collections that have to be built by the command, because there is too much to do.
    pub too_large: Vec<String>,
}

/// An unindexed record, as read.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    key: Key,
    id: String,
    record: Unindexed,
}

/// In which blocks each gram is: numbers by page and gram.
pub(super) type Additions = BTreeMap<(String, String), BTreeSet<usize>>;

impl Store {
    /// Brings the indexes of all collections of `E` up to date with what has been committed, as far
    /// as one run comes. An index that there is not yet is built, unless that is too much for one
    /// run: see [`Store::rebuild_index`]. Takes the time in milliseconds since 1970.
    ///
    /// # Errors
    /// [`StoreError`]; what is not done then is left for another run.
    pub async fn index<E: Entity>(&self, now: i64) -> Result<Indexed, StoreError> {
        let mut report = Indexed::default();
        for shard in SHARDS.chars() {
            let (pk, _) = Key::record("unindexed", &shard.to_string(), "").into_parts();
            let mut from = " ".to_owned();
            loop {
                let waiting = self.waiting(&pk, &from).await?;
                for (collection, waiting) in &waiting {
                    self.index_one::<E>(collection, waiting, now, &mut report)
                        .await?;
                }
                // One collection does not keep the next ones waiting.
                let read = waiting.values().map(Vec::len).sum::<usize>();
                match waiting.last_key_value() {
                    Some((last, _)) if read >= RECORDS => from = format!("{last}:{END}"),
                    _ => break,
                }
            }
        }
        Ok(report)
    }

    async fn index_one<E: Entity>(
        &self,
        collection: &str,
        waiting: &[Waiting],
        now: i64,
        report: &mut Indexed,
    ) -> Result<(), StoreError> {
        let own = collection
            .rsplit_once(':')
            .is_some_and(|(_, resource)| resource == E::RESOURCE);
        if !own {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            match self.attempt::<E>(collection, waiting, now).await {
                Ok(entities) => {
                    report.entities += entities;
                    return Ok(());
                }
                Err(IndexError::TooLarge) => {
                    report.too_large.push(collection.to_owned());
                    return Ok(());
                }
                Err(IndexError::Overtaken) => {}
                Err(IndexError::Store(error)) => return Err(error),
            }
        }
        // Somebody else is at it.
        Ok(())
    }

    async fn attempt<E: Entity>(
        &self,
        collection: &str,
        waiting: &[Waiting],
        now: i64,
    ) -> Result<usize, IndexError> {
        let mut head = self.head(collection).await?;
        if head.building_until > now {
            return Ok(0);
        }
        if head.generation == 0 {
            self.rebuild_index::<E>(collection, Some(TAIL)).await?;
            head = self.head(collection).await?;
        }
        self.add::<E>(collection, head, waiting).await
    }

    /// Unindexed records from this sort key on, by their collections.
    async fn waiting(
        &self,
        pk: &str,
        from: &str,
    ) -> Result<BTreeMap<String, Vec<Waiting>>, StoreError> {
        let mut all: BTreeMap<String, Vec<Waiting>> = BTreeMap::new();
        for attributes in self.between(pk, (from, END), true, Some(RECORDS)).await? {
            let (key, item) = item(attributes)?;
            let (collection, id) = key.parts().1.rsplit_once(':').unwrap_or_default();
            let (collection, id) = (collection.to_owned(), id.to_owned());
            let record = unindexed(item)?;
            let waiting = Waiting { key, id, record };
            all.entry(collection).or_default().push(waiting);
        }
        Ok(all)
    }

    /// Adds what waits to the lists of the index that `head` tells of, and then, if that is still
    /// as it was read, makes new blocks known and removes the records.
    async fn add<E: Entity>(
        &self,
        collection: &str,
        mut head: Head,
        waiting: &[Waiting],
    ) -> Result<usize, IndexError> {
        let mut additions = Additions::new();
        let before = head.open.clone();
        let tail = self.tail::<E>(collection, before.last()).await?;
        let last = tail.last_key_value().map(|(id, _)| id.clone());
        // Where there is more than was read, the rest waits; but all that the last block has must
        // have been read, to know what of it becomes another block's.
        let read_to = last.clone().filter(|_| tail.len() >= TAIL);
        if read_to.as_ref().is_some_and(|read| *read < head.greatest) {
            return Err(IndexError::TooLarge);
        }
        let closed = self.lengthen(&mut head, &tail, &mut additions);
        let is_covered = |id: &String| read_to.as_ref().is_none_or(|read| id <= read);
        let waiting: Vec<_> = waiting
            .iter()
            .filter(|one| is_covered(&one.id))
            .cloned()
            .collect();
        let mut pages: Vec<_> = closed.iter().chain([&head.open]).cloned().collect();
        let partition = partition(collection, head.generation);
        for one in &waiting {
            let (page, number) = match place(&pages, &one.id) {
                Some(place) => place,
                None => {
                    pages.push(self.page_of(&partition, &one.id).await?);
                    place(&pages, &one.id).unwrap_or_default()
                }
            };
            add_texts(&mut additions, &page, number, &one.record.texts);
        }
        self.leave_out_listed(&partition, &before, &mut additions)
            .await?;
        self.add_to_lists(&partition, additions).await?;
        let ids = waiting.iter().map(|one| &one.id).chain(last.as_ref());
        head.greatest = ids.fold(head.greatest, |most, id| most.max(id.clone()));
        self.conclude_index(collection, &partition, head, closed, waiting)
            .await
    }

    /// The texts of the entities from `from` on, at most as many as one run reads.
    async fn tail<E: Entity>(
        &self,
        collection: &str,
        from: &str,
    ) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
        let from = Some(from).filter(|from| !from.is_empty()).unwrap_or(" ");
        let read = self.between(collection, (from, END), true, Some(TAIL));
        read.await?
            .into_iter()
            .map(|attributes| {
                let (key, item) = item(attributes)?;
                Ok((key.into_parts().1, E::texts(&item)))
            })
            .collect()
    }

    /// Makes new blocks of what is too much for the last one, and gives the pages that are closed
    /// by that. All that will be in a new block is added to its lists, whether it waits or not: it
    /// may have been the last block's.
    fn lengthen(
        &self,
        head: &mut Head,
        tail: &BTreeMap<String, Vec<String>>,
        additions: &mut Additions,
    ) -> Vec<Page> {
        let mut closed = Vec::new();
        for (nth, (id, texts)) in tail.iter().enumerate() {
            if nth < self.shape.block {
                continue;
            }
            if nth.is_multiple_of(self.shape.block) {
                closed.extend(head.open.push(id, self.shape));
            }
            let number = head.open.starts.len() - 1;
            add_texts(additions, head.open.name(), number, texts);
        }
        closed
    }

    /// Takes out of the additions what the lists of known blocks have already.
    async fn leave_out_listed(
        &self,
        partition: &str,
        known: &Page,
        additions: &mut Additions,
    ) -> Result<(), StoreError> {
        let is_new = |page: &str, number: usize| match page.cmp(known.name()) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => number >= known.starts.len(),
            std::cmp::Ordering::Greater => true,
        };
        let may_be_listed = additions
            .iter()
            .filter(|((page, _), numbers)| numbers.iter().any(|number| !is_new(page, *number)))
            .map(|((page, gram), _)| key_attributes(&list_key(partition, page, gram)));
        // What has been added is never taken away, so an older state of a list will do.
        for attributes in self.raw_items(may_be_listed.collect(), false).await? {
            let key = attributes.get("sk").and_then(|sk| sk.as_s().ok());
            let Some((gram, _)) = key.and_then(|key| split(key)) else {
                continue;
            };
            let Some((page, listed)) = posting(&attributes, gram) else {
                continue;
            };
            if let Some(numbers) = additions.get_mut(&(page, gram.to_owned())) {
                numbers.retain(|number| !listed.contains(number));
            }
        }
        additions.retain(|_, numbers| !numbers.is_empty());
        Ok(())
    }

    /// Adds to the lists: each addition can be made again, and beside any other.
    async fn add_to_lists(&self, partition: &str, additions: Additions) -> Result<(), StoreError> {
        let writes = additions.into_iter().map(|((page, gram), numbers)| {
            let key = list_key(partition, &page, &gram);
            let numbers = numbers.iter().map(usize::to_string).collect();
            self.client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key_attributes(&key)))
                .update_expression("ADD #blocks :blocks")
                .expression_attribute_names("#blocks", "blocks")
                .expression_attribute_values(":blocks", AttributeValue::Ns(numbers))
                .send()
        });
        stream::iter(writes)
            .map(|write| async move { write.await.map_err(|e| classify(e, |e| is_bug(e.code()))) })
            .buffer_unordered(AT_ONCE)
            .try_for_each(|_| async { Ok(()) })
            .await
    }

    /// Makes the new blocks known and removes the records of what is in the lists now.
    async fn conclude_index(
        &self,
        collection: &str,
        partition: &str,
        mut head: Head,
        closed: Vec<Page>,
        waiting: Vec<Waiting>,
    ) -> Result<usize, IndexError> {
        let pages = closed.iter().map(|page| self.put_page(partition, page));
        let mut pages = pages.collect::<Result<Vec<_>, _>>()?;
        let mut removed = 0;
        let mut waiting = waiting.into_iter().peekable();
        while waiting.peek().is_some() || !pages.is_empty() {
            let room = REMOVED.saturating_sub(pages.len());
            let some = waiting.by_ref().take(room).collect();
            head.version += 1;
            removed += self
                .write_head(collection, &head, std::mem::take(&mut pages), some)
                .await?;
        }
        Ok(removed)
    }

    /// Writes the head over the version before it, pages with it, and removes these records, in one
    /// transaction. A record that has been written again stays. Gives how many were removed.
    pub(super) async fn write_head(
        &self,
        collection: &str,
        head: &Head,
        pages: Vec<TransactWriteItem>,
        mut waiting: Vec<Waiting>,
    ) -> Result<usize, IndexError> {
        let mut attempt = 0;
        while attempt < ATTEMPTS {
            let mut items = vec![self.put_head(collection, head)?];
            let removals = waiting.iter().map(|one| self.remove_unchanged(one));
            items.extend(removals.collect::<Result<Vec<_>, _>>()?);
            items.extend_from_slice(&pages);
            let Some(reasons) = self.send(items).await? else {
                return Ok(waiting.len());
            };
            let Some((own, others)) = reasons.split_first() else {
                return Err(cancelled(&reasons).into());
            };
            if has_failed(own) {
                return Err(IndexError::Overtaken);
            }
            if !leave_out_failed(&mut waiting, others) {
                if !is_contended(&reasons) {
                    return Err(cancelled(&reasons).into());
                }
                backoff(attempt).await;
                attempt += 1;
            }
        }
        Err(StoreError::Unavailable("an index was written each time".to_owned()).into())
    }

    fn remove_unchanged(&self, waiting: &Waiting) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&waiting.key)))
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(waiting.record.version))
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

/// Adds the grams of an entity's texts to the lists, with the block that it is in.
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

/// A list's sort key as gram and page's name: the latter has no colon.
fn split(key: &str) -> Option<(&str, &str)> {
    key.rfind(':').map(|colon| key.split_at(colon + 1))
}

/// The page and the number of the block that an id belongs to.
fn place(pages: &[Page], id: &str) -> Option<(String, usize)> {
    let of = |page: &Page| Some((page.name().to_owned(), page.number(id)?));
    pages.iter().find_map(of)
}
