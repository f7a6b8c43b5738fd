//! Marks: they say which tags responses cached at the edge may carry.
//!
//! Each tag has its own mark, an item of the table. A view writes the mark before it reads, and a
//! purge of the tag closes it. Transactions that write users' data never touch marks.

use crate::convert::{Attributes, item, key_attributes, number, text};
use crate::error::{classify, is_bug};
use crate::transact::bug;
use crate::{Store, StoreError};
use action::{Item, Key};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// How long the edge may keep a page: the `s-maxage` of a cached response.
pub const KEPT_AT_EDGE: Duration = Duration::from_secs(300);

/// How long after a mark a page rendered under it may still be on its way to the edge.
pub const SETTLING: Duration = Duration::from_secs(30);

/// The last mark of a tag, and whether it has been closed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The tag.
    pub tag: String,
    /// When the tag was marked, in milliseconds since 1970.
    pub marked_at: i64,
    /// The CloudFront distribution that caches pages rendered under the mark.
    pub distribution: String,
    /// The unique id of the render that wrote the mark.
    pub render: String,
    /// Whether the tag has been purged and no page has been rendered under it since.
    pub(crate) closed: bool,
}

impl Mark {
    fn key(tag: &str) -> Key {
        Key::record("mark", tag, "mark")
    }

    /// Parses a stored mark; `None` if it is no mark or has lapsed by `now` (in milliseconds since
    /// 1970).
    pub(crate) fn from_item(key: &Key, item: &Item, now: i64) -> Option<Self> {
        let tag = key.parts().0.strip_prefix("#mark:")?.to_owned();
        let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        let mark = Self {
            tag,
            marked_at: item.get("markedAt")?.as_i64()?,
            distribution: text("distribution")?,
            render: text("render")?,
            closed: item.contains_key("closed"),
        };
        (mark.marked_at > lapsed(now)).then_some(mark)
    }

    /// Whether the edge may have cached a page under it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.closed
    }
}

/// A mark from this time or earlier no longer counts: the edge has dropped every page of its time.
pub(crate) fn lapsed(now: i64) -> i64 {
    now - millis(KEPT_AT_EDGE + SETTLING)
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The condition that the edge has no page under a mark.
pub(crate) const NOT_LIVE: &str =
    "attribute_not_exists(pk) OR markedAt <= :lapsed OR attribute_exists(closed)";

/// The condition that a mark is unchanged: no page has been rendered since it was read.
pub(crate) const UNCHANGED: &str = "render = :render AND attribute_not_exists(closed)";

/// Opens a mark.
const OPEN: &str = "SET markedAt = :now, render = :render, distribution = :distribution, \
                    expires_at = :expires_at REMOVE closed";

/// The values of [`OPEN`].
fn opened(distribution: &str, now: i64) -> Attributes {
    let expires_at = (now + millis(KEPT_AT_EDGE + SETTLING)) / 1000 + 1;
    [
        (":now", number(now)),
        (":render", text(&Uuid::new_v4().to_string())),
        (":distribution", text(distribution)),
        (":expires_at", number(expires_at)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

impl Store {
    /// Marks a tag at `now` (in milliseconds since 1970). Call it before the read that the cached
    /// page shows.
    ///
    /// # Errors
    /// [`StoreError`]. The page must then not be cached.
    pub async fn mark(&self, tag: &str, distribution: &str, now: i64) -> Result<(), StoreError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&Mark::key(tag))))
            .update_expression(OPEN)
            .set_expression_attribute_values(Some(opened(distribution, now)))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, |e| is_bug(e.code())))
    }

    /// Marks the tag of an entity as [`Store::mark`], if the entity exists: requests for random ids must
    /// not fill the table with marks. `false` if it does not exist, or if the mark or the entity is being
    /// written. The page must then not be cached.
    ///
    /// # Errors
    /// [`StoreError`]. The page must then not be cached.
    pub async fn mark_existing(
        &self,
        entity: &Key,
        distribution: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let Some(tag) = entity.tag() else {
            return Ok(false);
        };
        let mark = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&Mark::key(&tag))))
            .update_expression(OPEN)
            .set_expression_attribute_values(Some(opened(distribution, now)))
            .build()
            .map_err(bug)?;
        let items = vec![
            self.exists(entity)?,
            TransactWriteItem::builder().update(mark).build(),
        ];
        Ok(self.send(items).await?.is_none())
    }

    /// The marks of `tags` that have not lapsed by `now` (in milliseconds since 1970), open or
    /// closed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn marks(&self, tags: &BTreeSet<String>, now: i64) -> Result<Vec<Mark>, StoreError> {
        let found = self.items(tags.iter().map(|tag| Mark::key(tag))).await?;
        Ok(found
            .iter()
            .filter_map(|(key, item)| Mark::from_item(key, item, now))
            .collect())
    }
}

/// Parses a mark in the reasons of a cancelled transaction.
pub(crate) fn from_attributes(
    attributes: Attributes,
    now: i64,
) -> Result<Option<Mark>, StoreError> {
    let (key, item) = item(attributes)?;
    Ok(Mark::from_item(&key, &item, now))
}

pub(crate) fn mark_key(tag: &str) -> Key {
    Mark::key(tag)
}
