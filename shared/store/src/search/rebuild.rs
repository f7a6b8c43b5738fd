//! Builds an index from all entities of a collection.

use super::head::{Head, Page, partition};
use super::postings::{Additions, add_texts, list_key};
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

/// How many items one read returns.
const READ: usize = 1_000;

/// [`BatchWriteItem`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html)
/// takes at most this many items.
const BATCH: usize = 25;

/// How many batches are written concurrently.
const AT_ONCE: usize = 8;

/// How long a build keeps other runs out without renewing its lease, in milliseconds.
const LEASE: i64 = 60_000;

/// How often a batch is sent if storage processes only a part of it.
const ATTEMPTS: u32 = 8;

/// The result of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// The number of entities in the index.
    pub entities: usize,
    /// The number of pages of its posting lists.
    pub lists: usize,
}

/// An index that is being built.
struct Build {
    collection: String,
    partition: String,
    head: Head,
    /// The newest page of its directory.
    open: Page,
    additions: Additions,
    built: Rebuilt,
}

impl Store {
    /// Builds a new index of all entities of a collection, and then switches searches to it. Searches
    /// use the old index in the meantime. The old index stays afterwards for searches that are still running: see [`Store::remove_stale_indexes`].
    ///
    /// # Errors
    /// [`IndexError`]. The old index then stays in use.
    pub async fn rebuild_index<E: Entity>(&self, collection: &str) -> Result<Rebuilt, IndexError> {
        let mut build = self.begin(collection).await?;
        let mut from = " ".to_owned();
        loop {
            let range = (from.as_str(), END);
            let read = self.between(collection, range, true, Some(READ)).await?;
            let is_last = read.len() < READ;
            for attributes in read {
                let (key, item) = item(attributes)?;
                let id = key.into_parts().1;
                // The range includes the last id of the previous read.
                if id != from {
                    self.place(&mut build, &id, &E::texts(&item)).await?;
                    from = id;
                }
            }
            if is_last {
                break;
            }
        }
        self.write_lists(&mut build).await?;
        let Build {
            head, open, built, ..
        } = &mut build;
        head.stale
            .extend(Some(head.generation).filter(|old| *old > 0));
        head.generation = head.begun;
        head.form = E::TEXTS_FORM;
        head.open = std::mem::take(open);
        head.building_until = 0;
        head.greatest = from;
        head.filled = match built.entities {
            0 => 0,
            entities => (entities - 1) % self.shape.block + 1,
        };
        self.renew(&mut build).await?;
        Ok(build.built)
    }

    /// Whether there are indexes for [`Store::remove_stale_indexes`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_stale_indexes(&self, collection: &str) -> Result<bool, StoreError> {
        Ok(!self.head(collection).await?.stale.is_empty())
    }

    /// Removes replaced and unfinished indexes. Searches that began before the replacement may still
    /// read the old index, so call this only when no such function can still be running. Returns the
    /// number of removed items.
    ///
    /// # Errors
    /// [`IndexError`]. The next call removes the rest.
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
        head.abandon();
        head.building_until = now() + LEASE;
        let mut build = Build {
            collection: collection.to_owned(),
            partition: partition(collection, head.begun),
            head,
            // The first block includes every smaller id.
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

    /// Adds the next entity to a block.
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

    /// Writes the lists of a complete page. No other run writes them, because of the lease.
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

    /// Writes the head, which also renews the lease if it is set.
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
                reason = "an index is not user data: it can be rebuilt at any time"
            )]
            let write = self.client.batch_write_item();
            let response = write
                .request_items(&self.table, batch)
                .send()
                .await
                .map_err(|e| classify(e, |e| is_bug(e.code())))?;
            let left = response.unprocessed_items.unwrap_or_default();
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
