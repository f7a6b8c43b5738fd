//! Updates an index: adds changed entities to the posting lists.

use super::head::{Head, Page, partition};
use super::postings::{Additions, add_texts, list_key, posting, split};
use super::waiting::{RECORDS, Waiting};
use super::{END, IndexError};
use crate::convert::{item, key_attributes};
use crate::error::{classify, is_bug};
use crate::{Store, StoreError};
use action::{Entity, Key};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;

/// The partitions of unindexed records: one for each hexadecimal digit.
const SHARDS: &str = "0123456789abcdef";

/// How many entities at the end of a collection one run reads. It must read all entities of the last
/// block and after it, to divide them into new blocks.
const TAIL: usize = 10_000;

/// How many lists are written concurrently.
const AT_ONCE: usize = 16;

/// How many records and pages one transaction handles. It takes at most 100 items, and also writes
/// the head.
const PER_TRANSACTION: usize = 90;

/// How often a run starts again because another run has changed the index.
const ATTEMPTS: u32 = 6;

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexed {
    /// The number of entities added to the index or updated in it.
    pub entities: usize,
    /// The collections that are too large for one run. The command must build their indexes.
    pub too_large: Vec<String>,
}

impl Store {
    /// Updates the indexes of all collections of `E`, as far as one run gets. Builds an index that
    /// does not exist yet, unless the collection is too large for one run: see
    /// [`Store::rebuild_index`]. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// [`StoreError`]. The next run does the rest.
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
                // Go on behind the last collection, so that a busy one does not block the others.
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
        // Other runs are updating this index.
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

    /// Adds the waiting entities to the posting lists. Then, if the head has not changed since it was
    /// read, adds new blocks to the directory and removes the records.
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
        // If there are more entities than were read, the rest waits. But all entities of the last
        // block must have been read, to know which of them move to new blocks.
        let read_to = last.clone().filter(|_| tail.len() >= TAIL);
        if read_to.as_ref().is_some_and(|read| *read < head.greatest) {
            return Err(IndexError::TooLarge);
        }
        let closed = self.lengthen(&mut head, &tail, &mut additions);
        let was_read = |id: &String| read_to.as_ref().is_none_or(|read| id <= read);
        let waiting: Vec<_> = waiting
            .iter()
            .filter(|one| was_read(&one.id))
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

    /// The texts of the entities from `from` on, by id; at most as many as one run reads.
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

    /// Adds new blocks for the entities that exceed the last block. Returns the pages that became
    /// full. Every entity of a new block is added to the lists, even if it is not waiting, because it
    /// may have been in the last block before.
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

    /// Removes the additions that the lists already have.
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
        // Lists only grow, so an eventually consistent read is enough.
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

    /// Writes the additions. Each write can be repeated, and can run concurrently with any other.
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

    /// Adds the new blocks to the directory, and removes the records of the indexed entities.
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
            let room = PER_TRANSACTION.saturating_sub(pages.len());
            let some = waiting.by_ref().take(room).collect();
            head.version += 1;
            removed += self
                .write_head(collection, &head, std::mem::take(&mut pages), some)
                .await?;
        }
        Ok(removed)
    }
}

/// The name of the page and the number of the block that an id belongs to.
fn place(pages: &[Page], id: &str) -> Option<(String, usize)> {
    let of = |page: &Page| Some((page.name().to_owned(), page.number(id)?));
    pages.iter().find_map(of)
}
