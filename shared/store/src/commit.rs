//! Commits: each is one transaction. It writes the data, and takes care of the cached pages that the
//! data makes stale: see `docs/caching.md`.

use crate::marks::{Mark, MarkState};
use crate::transact::{TRANSACTION, backoff, cancelled};
use crate::verdict::{Verdict, has_failed, is_contended, lasting, verdict};
use crate::{OutboxRecord, Store, StoreError};
use action::{ActionError, Expect, Item, Key, Operation};
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The record of the result of a request with an idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub struct IdempotencyRecord {
    /// The record's key: the same for all requests with the same idempotency key and scope.
    pub key: Key,
    /// The result, with the attribute `expires_at`. The commit adds `outbox`, the key of its outbox
    /// record, if it writes one.
    pub item: Value,
    /// The time of the request, in seconds since 1970. A record that has expired by then counts as
    /// absent.
    pub now: i64,
}

impl IdempotencyRecord {
    fn with_outbox(&self, outbox_record: Option<&OutboxRecord>) -> Self {
        let mut record = self.clone();
        if let (Some(outbox_record), Value::Object(item)) = (outbox_record, &mut record.item) {
            let key = outbox_record.key();
            item.insert("outbox".to_owned(), json!(key.parts()));
        }
        record
    }
}

/// A commit was not written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Rejected {
    /// The idempotency key has been used. Contains its record.
    #[error("the idempotency key has been used")]
    Recorded(Item),
    /// An item that the commit depends on has changed: rerun on fresh reads.
    #[error("an item that was read has changed")]
    Moved,
    /// A value that must be unique is taken.
    #[error("a unique value is taken: {0}")]
    Taken(ActionError),
    /// Storage failed. After [`StoreError::Timeout`] the commit may have been written.
    #[error(transparent)]
    Storage(#[from] StoreError),
}

/// How often a transaction that conflicts with others is sent. The delays start at 10 ms and take
/// up to about a second in all.
const ATTEMPTS: u32 = 8;

/// How often a commit is sent with the marks of its tags. They may change between two attempts.
const WITH_MARKS: u32 = 3;

impl Store {
    /// Writes the idempotency record and all operations, or nothing.
    ///
    /// # Errors
    /// [`Rejected`]. Nothing was written, except perhaps after [`StoreError::Timeout`] or
    /// [`StoreError::Unavailable`].
    pub async fn transact(
        &self,
        record: Option<&IdempotencyRecord>,
        operations: &[Operation],
    ) -> Result<(), Rejected> {
        let nothing_stale = OutboxRecord::new(Vec::new(), 0, 0);
        self.commit(record, operations, nothing_stale).await?;
        Ok(())
    }

