//! The head of an index, and its directory, which lists where each block of entities begins.

use super::waiting::Waiting;
use super::{IndexError, PARTITION, Shape};
use crate::convert::{Attributes, key_attributes, number, text};
use crate::transact::{TRANSACTION, backoff, bug, cancelled};
use crate::verdict::{has_failed, is_contended, leave_out_failed};
use crate::{Store, StoreError};
use action::Key;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use std::collections::HashMap;

/// How often to read a page of the directory that must exist, or to send a transaction that conflicts
/// with others.
const ATTEMPTS: u32 = 6;

/// A page of the directory: a list of blocks, each given by the least id that it may have. A block
/// ends where the next one begins. Posting lists refer to a block by its page and its position in
/// it, so blocks are only ever added at the end of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Where each block begins, in order. The first page begins with the empty text.
    pub(super) starts: Vec<String>,
    /// Where the next page begins; `None` for the newest page.
    pub(super) end: Option<String>,
}

impl Page {
    /// Its name: where its first block begins.
    pub(super) fn name(&self) -> &str {
        self.starts.first().map(String::as_str).unwrap_or_default()
    }

    /// Where its last block begins.
    pub(super) fn last(&self) -> &str {
        self.starts.last().map(String::as_str).unwrap_or_default()
    }

    /// Where a block begins and ends; `None` if the page has no such block.
    pub(super) fn block(&self, number: usize) -> Option<(&str, Option<&str>)> {
        let start = self.starts.get(number)?;
        let end = self.starts.get(number + 1).or(self.end.as_ref());
        Some((start, end.map(String::as_str)))
    }

    /// The number of the block that an id belongs to; `None` if it belongs to another page.
    pub(super) fn number(&self, id: &str) -> Option<usize> {
        let before = self.starts.partition_point(|start| start.as_str() <= id);
        let ends = self.end.as_deref().is_some_and(|end| end <= id);
        before.checked_sub(1).filter(|_| !ends)
    }

    /// Adds a block that begins at `start`. If the page is full, `self` becomes a new page with that
    /// block, and the full page is returned.
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

/// The state of one collection's index. A run writes it last, and only if it has not changed since
/// the run read it. So of several concurrent runs only one succeeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// How often it has been written; 0 if it does not exist yet.
    pub(super) version: u64,
    /// The index that searches use; 0 if none has been built.
    pub(super) generation: u64,
    /// The form of the texts in the index that is in use or is being built first; 0 in a head from
    /// before this attribute existed.
    pub(super) form: u64,
    /// The newest generation whose build was started.
    pub(super) begun: u64,
    /// Until when, in milliseconds since 1970, only the builder may change the index.
    pub(super) building_until: i64,
    /// The greatest id that has been indexed. Blocks are only added behind it, so an entity never
    /// moves to another block.
    pub(super) greatest: String,
    /// How many entities the last block has had.
    pub(super) filled: usize,
    /// The newest page of the directory, to which blocks are added.
    pub(super) open: Page,
    /// The generations to remove.
    pub(super) stale: Vec<u64>,
}

impl Head {
    /// The generation to which changes are added: the one in use, or else the one that is being
    /// built.
    pub(super) fn target(&self) -> u64 {
        match self.generation {
            0 => self.begun,
            used => used,
        }
    }

    /// Whether searches in texts of this form can use the index.
    pub(super) fn is_usable(&self, form: u64) -> bool {
        self.generation > 0 && self.form == form
    }

    /// If the index has texts of another form: gives it up, so that the first index is built again.
    pub(super) fn retire_other_forms(&mut self, form: u64) {
        if self.form == form {
            return;
        }
        let used = Some(self.generation).filter(|used| (1..self.begun).contains(used));
        self.stale.extend(used);
        self.generation = 0;
        self.open = Page::default();
        self.form = form;
    }

    /// Begins to build the first index, with one block for every id.
    pub(super) fn begin(&mut self) {
        self.abandon();
        self.open.starts.push(String::new());
    }

    /// Begins a new generation. A build that was started and not finished is stale.
    pub(super) fn abandon(&mut self) {
        let unfinished = Some(self.begun).filter(|begun| *begun > self.generation);
        self.stale.extend(unfinished);
        self.begun += 1;
        if self.generation == 0 {
            self.open = Page::default();
            self.greatest.clear();
            self.filled = 0;
        }
    }

