//! The outbox: records of tags that commits have made stale and that have not been purged yet.
//!
//! The last digit of its id puts a record into one of 16 partitions, where records are sorted by
//! when they are due. So one short query of each partition finds all due records.

use crate::convert::{item_attributes, key_attributes, number, text};
use crate::error::{classify, is_bug};
use crate::marks::{self, Mark, NOT_LIVE, UNCHANGED, lapsed};
use crate::transact::{backoff, bug, cancelled};
use crate::verdict::{is_contended, leave_out_failed};
use crate::{Store, StoreError};
use action::{Expect, Item, Key, Operation};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put,
    ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A transaction takes at most this many items.
const TRANSACTION: usize = 100;

/// How often a transaction that conflicts with others is sent.
const ATTEMPTS: u32 = 4;

/// Tags to purge after one or more commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    /// The id: a UUID of version 7.
    pub id: String,
    /// The tags to purge.
    pub tags: Vec<String>,
    /// When it was created, before its commit, in milliseconds since 1970.
    pub created_at: i64,
    /// When it is due, in milliseconds since 1970.
    pub due_at: i64,
    /// The distribution at which to purge the tags once more, whatever their marks say. The first
    /// purge missed pages that were on their way to the edge. If `None`, the marks decide.
    pub again_at: Option<String>,
}

impl OutboxRecord {
    /// A record for `tags`, created at `now` and due at `due_at` (both in milliseconds since 1970).
    #[must_use]
    pub fn new(tags: Vec<String>, now: i64, due_at: i64) -> Self {
        Self {
            id: Uuid::now_v7().to_string(),
            tags,
            created_at: now,
            due_at,
            again_at: None,
        }
    }

    /// Where the record is stored.
    #[must_use]
    pub fn key(&self) -> Key {
        let shard: String = self.id.chars().next_back().into_iter().collect();
        Key::record(
            "outbox",
            &shard,
            &format!("{:013}:{}", self.due_at, self.id),
        )
    }

    /// The write of this record, for a transaction.
    #[must_use]
    pub fn operation(&self) -> Operation {
        Operation::Put {
            key: self.key(),
            item: self.item(),
            expect: Expect::Absent,
            conflict: None,
        }
    }

    /// The organisation whose change made the tags stale. Empty if there are no tags.
    fn tenant(&self) -> String {
        let tag = self.tags.first().map(String::as_str).unwrap_or_default();
        tag.split(':').next().unwrap_or_default().to_owned()
    }

    fn item(&self) -> Value {
        json!({
            "id": self.id,
            "tags": self.tags,
            "createdAt": self.created_at,
            "dueAt": self.due_at,
            "againAt": self.again_at,
        })
    }

    fn from_item(item: &Item) -> Option<Self> {
        let number = |name: &str| item.get(name).and_then(Value::as_i64);
        let tags = item.get("tags")?.as_array()?;
        Some(Self {
            id: item.get("id")?.as_str()?.to_owned(),
            tags: tags
                .iter()
                .filter_map(|tag| Some(tag.as_str()?.to_owned()))
                .collect(),
            created_at: number("createdAt")?,
            due_at: number("dueAt")?,
            again_at: item
                .get("againAt")
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    }
}

impl Store {
    /// Removes the record if the edge has no page under any of its tags, in one transaction.
    /// Otherwise the record stays, and the open marks are returned.
    ///
    /// # Errors
    /// [`StoreError`]. The record then stays.
    pub async fn settle(&self, record: &OutboxRecord, now: i64) -> Result<Vec<Mark>, StoreError> {
        let mut items = vec![self.remove(&record.key())?];
        for tag in &record.tags {
            items.push(self.not_live(tag, now)?);
        }
        for attempt in 0..ATTEMPTS {
            match self.send(items.clone()).await? {
                None => return Ok(Vec::new()),
                Some(reasons) if is_contended(&reasons) => backoff(attempt).await,
                Some(reasons) => return live(&reasons, now),
            }
        }
        Err(StoreError::Unavailable(
            "marks conflicted with other writes at each attempt".to_owned(),
        ))
    }

    /// Records that are due at `now` (in milliseconds since 1970): see [`Store::due_records`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, now: i64) -> Result<Vec<OutboxRecord>, StoreError> {
        let parse = |_, item| OutboxRecord::from_item(&item);
        self.due_records("outbox", now, parse, OutboxRecord::tenant)
            .await
    }

    /// The records of these keys that still exist.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_records(&self, keys: Vec<Key>) -> Result<Vec<OutboxRecord>, StoreError> {
        let found = self.items(keys).await?;
        Ok(found.values().filter_map(OutboxRecord::from_item).collect())
    }

    /// Records that the tags of `done` have been purged, in one transaction: removes these records,
    /// writes the records `second` for second purges, and closes the `purged` marks that no render
    /// has renewed. Takes at most 90 records. If not all marks fit into the transaction, the rest
    /// stay open; the only cost is a needless purge.
    ///
    /// # Errors
    /// [`StoreError`]. Then nothing was written, except perhaps after a timeout.
    pub async fn conclude(
        &self,
        done: &[OutboxRecord],
        second: &[OutboxRecord],
        purged: &[Mark],
    ) -> Result<(), StoreError> {
        if let ([only], [], []) = (done, second, purged) {
            return self.remove_one(&only.key()).await;
        }
        let room = TRANSACTION.saturating_sub(done.len() + second.len());
        let mut closing: Vec<_> = purged
            .iter()
            .filter(|mark| mark.is_open())
            .take(room)
            .collect();
        let mut attempt = 0;
        while attempt < ATTEMPTS {
            let closes = closing.iter().map(|mark| self.close(mark));
            let removals = done.iter().map(|record| self.remove(&record.key()));
            let puts = second.iter().map(|record| self.put_outbox_record(record));
            let items: Vec<_> = closes
                .chain(removals)
                .chain(puts)
                .collect::<Result<_, _>>()?;
            let Some(reasons) = self.send(items).await? else {
                return Ok(());
            };
            if !leave_out_failed(&mut closing, &reasons) {
                if !is_contended(&reasons) {
                    return Err(cancelled(&reasons));
                }
                backoff(attempt).await;
                attempt += 1;
            }
        }
        Err(StoreError::Unavailable(
            "the outbox conflicted with other writes at each attempt".to_owned(),
        ))
    }

    async fn remove_one(&self, key: &Key) -> Result<(), StoreError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "an outbox record is not user data"
        )]
        let delete = self.client.delete_item();
        delete
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, |e| is_bug(e.code())))
    }

    fn close(&self, mark: &Mark) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&marks::mark_key(&mark.tag))))
            .update_expression("SET closed = :closed")
            .condition_expression(UNCHANGED)
            .expression_attribute_values(":render", text(&mark.render))
            .expression_attribute_values(":closed", AttributeValue::Bool(true))
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn remove(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn put_outbox_record(&self, record: &OutboxRecord) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item_attributes(&record.key(), &record.item())?))
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn not_live(&self, tag: &str, now: i64) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&marks::mark_key(tag))))
            .condition_expression(NOT_LIVE)
            .expression_attribute_values(":lapsed", number(lapsed(now)))
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// The open marks: those whose conditions failed.
fn live(reasons: &[CancellationReason], now: i64) -> Result<Vec<Mark>, StoreError> {
    let marks = reasons
        .iter()
        .filter_map(|reason| reason.item.clone())
        .map(|attributes| marks::from_attributes(attributes, now));
    let marks: Vec<_> = marks
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    if marks.is_empty() {
        return Err(cancelled(reasons));
    }
    Ok(marks)
}
