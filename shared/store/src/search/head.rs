//! The head of an index, and its directory: where each block of entities begins.

use super::{PARTITION, Shape};
use crate::convert::{Attributes, key_attributes, number, text};
use crate::transact::{backoff, bug};
use crate::{Store, StoreError};
use action::Key;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use std::collections::HashMap;

/// How often a page of the directory is looked for that must be there.
const ATTEMPTS: u32 = 6;

/// A list of blocks, each given by the least id that may be in it; it ends where the next begins.
/// Postings tell a block by its page and its place there, so a page never changes but at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Where each block begins, in order. The first page begins with the empty text.
    pub(super) starts: Vec<String>,
    /// Where the page after it begins; the newest page has no end.
    pub(super) end: Option<String>,
}

impl Page {
    /// What names it: where it begins.
    pub(super) fn name(&self) -> &str {
        self.starts.first().map(String::as_str).unwrap_or_default()
    }

    /// Where its last block begins.
    pub(super) fn last(&self) -> &str {
        self.starts.last().map(String::as_str).unwrap_or_default()
    }

    /// Where the block begins and ends; `None` where there is no such block.
    pub(super) fn block(&self, number: usize) -> Option<(&str, Option<&str>)> {
        let start = self.starts.get(number)?;
        let end = self.starts.get(number + 1).or(self.end.as_ref());
        Some((start, end.map(String::as_str)))
    }

    /// The number of the block that the id belongs to, where it belongs to this page.
    pub(super) fn number(&self, id: &str) -> Option<usize> {
        let before = self.starts.partition_point(|start| start.as_str() <= id);
        let ends = self.end.as_deref().is_some_and(|end| end <= id);
        before.checked_sub(1).filter(|_| !ends)
    }

    /// Adds a block that begins at `start`, where there is room; else this becomes a page with that
    /// block, and the answer is the one that is closed.
    pub(super) fn push(&mut self, start: &str, shape: Shape) -> Option<Self> {
        if self.starts.len() < shape.page {
            self.starts.push(start.to_owned());
            return None;
        }
        let next = Self {
            starts: vec![start.to_owned()],
            end: None,
        };
        let mut closed = std::mem::replace(self, next);
        closed.end = Some(start.to_owned());
        Some(closed)
    }

    fn attributes(&self) -> Attributes {
        let starts = self.starts.iter().map(|start| text(start)).collect();
        let mut attributes = HashMap::from([("starts".to_owned(), AttributeValue::L(starts))]);
        attributes.extend(self.end.as_deref().map(|end| ("end".to_owned(), text(end))));
        attributes
    }

    pub(super) fn from_attributes(attributes: &Attributes) -> Option<Self> {
        let starts = attributes.get("starts")?.as_l().ok()?;
        let starts = starts.iter().map(|start| start.as_s().ok().cloned());
        let end = attributes.get("end").map(|end| end.as_s().ok().cloned());
        Some(Self {
            starts: starts.collect::<Option<_>>()?,
            end: end.flatten(),
        })
    }
}

/// The state of one collection's index. Whoever indexes writes it last, if it is still as it was
/// read: so only one of several does at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// How often it has been written; 0 where there is none yet.
    pub(super) version: u64,
    /// Which of the indexes that have been built is the one to search; 0 where none is.
    pub(super) generation: u64,
    /// The newest generation that somebody began to build.
    pub(super) begun: u64,
    /// Until when, in milliseconds since 1970, nobody but the builder may index.
    pub(super) building_until: i64,
    /// The greatest id that has been indexed.
    pub(super) greatest: String,
    /// The page at the end of the directory, to which blocks are added.
    pub(super) open: Page,
    /// Generations that are to be removed.
    pub(super) stale: Vec<u64>,
}