    /// Makes room for an entity. If it is the newest so far and the last block is full, a new block
    /// begins with it. Returns the page of the directory that became full.
    pub(super) fn extend(&mut self, id: &str, shape: Shape) -> Option<Page> {
        if id <= self.greatest.as_str() {
            return None;
        }
        id.clone_into(&mut self.greatest);
        if self.filled < shape.block {
            self.filled += 1;
            return None;
        }
        self.filled = 1;
        self.open.push(id, shape)
    }

    fn from_attributes(attributes: &Attributes) -> Option<Self> {
        let parsed = |name: &str| attributes.get(name)?.as_n().ok();
        let stale = attributes.get("stale")?.as_l().ok()?;
        let stale = stale.iter().map(|old| old.as_n().ok()?.parse().ok());
        Some(Self {
            version: parsed("version")?.parse().ok()?,
            generation: parsed("generation")?.parse().ok()?,
            form: parsed("form").map_or(Some(0), |form| form.parse().ok())?,
            begun: parsed("begun")?.parse().ok()?,
            building_until: parsed("buildingUntil")?.parse().ok()?,
            greatest: attributes.get("greatest")?.as_s().ok()?.clone(),
            // Missing in a head from before this attribute existed.
            filled: parsed("filled").map_or(Some(0), |filled| filled.parse().ok())?,
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
    /// The head of a collection's index; the default if it does not exist yet.
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

    /// The write of `head`, on the condition that the stored version is the one before it.
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
            ("form".to_owned(), number(head.form)),
            ("begun".to_owned(), number(head.begun)),
            ("buildingUntil".to_owned(), number(head.building_until)),
            ("greatest".to_owned(), text(&head.greatest)),
            ("filled".to_owned(), number(head.filled)),
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

    /// The closed pages of the directory with these names. A run that was overtaken or died may have
    /// left lists of a page that was never added to the directory. Such a page has no entities.
    pub(super) async fn pages<'a>(
        &self,
        partition: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Page>, StoreError> {
        let names: Vec<_> = names.collect();
        let keys = names.iter().map(|name| page_key(partition, name));
        let keys = keys.map(|key| key_attributes(&key)).collect();
        let read = self.raw_items(keys, true).await?;
        let mut pages: Vec<_> = read.iter().filter_map(Page::from_attributes).collect();
        for name in names {
            if pages.iter().any(|page| page.name() == name) {
                continue;
            }
            // The transaction that adds it may still be running.
            let page = self.page_of(partition, name).await?;
            pages.extend(Some(page).filter(|page| page.name() == name));
        }
        Ok(pages)
    }

    /// The closed page that the id belongs to.
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

    /// The write of a closed page.
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

    /// Writes the next version of the head with these pages, and removes these records, unless they have been
    /// written again. The first transaction writes the head and the pages, and removes as many records as fit.
    /// Further transactions remove the others. If the process dies between them, the next turn indexes the
    /// remaining records once more. Returns the number of removed records.
    pub(super) async fn write_head(
        &self,
        collection: &str,
        head: &Head,
        pages: Vec<TransactWriteItem>,
        mut waiting: Vec<Waiting>,
    ) -> Result<usize, IndexError> {
        let head = self.put_head(collection, head)?;
        let with_head: Vec<_> = std::iter::once(head).chain(pages).collect();
        let room = TRANSACTION.saturating_sub(with_head.len());
        let others = waiting.split_off(waiting.len().min(room));
        let mut removed = self.remove_with(&with_head, waiting).await?;
        for some in others.chunks(TRANSACTION) {
            removed += self.remove_with(&[], some.to_vec()).await?;
        }
        Ok(removed)
    }

    /// Removes these records in one transaction, together with these writes. A record that has been written
    /// again stays. If the head is written, it must come first. Returns the number of removed records.
    async fn remove_with(
        &self,
        writes: &[TransactWriteItem],
        mut waiting: Vec<Waiting>,
    ) -> Result<usize, IndexError> {
        let mut attempt = 0;
        while attempt < ATTEMPTS {
            let mut items = writes.to_vec();
            let removals = waiting.iter().map(|one| self.remove_unchanged(one));
            items.extend(removals.collect::<Result<Vec<_>, _>>()?);
            if items.is_empty() {
                return Ok(0);
            }
            let Some(reasons) = self.send(items).await? else {
                return Ok(waiting.len());
            };
            if reasons.len() != writes.len() + waiting.len() {
                return Err(cancelled(&reasons).into());
            }
            let (own, others) = reasons.split_at(writes.len());
            if own.first().is_some_and(has_failed) {
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
        Err(StoreError::Unavailable(
            "an index conflicted with other writes at each attempt".to_owned(),
        )
        .into())
    }
}
