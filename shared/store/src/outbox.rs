//! The outbox: the tags that committed changes have made stale, until they have been seen to.
//!
//! A record is spread by the end of its id over 16 partitions and sorted by when it is due, so
//! that what is due is one short query of each.

use crate::convert::{item_attributes, key_attributes, number, text};
use crate::error::{answered, classify, is_bug};
use crate::marks::{self, Mark, NOT_LIVE, UNCHANGED, lapsed};
use crate::transact::{backoff, bug, cancelled};
use crate::verdict::{is_contended, leave_out_failed, said};
use crate::{Store, StoreError};
use action::{Expect, Item, Key, Operation};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put,
    ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use uuid::Uuid;

/// Over how many partitions the outbox is spread: one for each hexadecimal digit.
const SHARDS: [&str; 16] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f",
];

/// A transaction takes at most this many items.
const TRANSACTION: usize = 100;

/// How often a transaction is sent while others get in its way.
const ATTEMPTS: u32 = 4;

/// What one or several commits have left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    /// Its name.
    pub id: String,
    /// The tags to see to.
    pub tags: Vec<String>,
    /// When it was made, in milliseconds since 1970: before its commit.
    pub created_at: i64,
    /// When it is due, in milliseconds since 1970.
    pub due_at: i64,
    /// Where to purge the tags, whatever their marks say: they have been purged once, and what
    /// was on its way to the edge then must go too. Without it, the marks decide.
    pub again_at: Option<String>,
}

impl OutboxRecord {
    /// A record for `tags`, made now and due at `due_at` (both in milliseconds since 1970).
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

    /// Where it is stored. The name is unique: a record that is put off has another.
    #[must_use]
    pub fn key(&self) -> Key {
        let shard = &self.id[self.id.len().saturating_sub(1)..];
        Key::record("outbox", shard, &format!("{:013}:{}", self.due_at, self.id))
    }

    /// Its write, for a transaction.
    #[must_use]
    pub fn operation(&self) -> Operation {
        Operation::Put {
            key: self.key(),
            item: self.item(),
            expect: Expect::Absent,
            conflict: None,
        }
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
    /// Removes the record if none of its tags is live, in one transaction. If some are, it stays,
    /// and their marks are the answer.
    ///
    /// # Errors
    /// [`StoreError`]; then the record stays.
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
            "marks were written each time".to_owned(),
        ))
    }

    /// The records that are due at `now` (in milliseconds since 1970), at most `limit` of each
    /// partition, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, now: i64, limit: i32) -> Result<Vec<OutboxRecord>, StoreError> {
        let due = self.due_records("outbox", now, limit).await?;
        let mut due: Vec<_> = due
            .iter()
            .filter_map(|(_, item)| OutboxRecord::from_item(item))
            .collect();
        due.sort_by_key(|record| record.due_at);
        Ok(due)
    }

    /// The records of this kind, spread and sorted as the outbox is, that are due at `now` (in
    /// milliseconds since 1970), at most `limit` of each partition.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_records(
        &self,
        kind: &str,
        now: i64,
        limit: i32,
    ) -> Result<Vec<(Key, Item)>, StoreError> {
        let shards = SHARDS.iter();
        let shards = shards.map(|shard| self.due_in(kind, shard, now, limit));
        Ok(try_join_all(shards).await?.into_iter().flatten().collect())
    }

    /// The records at these keys that are still there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_records(&self, keys: Vec<Key>) -> Result<Vec<OutboxRecord>, StoreError> {
        let found = self.items(keys).await?;
        Ok(found.values().filter_map(OutboxRecord::from_item).collect())
    }

    /// After the tags of `done` have been purged: removes these records, writes what of them is
    /// put off, and closes the marks that were purged and have not been renewed since, all at
    /// once. Takes at most 90 records; of the marks as many as find room, since one that stays
    /// open costs a purge and no more.
    ///
    /// # Errors
    /// [`StoreError`]; then all stays as it was, or that is not known.
    pub async fn conclude(
        &self,
        done: &[OutboxRecord],
        put_off: &[OutboxRecord],
        purged: &[Mark],
    ) -> Result<(), StoreError> {
        if let ([only], [], []) = (done, put_off, purged) {
            return self.remove_one(&only.key()).await;
        }
        let room = TRANSACTION.saturating_sub(done.len() + put_off.len());
        let mut closing: Vec<_> = purged
            .iter()
            .filter(|mark| mark.is_open())
            .take(room)
            .collect();
        let mut attempt = 0;
        while attempt < ATTEMPTS {
            let closes = closing.iter().map(|mark| self.close(mark));
            let removals = done.iter().map(|record| self.remove(&record.key()));
            let puts = put_off.iter().map(|record| self.put_outbox_record(record));
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
            "the outbox was written each time".to_owned(),
        ))
    }

    async fn due_in(
        &self,
        kind: &str,
        shard: &str,
        now: i64,
        limit: i32,
    ) -> Result<Vec<(Key, Item)>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk < :now")
            .expression_attribute_values(":pk", text(&format!("#{kind}:{shard}")))
            .expression_attribute_values(":now", text(&format!("{:013}", now + 1)))
            .limit(limit)
            .send()
            .await
            .map_err(|e| classify(e, |e| is_bug(e.code())))?;
        let due = answered(answer.items)?.into_iter();
        due.map(crate::convert::item).collect()
    }

    async fn remove_one(&self, key: &Key) -> Result<(), StoreError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "an outbox record is no user's data"
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

/// The marks whose conditions failed.
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
        return Err(StoreError::Bug(format!(
            "marks were live and are not: {}",
            said(reasons)
        )));
    }
    Ok(marks)
}
