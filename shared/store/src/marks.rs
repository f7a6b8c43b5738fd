//! Marks: they say which tags responses cached at the edge may carry.
//!
//! Each tag has its own mark, an item of the table. A view opens the mark before it reads. A commit that
//! changes what pages with the tag show notes that in the mark, and closes the mark if it is open. See
//! `docs/caching.md`.

use crate::convert::{Attributes, item, key_attributes, number, text};
use crate::transact::{Condition, bug};
use crate::{OutboxRecord, Store, StoreError};
use action::{Item, Key};
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ReturnValuesOnConditionCheckFailure::AllOld,
    TransactWriteItem, Update,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the edge may keep a page: the `s-maxage` of a cached response.
pub const KEPT_AT_EDGE: Duration = Duration::from_secs(300);

/// How long after a mark a page rendered under it may still be on its way to the edge.
pub const SETTLING: Duration = Duration::from_secs(30);

/// A mark under which the edge may have cached pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// The tag.
    pub tag: String,
    /// When the tag was marked last, in milliseconds since 1970.
    pub marked_at: i64,
    /// The CloudFront distribution that caches pages rendered under the mark.
    pub distribution: String,
    /// The unique id of the render that wrote the mark.
    pub render: String,
}

/// What a mark says about the pages with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MarkState {
    /// No page is cached, or CloudFront has accepted a purge of every page that may be.
    Quiet,
    /// Pages may be cached.
    Open(Mark),
    /// Pages may be cached. An outbox record says that they are to be purged.
    Pending,
}

impl MarkState {
    /// Parses a mark as it is at `now` (in milliseconds since 1970). Returns its tag too.
    pub(crate) fn read(key: &Key, item: &Item, now: i64) -> Option<(String, Self)> {
        let tag = key.parts().0.strip_prefix("#mark:")?.to_owned();
        let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        let marked_at = item.get("markedAt").and_then(Value::as_i64);
        let state = match marked_at.filter(|marked_at| *marked_at > lapsed(now)) {
            None => Self::Quiet,
            Some(marked_at) if !item.contains_key("closed") => Self::Open(Mark {
                tag: tag.clone(),
                marked_at,
                distribution: text("distribution")?,
                render: text("render")?,
            }),
            Some(_) if item.contains_key("pending") => Self::Pending,
            Some(_) => Self::Quiet,
        };
        Some((tag, state))
    }

    /// The marks in the reasons of a cancelled transaction: those whose conditions failed.
    pub(crate) fn in_reasons(
        reasons: &[CancellationReason],
        now: i64,
    ) -> Result<Vec<(String, Self)>, StoreError> {
        let items = reasons.iter().filter_map(|reason| reason.item.clone());
        let read = |attributes: Attributes| {
            let (key, item) = item(attributes)?;
            Ok(Self::read(&key, &item, now))
        };
        let marks: Result<Vec<_>, StoreError> = items.map(read).collect();
        Ok(marks?.into_iter().flatten().collect())
    }
}

pub(crate) fn mark_key(tag: &str) -> Key {
    Key::record("mark", tag, "mark")
}

/// A mark from this time or earlier no longer counts: the edge has dropped every page of its time.
pub(crate) fn lapsed(now: i64) -> i64 {
    now - millis(KEPT_AT_EDGE + SETTLING)
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// When DynamoDB may delete a mark that was written at `now`, in seconds since 1970. Until then views
/// and commits compare the times in it.
pub(crate) fn expires_at(now: i64) -> i64 {
    const KEPT: i64 = 86_400;
    now / 1000 + KEPT
}

/// The condition that no page with the tag needs a purge: [`MarkState::Quiet`].
const QUIET: &str = "attribute_not_exists(markedAt) OR markedAt <= :lapsed OR \
                     (attribute_exists(closed) AND attribute_not_exists(pending))";

/// The condition that a mark is open, and that no page has been rendered under it since it was read.
const UNCHANGED: &str = "render = :render AND attribute_not_exists(closed)";

fn values<const N: usize>(values: [(&str, AttributeValue); N]) -> Attributes {
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

impl Store {
    /// Notes a change at `now` in the mark of a tag, on condition that no page needs a purge.
    pub(crate) fn note_change(&self, tag: &str, now: i64) -> Result<TransactWriteItem, StoreError> {
        self.update_mark(
            tag,
            "SET changedAt = :now, expires_at = :expires_at",
            QUIET,
            values([
                (":now", number(now)),
                (":expires_at", number(expires_at(now))),
                (":lapsed", number(lapsed(now))),
            ]),
        )
    }

    /// Notes a change at `now` in an open mark and closes it, on condition that it is unchanged. The
    /// outbox record with this key, which the same transaction writes, has its pages purged.
    pub(crate) fn close(
        &self,
        mark: &Mark,
        record: &Key,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        self.update_mark(
            &mark.tag,
            "SET changedAt = :now, closed = :closed, pending = :record",
            UNCHANGED,
            values([
                (":now", number(now)),
                (":closed", AttributeValue::Bool(true)),
                (":record", text(record.parts().1)),
                (":render", text(&mark.render)),
            ]),
        )
    }

    /// Notes in a closed mark that CloudFront has accepted the purge for this outbox record, on condition
    /// that the mark is still pending for it: it may have been opened since.
    pub(crate) fn note_purge(
        &self,
        tag: &str,
        record: &OutboxRecord,
    ) -> Result<TransactWriteItem, StoreError> {
        let values = values([(":record", text(record.key().parts().1))]);
        self.update_mark(tag, "REMOVE pending", "pending = :record", values)
    }

    fn update_mark(
        &self,
        tag: &str,
        update: &str,
        condition: &str,
        values: Attributes,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&mark_key(tag))))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The condition that no page with the tag needs a purge, without a write.
    pub(crate) fn is_quiet(&self, tag: &str, now: i64) -> Result<TransactWriteItem, StoreError> {
        let values = values([(":lapsed", number(lapsed(now)))]);
        self.check(
            &mark_key(tag),
            Condition {
                expression: Some(QUIET.to_owned()),
                values: Some(values),
                ..Condition::default()
            },
        )
    }

    /// The marks of `tags` as they are at `now` (in milliseconds since 1970); none for a tag that has
    /// never been marked.
    pub(crate) async fn marks(
        &self,
        tags: &BTreeSet<String>,
        now: i64,
    ) -> Result<Vec<(String, MarkState)>, StoreError> {
        let found = self.items(tags.iter().map(|tag| mark_key(tag))).await?;
        let read = found.iter();
        Ok(read
            .filter_map(|(key, item)| MarkState::read(key, item, now))
            .collect())
    }
}