    /// Writes the idempotency record and all operations, or nothing. They make the tags of `stale` stale.
    /// If a cached page may have one of the tags, it writes `stale` too, in the same transaction, and
    /// returns it as it was written.
    ///
    /// # Errors
    /// [`Rejected`], as [`Store::transact`].
    pub async fn commit(
        &self,
        record: Option<&IdempotencyRecord>,
        operations: &[Operation],
        stale: OutboxRecord,
    ) -> Result<Option<OutboxRecord>, Rejected> {
        let keyed = record.is_some();
        let writes = operations.iter().map(|operation| self.write(operation));
        let writes: Vec<_> = writes.collect::<Result<_, _>>()?;
        let mut way = Way::Quiet;
        // With the idempotency record, and the outbox record.
        if writes.len() + stale.tags.len() + 2 > TRANSACTION {
            way = Way::RecordOnly;
        }
        let (mut conflicts, mut with_marks) = (0, 1);
        while conflicts < ATTEMPTS {
            let outbox_record = way.outbox_record(&stale);
            let marks = self.marks_of(&way, &stale)?;
            let mut items = Vec::with_capacity(writes.len() + marks.len() + 2);
            // The idempotency record comes first: `verdict` relies on that.
            if let Some(record) = record {
                items.push(self.put_record(&record.with_outbox(outbox_record.as_ref()))?);
            }
            items.extend(writes.iter().cloned());
            let own = items.len();
            if let Some(outbox_record) = &outbox_record {
                items.push(self.put_outbox_record(outbox_record, Expect::Anything)?);
            }
            items.extend(marks);
            let Some(reasons) = self.send(items).await? else {
                return Ok(outbox_record);
            };
            let (own, of_pages) = reasons.split_at(own.min(reasons.len()));
            match verdict(own, keyed, operations) {
                Verdict::Recorded(item) => return Err(Rejected::Recorded(item)),
                Verdict::Moved => return Err(Rejected::Moved),
                Verdict::Taken(error) => return Err(Rejected::Taken(error)),
                Verdict::Bug(text) => return Err(StoreError::Bug(text).into()),
                Verdict::Contention => {}
            }
            if way.fails(of_pages) {
                way = way.after(of_pages, stale.created_at, with_marks)?;
                with_marks += 1;
            } else if !lasting(of_pages).is_empty() {
                return Err(cancelled(of_pages).into());
            } else {
                backoff(conflicts).await;
                conflicts += 1;
            }
        }
        let text = "a transaction conflicted with others at each attempt";
        Err(StoreError::Unavailable(text.to_owned()).into())
    }

    fn marks_of(
        &self,
        way: &Way,
        stale: &OutboxRecord,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let now = stale.created_at;
        let mark = |tag: &String| match way {
            Way::Closing(open) if open.contains_key(tag) => {
                self.close(&open[tag], &stale.key(), now)
            }
            _ => self.note_change(tag, now),
        };
        match way {
            Way::RecordOnly => Ok(Vec::new()),
            Way::Quiet | Way::Closing(_) => stale.tags.iter().map(mark).collect(),
        }
    }
}

/// How a commit takes care of the pages that it makes stale.
enum Way {
    /// No page needs a purge: every mark is quiet, which is a condition of the commit.
    Quiet,
    /// The commit closes these open marks. Its outbox record says that they are to be purged.
    Closing(BTreeMap<String, Mark>),
    /// The commit leaves the marks alone. Its outbox record says that they are to be checked.
    RecordOnly,
}

impl Way {
    fn outbox_record(&self, stale: &OutboxRecord) -> Option<OutboxRecord> {
        match self {
            Self::Quiet => None,
            Self::Closing(open) => Some(OutboxRecord {
                tags: Vec::new(),
                closed: open.values().cloned().collect(),
                ..stale.clone()
            }),
            Self::RecordOnly => (!stale.tags.is_empty()).then(|| stale.clone()),
        }
    }

    /// Whether the marks are why the transaction was cancelled: the reasons for the outbox record and
    /// the marks say so.
    fn fails(&self, reasons: &[CancellationReason]) -> bool {
        let with_marks = !matches!(self, Self::RecordOnly);
        with_marks && (reasons.iter().any(has_failed) || is_contended(reasons))
    }

    /// The way of the next attempt, after this many attempts with marks.
    fn after(
        self,
        reasons: &[CancellationReason],
        now: i64,
        attempts: u32,
    ) -> Result<Self, StoreError> {
        // Another commit of the organisation is writing the mark. With a record there is no need to wait.
        if is_contended(reasons) || attempts >= WITH_MARKS {
            return Ok(Self::RecordOnly);
        }
        let mut open = match self {
            Self::Closing(open) => open,
            Self::Quiet | Self::RecordOnly => BTreeMap::new(),
        };
        for (tag, state) in MarkState::in_reasons(reasons, now)? {
            match state {
                MarkState::Open(mark) => {
                    open.insert(tag, mark);
                }
                MarkState::Quiet => {
                    open.remove(&tag);
                }
                MarkState::Pending => return Ok(Self::RecordOnly),
            }
        }
        Ok(match open.len() {
            0 => Self::Quiet,
            _ => Self::Closing(open),
        })
    }
}
