//! Builds an index anew, from all entities of a collection.

use super::head::{Head, Page, partition};
use super::index::{Additions, add_texts, list_key};
use super::{END, IndexError};
use crate::convert::{Attributes, item, key_attributes};
use crate::error::{classify, is_bug};
use crate::transact::{backoff, bug};
use crate::{Store, StoreError};
use action::Entity;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

/// How many items are read at a time.
const READ: usize = 1_000;

/// [`BatchWriteItem`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html)
/// takes at most this many.
const BATCH: usize = 25;

/// How many batches are written at once.
const AT_ONCE: usize = 8;

/// How long a builder that says nothing more is waited for, in milliseconds.
const LEASE: i64 = 60_000;

/// How often a batch is written where storage took only a part of it.
const ATTEMPTS: u32 = 8;

/// What was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// How many entities are in the index.
    pub entities: usize,
    /// How many pages its posting lists have.
    pub lists: usize,
}

/// An index that is being built.
struct Build {
    collection: String,
    partition: String,
    head: Head,
    /// The last page of its directory.
    open: Page,
    additions: Additions,
    built: Rebuilt,
}

impl Store {
    /// Builds the index of a collection anew, of all its entities, if they are not more than
    /// `most`, and has it searched from then on. The one before goes on being searched meanwhile,
    /// and stays afterwards, for searches that are under way: see [`Store::remove_stale_indexes`].
    ///
    /// # Errors
    /// [`IndexError`]; then the one before stays in use.
    pub async fn rebuild_index<E: Entity>(
        &self,
        collection: &str,
        most: Option<usize>,
    ) -> Result<Rebuilt, IndexError> {
        let mut build = self.begin(collection).await?;
        let mut from = " ".to_owned();
        loop {
            let range = (from.as_str(), END);
            let read = self.between(collection, range, true, Some(READ)).await?;
            let is_last = read.len() < READ;
            for attributes in read {
                let (key, item) = item(attributes)?;
                let id = key.into_parts().1;
                // The range begins with the last one before.
                if id != from {
                    self.place(&mut build, &id, &E::texts(&item)).await?;
                    from = id;
                }
            }
            if most.is_some_and(|most| build.built.entities > most) {
                build.head.building_until = 0;
                self.renew(&mut build).await?;
                return Err(IndexError::TooLarge);
            }
            if is_last {
                break;
            }
        }
        self.write_lists(&mut build).await?;
        let Build { head, open, .. } = &mut build;
        head.stale
            .extend(Some(head.generation).filter(|old| *old > 0));
        head.generation = head.begun;
        head.open = std::mem::take(open);
        head.building_until = 0;
        head.greatest = from;
        self.renew(&mut build).await?;
        Ok(build.built)
    }

