//! Updates an index: adds changed entities to the posting lists.

use super::head::{Head, Page, partition};
use super::postings::{Additions, add_texts, list_key, posting, split};
use super::waiting::Waiting;
use super::{END, IndexError, grams};
use crate::convert::{item, key_attributes};
use crate::error::{classify, is_bug};
use crate::{Store, StoreError};
use action::Entity;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet};

/// How many entities one turn adds to an index at most. The more, the more blocks one write adds to a list.
pub(super) const ENTITIES: usize = 1_024;

/// How many different grams the entities of one turn have together, unless there is only one entity.
/// Each is a write, so this bounds the time and the memory of a turn. Usual entities have fewer.
const GRAMS: usize = 8_192;

/// How many lists are written concurrently. Four at a time make about 800 writes a second; a partition takes
/// 1,000.
const AT_ONCE: usize = 4;

/// How many lists are read at once.
const LISTS: usize = 100;

/// How often a turn starts again because another run has changed the index.
const ATTEMPTS: u32 = 6;

/// What one turn adds to an index.
#[derive(Debug, Default)]
pub(super) struct Portion {
    entities: usize,
    grams: BTreeSet<String>,
}

impl Portion {
    /// Adds an entity with these texts. `false` if it is too much for one turn.
    pub(super) fn add(&mut self, texts: &[String]) -> bool {
        self.entities += 1;
        self.grams.extend(grams::of(texts));
        self.entities == 1 || self.entities <= ENTITIES && self.grams.len() <= GRAMS
    }
}

impl Store {
    /// Adds these waiting entities to the index of their collection. If there is no index yet, adds
    /// the next entities of the collection to it. Returns the number of added entities.
    pub(super) async fn index_some<E: Entity>(
        &self,
        collection: &str,
        waiting: &[Waiting],
        now: i64,
    ) -> Result<usize, StoreError> {
        let waiting = &self.in_form::<E>(collection, waiting).await?;
        for _ in 0..ATTEMPTS {
            match self.attempt::<E>(collection, waiting, now).await {
                Ok(entities) => return Ok(entities),
                Err(IndexError::Overtaken) => {}
                Err(IndexError::Store(error)) => return Err(error),
            }
        }
        // Other runs are updating this index.
        Ok(0)
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
        head.retire_other_forms(E::TEXTS_FORM);
        if head.generation > 0 {
            let added = self.add(collection, head, BTreeMap::new(), waiting);
            return added.await;
        }
        self.build::<E>(collection, head, waiting).await
    }

    /// Continues to build the first index of a collection: adds the next entities. Searches do not
    /// use the index, and no record is removed, until all entities are in it.
    async fn build<E: Entity>(
        &self,
        collection: &str,
        mut head: Head,
        waiting: &[Waiting],
    ) -> Result<usize, IndexError> {
        if head.open.starts.is_empty() {
            head.begin();
            head.version += 1;
            // Before the first addition, so that no other build uses the same generation.
            self.write_head(collection, &head, Vec::new(), Vec::new())
                .await?;
        }
        let (next, is_last) = self.next::<E>(collection, &head.greatest).await?;
        let built = next.len();
        let waiting = if is_last { waiting } else { &[] };
        if is_last {
            head.generation = head.begun;
        }
        let added = self.add(collection, head, next, waiting).await?;
        Ok(built.max(added))
    }

    /// The texts of the next entities behind an id, by id, and whether these are all.
    async fn next<E: Entity>(
        &self,
        collection: &str,
        behind: &str,
    ) -> Result<(BTreeMap<String, Vec<String>>, bool), StoreError> {
        // The range includes `behind`, unless that entity was removed. One more entity shows that
        // there are more.
        let range = (behind, END);
        let read = self.between(collection, range, true, Some(ENTITIES + 2));
        let (mut next, mut portion) = (BTreeMap::new(), Portion::default());
        for attributes in read.await? {
            let (key, item) = item(attributes)?;
            let id = key.into_parts().1;
            let texts = E::texts(&item);
            if id == behind {
                continue;
            }
            if !portion.add(&texts) {
                return Ok((next, false));
            }
            next.insert(id, texts);
        }
        Ok((next, true))
    }

