//! The `revalidate` function: drains the outbox of what no action has seen to.
//!
//! It takes a batch of the table's stream (outbox records as they are written), and a sweep: an
//! event of a schedule, the safety net. Both read the records again, since most have been seen to
//! by then.

use crate::{EventError, key, millis_now as now};
use action::{Expect, Item, Key, Operation};
use cdn::{InvalidationError, Purge};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::{OutboxRecord, StoreError};
use wrapper::App;

/// How many records of each partition one sweep takes at a time.
const PER_SHARD: i32 = 25;

/// How many records one purge and one transaction see to: a transaction takes 100 items.
const BATCH: usize = 90;

/// How often a sweep looks for more before it leaves the rest to the next.
const ROUNDS: usize = 20;

/// What a drain came to.
#[derive(Debug, Default)]
struct Report {
    /// Records seen to.
    drained: usize,
    /// Tags that were purged for them.
    purged: usize,
    /// How long the oldest record was overdue, in milliseconds.
    overdue: i64,
    /// Why the rest is left for later.
    left: Option<InvalidationError>,
}

/// Handles an event, and answers as Lambda wants it for a
/// [stream](https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
///
/// # Errors
/// Where the event is neither, or storage fails; Lambda then brings the event again.
pub(crate) async fn handle(app: &App, event: &Value) -> Result<Value, EventError> {
    let mut report = Report::default();
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        let keys = records.iter().filter_map(|record| key(record, "#outbox:"));
        let written = app.store.outbox_records(keys.collect());
        // What is put off is not due yet, and left to the sweep.
        let due = written
            .await?
            .into_iter()
            .filter(|record| record.due_at <= now());
        drain(app, due.collect(), &mut report).await?;
    } else if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
        sweep(app, &mut report).await?;
    } else {
        return Err(EventError::Unknown);
    }
    log(app, &report);
    Ok(json!({ "batchItemFailures": [], "drained": report.drained, "purged": report.purged }))
}

async fn sweep(app: &App, report: &mut Report) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let due = app.store.due(now(), PER_SHARD).await?;
        if due.is_empty() {
            return Ok(());
        }
        drain(app, due, report).await?;
        if report.left.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

async fn drain(app: &App, due: Vec<OutboxRecord>, report: &mut Report) -> Result<(), StoreError> {
    let Some(oldest) = due.iter().map(|record| record.due_at).min() else {
        return Ok(());
    };
    report.overdue = report.overdue.max(now() - oldest);
    let backoff = Backoff::read(app).await?;
    if backoff.as_ref().is_some_and(Backoff::holds) {
        report.left = Some(InvalidationError::Unavailable("waiting".to_owned()));
        return Ok(());
    }
    for batch in due.chunks(BATCH) {
        let work = work(app, batch).await?;
        if let Err(error) = work.purge(&app.invalidations, None).await {
            tracing::warn!(%error, "the outbox is not drained");
            Backoff::after(backoff.as_ref(), &error).write(app).await?;
            report.left = Some(error);
            return Ok(());
        }
        work.conclude(&app.store).await?;
        report.drained += batch.len();
        report.purged += work.purges();
    }
    match backoff {
        Some(_) => Backoff::clear(app).await,
        None => Ok(()),
    }
}

async fn work(app: &App, records: &[OutboxRecord]) -> Result<Purge, StoreError> {
    let mut tags = BTreeSet::new();
    for record in records.iter().filter(|record| record.again_at.is_none()) {
        tags.extend(record.tags.iter().cloned());
    }
    let marks = app.store.marks(&tags, now()).await?;
    Ok(Purge::new(records.to_vec(), marks))
}

/// After CloudFront has not accepted: until when to leave it alone. Kept in the table, because
/// the next event may meet another process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Backoff {
    reason: String,
    failures: u32,
    until: i64,
}

impl Backoff {
    fn key() -> Key {
        Key::record("edge", "backoff", "backoff")
    }

    async fn read(app: &App) -> Result<Option<Self>, StoreError> {
        let items = app.store.items([Self::key()]).await?;
        let read = |item: &Item| {
            Some(Self {
                reason: item.get("reason")?.as_str()?.to_owned(),
                failures: item.get("failures")?.as_u64()?.try_into().ok()?,
                until: item.get("until")?.as_i64()?,
            })
        };
        Ok(items.get(&Self::key()).and_then(read))
    }

    fn holds(&self) -> bool {
        now() < self.until
    }

    /// Longer with each failure of the same kind: a call too many is forgotten soon, while
    /// invalidations in progress take [up to half a minute](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html)
    /// to complete. Half of it is random.
    fn after(before: Option<&Self>, error: &InvalidationError) -> Self {
        let (reason, first, most) = match error {
            InvalidationError::Unavailable(_) => ("unavailable", 500, 10_000),
            InvalidationError::Throttled => ("throttled", 1_000, 60_000),
            InvalidationError::InProgress => ("in-progress", 5_000, 300_000),
            InvalidationError::Refused(_) => ("refused", 5_000, 300_000),
        };
        let same = before.filter(|before| before.reason == reason);
        let failures = same.map_or(0, |before| before.failures.saturating_add(1));
        let longest: i64 = most.min(first << failures.min(16));
        let random = i64::from(uuid::Uuid::new_v4().as_fields().0);
        Self {
            reason: reason.to_owned(),
            failures,
            until: now() + longest / 2 + random % (longest / 2 + 1),
        }
    }

    async fn write(&self, app: &App) -> Result<(), StoreError> {
        let put = Operation::Put {
            key: Self::key(),
            item: json!({ "reason": self.reason, "failures": self.failures, "until": self.until }),
            expect: Expect::Anything,
            conflict: None,
        };
        transact(app, put).await
    }

    async fn clear(app: &App) -> Result<(), StoreError> {
        let delete = Operation::Delete {
            key: Self::key(),
            expect: Expect::Anything,
        };
        transact(app, delete).await
    }
}

async fn transact(app: &App, operation: Operation) -> Result<(), StoreError> {
    match app.store.transact(None, &[operation]).await {
        Ok(()) => Ok(()),
        Err(store::Rejected::Storage(error)) => Err(error),
        // Without a condition nothing else can be.
        Err(other) => Err(StoreError::Bug(other.to_string())),
    }
}

/// One line where there was something to do, with metrics as every function's line has them.
fn log(app: &App, report: &Report) {
    if report.drained == 0 && report.left.is_none() {
        return;
    }
    (app.config.log)(&wrapper::log::drained(
        report.drained,
        report.purged,
        report.overdue,
        report.left.as_ref().map(ToString::to_string),
    ));
}
