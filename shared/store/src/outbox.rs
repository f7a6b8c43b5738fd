//! The outbox: records of pages that are to be purged. A commit writes them with its data.

use crate::marks::Mark;
use crate::{Store, StoreError};
use action::{Expect, Item, Key, Operation};
use aws_sdk_dynamodb::types::TransactWriteItem;
use serde_json::{Value, json};
use uuid::Uuid;

/// Pages that a commit made stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    /// The id: a UUID of version 7.
    pub id: String,
    /// The tags whose marks are still to be checked. If `again_at` is set: the tags to purge.
    pub tags: Vec<String>,
    /// The marks that were closed for this record: their tags are to be purged.
    pub closed: Vec<Mark>,
    /// The time of the change, in milliseconds since 1970. In a record for a second purge it is the time at
    /// which the last of the pages was rendered.
    pub created_at: i64,
    /// When it is due, in milliseconds since 1970.
    pub due_at: i64,
    /// The distribution at which to purge the tags once more, whatever their marks say: the first
    /// purge missed pages that were on their way to the edge.
    pub again_at: Option<String>,
    /// How often it was written again. A worker may change it only as it was read.
    pub(crate) revision: u32,
}

impl OutboxRecord {
    /// A record for `tags`, created at `now` and due at `due_at` (both in milliseconds since 1970).
    #[must_use]
    pub fn new(tags: Vec<String>, now: i64, due_at: i64) -> Self {
        Self {
            id: Uuid::now_v7().to_string(),
            tags,
            closed: Vec::new(),
            created_at: now,
            due_at,
            again_at: None,
            revision: 0,
        }
    }

    /// A record for the second purge of `tags` at a distribution, whose pages were marked at `marked_at` or
    /// before, due at `due_at`.
    #[must_use]
    pub fn again(distribution: &str, tags: Vec<String>, marked_at: i64, due_at: i64) -> Self {
        Self {
            again_at: Some(distribution.to_owned()),
            ..Self::new(tags, marked_at, due_at)
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

    /// Whether the marks of its tags are still to be checked. If marks were closed for it, their purge comes
    /// first, and then the rest.
    #[must_use]
    pub fn is_unchecked(&self) -> bool {
        self.again_at.is_none() && self.closed.is_empty() && !self.tags.is_empty()
    }

    /// The organisation whose change made the tags stale. Empty if there are no tags.
    fn tenant(&self) -> String {
        let closed = self.closed.iter().map(|mark| &mark.tag);
        let tag = self.tags.iter().chain(closed).next();
        tag.map(|tag| tenant_of(tag).to_owned()).unwrap_or_default()
    }

    fn item(&self) -> Value {
        let mut item = json!({
            "id": self.id,
            "tags": self.tags,
            "closed": self.closed,
            "createdAt": self.created_at,
            "dueAt": self.due_at,
            "againAt": self.again_at,
        });
        if let (Some(revision), Value::Object(item)) = (self.stored_revision(), &mut item) {
            item.insert("revision".to_owned(), revision);
        }
        item
    }

    /// The attribute `revision`. A record that was written once has none.
    fn stored_revision(&self) -> Option<Value> {
        (self.revision > 0).then(|| json!(self.revision))
    }

    /// The condition that the record exists and is as it was read.
    pub(crate) fn unchanged(&self) -> Expect {
        let id = Some(json!(self.id));
        Expect::Attributes([("id", id), ("revision", self.stored_revision())].into())
    }

    fn from_item(item: &Item) -> Option<Self> {
        let number = |name: &str| item.get(name).and_then(Value::as_i64);
        let tags = item.get("tags")?.as_array()?;
        // Records that were written before marks were closed by commits have no closed marks.
        let closed = match item.get("closed") {
            None => Vec::new(),
            Some(closed) => serde_json::from_value(closed.clone()).ok()?,
        };
        Some(Self {
            id: item.get("id")?.as_str()?.to_owned(),
            tags: tags
                .iter()
                .filter_map(|tag| Some(tag.as_str()?.to_owned()))
                .collect(),
            closed,
            created_at: number("createdAt")?,
            due_at: number("dueAt")?,
            again_at: item
                .get("againAt")
                .and_then(Value::as_str)
                .map(str::to_owned),
            revision: number("revision").unwrap_or_default().try_into().ok()?,
        })
    }
}

/// The organisation of a tag.
#[must_use]
pub fn tenant_of(tag: &str) -> &str {
    tag.split(':').next().unwrap_or_default()
}

impl Store {
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

    /// The write of this record.
    pub(crate) fn put_outbox_record(
        &self,
        record: &OutboxRecord,
        expect: Expect,
    ) -> Result<TransactWriteItem, StoreError> {
        self.write(&Operation::Put {
            key: record.key(),
            item: record.item(),
            expect,
            conflict: None,
        })
    }
}