    /// Adds entities to the posting lists: those in `more`, and the waiting ones. Then, if the head
    /// has not changed since it was read, adds new blocks to the directory and removes the records.
    async fn add(
        &self,
        collection: &str,
        mut head: Head,
        more: BTreeMap<String, Vec<String>>,
        waiting: &[Waiting],
    ) -> Result<usize, IndexError> {
        let before = head.open.clone();
        let recorded = waiting.iter().map(|one| (&one.id, &one.record.texts));
        let ids: BTreeSet<_> = more
            .keys()
            .chain(recorded.clone().map(|(id, _)| id))
            .collect();
        let closed: Vec<_> = ids
            .into_iter()
            .filter_map(|id| head.extend(id, self.shape))
            .collect();
        let mut pages: Vec<_> = closed.iter().chain([&head.open]).cloned().collect();
        let partition = partition(collection, head.target());
        let mut additions = Additions::new();
        for (id, texts) in more.iter().chain(recorded) {
            let (page, number) = match place(&pages, id) {
                Some(place) => place,
                None => {
                    pages.push(self.page_of(&partition, id).await?);
                    place(&pages, id).unwrap_or_default()
                }
            };
            add_texts(&mut additions, &page, number, texts);
        }
        self.leave_out_always_read(&partition, &mut additions)
            .await?;
        self.leave_out_listed(&partition, &before, &mut additions)
            .await?;
        self.add_to_lists(&partition, additions).await?;
        let pages = closed.iter().map(|page| self.put_page(&partition, page));
        let pages = pages.collect::<Result<Vec<_>, _>>()?;
        head.version += 1;
        self.write_head(collection, &head, pages, waiting.to_vec())
            .await
    }

    /// Removes the additions to blocks that every search reads.
    async fn leave_out_always_read(
        &self,
        partition: &str,
        additions: &mut Additions,
    ) -> Result<(), StoreError> {
        let pages: BTreeSet<_> = additions.keys().map(|(page, _)| page.clone()).collect();
        let keys = pages
            .iter()
            .map(|page| key_attributes(&list_key(partition, page, grams::EMPTY)));
        let mut always_read: BTreeMap<_, BTreeSet<_>> = additions
            .iter()
            .filter(|((_, gram), _)| gram == grams::EMPTY)
            .map(|((page, _), numbers)| (page.clone(), numbers.clone()))
            .collect();
        for attributes in self.raw_items(keys.collect(), false).await? {
            if let Some((page, listed)) = posting(&attributes, grams::EMPTY) {
                always_read.entry(page).or_default().extend(listed);
            }
        }
        additions.retain(|(page, gram), numbers| {
            if gram != grams::EMPTY
                && let Some(always_read) = always_read.get(page)
            {
                numbers.retain(|number| !always_read.contains(number));
            }
            !numbers.is_empty()
        });
        Ok(())
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
        let may_be_listed: Vec<_> = additions
            .iter()
            .filter(|((page, _), numbers)| numbers.iter().any(|number| !is_new(page, *number)))
            .map(|((page, gram), _)| key_attributes(&list_key(partition, page, gram)))
            .collect();
        // Not all lists at once, because they may be long.
        for some in may_be_listed.chunks(LISTS) {
            // Lists only grow, so an eventually consistent read is enough.
            for attributes in self.raw_items(some.to_vec(), false).await? {
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
}

/// The name of the page and the number of the block that an id belongs to.
fn place(pages: &[Page], id: &str) -> Option<(String, usize)> {
    let of = |page: &Page| Some((page.name().to_owned(), page.number(id)?));
    pages.iter().find_map(of)
}