impl Head {
    fn from_attributes(attributes: &Attributes) -> Option<Self> {
        let parsed = |name: &str| attributes.get(name)?.as_n().ok();
        let stale = attributes.get("stale")?.as_l().ok()?;
        let stale = stale.iter().map(|old| old.as_n().ok()?.parse().ok());
        Some(Self {
            version: parsed("version")?.parse().ok()?,
            generation: parsed("generation")?.parse().ok()?,
            begun: parsed("begun")?.parse().ok()?,
            building_until: parsed("buildingUntil")?.parse().ok()?,
            greatest: attributes.get("greatest")?.as_s().ok()?.clone(),
            open: Page::from_attributes(attributes)?,
            stale: stale.collect::<Option<_>>()?,
        })
    }
}

/// The key of the head of a collection's index.
fn head_key(collection: &str) -> Key {
    Key::record(PARTITION, collection, "head")
}

/// The partition of one generation of a collection's index.
pub(super) fn partition(collection: &str, generation: u64) -> String {
    let (pk, _) = Key::record(PARTITION, &format!("{collection}:{generation}"), "").into_parts();
    pk
}

/// The key of a page of the directory.
pub(super) fn page_key(partition: &str, name: &str) -> Key {
    Key::from_parts(partition.to_owned(), format!("/{name}"))
}

impl Store {
    /// The head of a collection's index; the default where there is none.
    pub(super) async fn head(&self, collection: &str) -> Result<Head, StoreError> {
        let key = head_key(collection);
        match self
            .raw_items(vec![key_attributes(&key)], true)
            .await?
            .pop()
        {
            Some(attributes) => Head::from_attributes(&attributes)
                .ok_or_else(|| StoreError::Bug("the head of an index cannot be read".to_owned())),
            None => Ok(Head::default()),
        }
    }

    /// Writes `head` over the version before it.
    pub(super) fn put_head(
        &self,
        collection: &str,
        head: &Head,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = key_attributes(&head_key(collection));
        item.extend(head.open.attributes());
        item.extend([
            ("version".to_owned(), number(head.version)),
            ("generation".to_owned(), number(head.generation)),
            ("begun".to_owned(), number(head.begun)),
            ("buildingUntil".to_owned(), number(head.building_until)),
            ("greatest".to_owned(), text(&head.greatest)),
            (
                "stale".to_owned(),
                AttributeValue::L(head.stale.iter().map(number).collect()),
            ),
        ]);
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(
                "#version = :before OR attribute_not_exists(pk) AND :before = :none",
            )
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":before", number(head.version.saturating_sub(1)))
            .expression_attribute_values(":none", number(0))
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The pages of the directory with these names, which are all there: one that is not yet belongs
    /// to a transaction that is under way.
    pub(super) async fn pages<'a>(
        &self,
        partition: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Page>, StoreError> {
        let names: Vec<_> = names.collect();
        for attempt in 0..ATTEMPTS {
            let keys = names.iter().map(|name| page_key(partition, name));
            let keys = keys.map(|key| key_attributes(&key)).collect();
            let read = self.raw_items(keys, true).await?;
            let read: Vec<_> = read.iter().filter_map(Page::from_attributes).collect();
            let named = |name: &&str| read.iter().find(|page| page.name() == *name).cloned();
            if let Some(pages) = names.iter().map(named).collect() {
                return Ok(pages);
            }
            backoff(attempt).await;
        }
        Err(StoreError::Bug("an index has no such page".to_owned()))
    }

    /// The page that the id belongs to, of those that are closed.
    pub(super) async fn page_of(&self, partition: &str, id: &str) -> Result<Page, StoreError> {
        for attempt in 0..ATTEMPTS {
            let range = ("/", format!("/{id}"));
            let read = self
                .between(partition, (range.0, &range.1), false, Some(1))
                .await?;
            let page = read.first().and_then(Page::from_attributes);
            if let Some(page) = page.filter(|page| page.number(id).is_some()) {
                return Ok(page);
            }
            backoff(attempt).await;
        }
        Err(StoreError::Bug("an index has no page for an id".to_owned()))
    }

    /// Writes a page that nothing is added to any more.
    pub(super) fn put_page(
        &self,
        partition: &str,
        page: &Page,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut attributes = key_attributes(&page_key(partition, page.name()));
        attributes.extend(page.attributes());
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(attributes))
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