    /// Whether there is something for [`Store::remove_stale_indexes`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_stale_indexes(&self, collection: &str) -> Result<bool, StoreError> {
        Ok(!self.head(collection).await?.stale.is_empty())
    }

    /// Removes what indexes that have been replaced have left, as well as those that were never
    /// finished. A search that began before the replacement may still read them, so wait until no
    /// function can still run that did. Gives the number of items removed.
    ///
    /// # Errors
    /// [`IndexError`]; what is left then is removed by the next call.
    pub async fn remove_stale_indexes(&self, collection: &str) -> Result<usize, IndexError> {
        let mut head = self.head(collection).await?;
        let stale = std::mem::take(&mut head.stale);
        let (had_some, mut removed) = (!stale.is_empty(), 0);
        for generation in stale {
            let pk = partition(collection, generation);
            loop {
                let some = self.between(&pk, ("/", END), true, Some(READ)).await?;
                if some.is_empty() {
                    break;
                }
                removed += some.len();
                let keys = some.into_iter().map(only_key);
                let removals = keys.map(|key| {
                    let delete = DeleteRequest::builder().set_key(Some(key)).build();
                    Ok(WriteRequest::builder()
                        .delete_request(delete.map_err(bug)?)
                        .build())
                });
                self.batches(removals.collect::<Result<_, StoreError>>()?)
                    .await?;
            }
        }
        if had_some {
            head.version += 1;
            self.write_head(collection, &head, Vec::new(), Vec::new())
                .await?;
        }
        Ok(removed)
    }

    async fn begin(&self, collection: &str) -> Result<Build, IndexError> {
        let mut head = self.head(collection).await?;
        if head.building_until > now() {
            return Err(IndexError::Overtaken);
        }
        // One that was begun and never finished.
        let unfinished = Some(head.begun).filter(|begun| *begun > head.generation);
        head.stale.extend(unfinished);
        head.begun += 1;
        head.building_until = now() + LEASE;
        let mut build = Build {
            collection: collection.to_owned(),
            partition: partition(collection, head.begun),
            head,
            // The first block begins before every id.
            open: Page {
                starts: vec![String::new()],
                end: None,
            },
            additions: Additions::new(),
            built: Rebuilt {
                entities: 0,
                lists: 0,
            },
        };
        self.renew(&mut build).await?;
        Ok(build)
    }

    /// Puts the next entity into a block.
    async fn place(&self, build: &mut Build, id: &str, texts: &[String]) -> Result<(), IndexError> {
        let nth = build.built.entities;
        build.built.entities += 1;
        if nth > 0
            && nth.is_multiple_of(self.shape.block)
            && let Some(closed) = build.open.push(id, self.shape)
        {
            self.write_lists(build).await?;
            let page = self.put_page(&build.partition, &closed)?;
            let head = &mut build.head;
            head.building_until = now() + LEASE;
            head.version += 1;
            self.write_head(&build.collection, head, vec![page], Vec::new())
                .await?;
        }
        let number = build.open.starts.len() - 1;
        add_texts(&mut build.additions, build.open.name(), number, texts);
        Ok(())
    }

    /// Writes the lists of a page that is complete. Nobody else writes them: who indexes waits.
    async fn write_lists(&self, build: &mut Build) -> Result<(), StoreError> {
        let lists = std::mem::take(&mut build.additions);
        build.built.lists += lists.len();
        let puts = lists.into_iter().map(|((page, gram), numbers)| {
            let numbers = numbers.iter().map(usize::to_string).collect();
            let mut item = key_attributes(&list_key(&build.partition, &page, &gram));
            item.insert("blocks".to_owned(), AttributeValue::Ns(numbers));
            let put = PutRequest::builder().set_item(Some(item)).build();
            Ok(WriteRequest::builder()
                .put_request(put.map_err(bug)?)
                .build())
        });
        self.batches(puts.collect::<Result<_, StoreError>>()?).await
    }

    /// Writes the head as the builder has it.
    async fn renew(&self, build: &mut Build) -> Result<(), IndexError> {
        build.head.version += 1;
        self.write_head(&build.collection, &build.head, Vec::new(), Vec::new())
            .await?;
        Ok(())
    }

    async fn batches(&self, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        let batches = writes.chunks(BATCH).map(<[_]>::to_vec);
        stream::iter(batches)
            .map(|batch| self.write_batch(batch))
            .buffer_unordered(AT_ONCE)
            .try_for_each(|()| async { Ok(()) })
            .await
    }

    async fn write_batch(&self, mut batch: Vec<WriteRequest>) -> Result<(), StoreError> {
        for attempt in 0..ATTEMPTS {
            #[expect(
                clippy::disallowed_methods,
                reason = "an index is no user's data: it can be made from that at any time"
            )]
            let write = self.client.batch_write_item();
            let answer = write
                .request_items(&self.table, batch)
                .send()
                .await
                .map_err(|e| classify(e, |e| is_bug(e.code())))?;
            let left = answer.unprocessed_items.unwrap_or_default();
            batch = left.into_values().flatten().collect();
            if batch.is_empty() {
                return Ok(());
            }
            backoff(attempt).await;
        }
        Err(StoreError::Unavailable(
            "a write stayed unprocessed".to_owned(),
        ))
    }
}

fn only_key(mut attributes: Attributes) -> Attributes {
    attributes.retain(|name, _| name == "pk" || name == "sk");
    attributes
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
