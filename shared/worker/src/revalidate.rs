//! The `revalidate` function: purges for the outbox records that actions have left.
//!
//! It handles two kinds of event: a batch of the table's stream, with new outbox records, and a
//! scheduled event, which starts a sweep over all due records as a safety net. Both read the records
//! from the table again, because actions have removed most of them by then.

use crate::{Deadline, EventError, key, millis_now as now};
use action::{Expect, Item, Key, Operation};
use cdn::{InvalidationError, Purge};
use serde_json::{Value, json};
use store::{OutboxRecord, StoreError};
use wrapper::App;

/// How many records are checked at once.
const BATCH: usize = 90;

/// How many rounds a sweep makes before it leaves the rest to the next sweep.
const ROUNDS: usize = 20;

/// The result of one event.
#[derive(Debug, Default)]
struct Report {
    /// The number of records purged for and removed.
    drained: usize,
    /// The number of tags purged.
    purged: usize,
    /// How long the oldest record was overdue, in milliseconds.
    overdue: i64,
    /// Why the remaining records wait for a later run.
    left: Option<InvalidationError>,
}

/// Handles an event. Returns the response that Lambda expects for a
/// [stream](https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
///
/// # Errors
/// [`EventError`] if the event is of neither kind or storage fails. Lambda then delivers the event
/// again.
pub(crate) async fn handle(app: &App, event: &Value) -> Result<Value, EventError> {
    let (mut report, deadline) = (Report::default(), Deadline::new());
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        let keys = records.iter().filter_map(|record| key(record, "#outbox:"));
        let mut due = app.store.outbox_records(keys.collect()).await?;
        // Second purges are due later. A sweep handles them.
        due.retain(|record| record.due_at <= now());
        drain(app, due, deadline, &mut report).await?;
    } else if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
        sweep(app, deadline, &mut report).await?;
    } else {
        return Err(EventError::Unknown);
    }
    log(app, &report);
    Ok(json!({ "batchItemFailures": [], "drained": report.drained, "purged": report.purged }))
}

async fn sweep(app: &App, deadline: Deadline, report: &mut Report) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let due = app.store.due(now()).await?;
        if due.is_empty() || deadline.is_over() {
            return Ok(());
        }
        let before = report.drained;
        drain(app, due, deadline, report).await?;
        // If nothing was drained, all records wait for another one.
        if report.left.is_some() || report.drained == before {
            return Ok(());
        }
    }
    Ok(())
}

/// Purges for these records, until CloudFront is unavailable or the time is over.
async fn drain(
    app: &App,
    due: Vec<OutboxRecord>,
    deadline: Deadline,
    report: &mut Report,
) -> Result<(), StoreError> {
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
        let checked = app.store.check_marks(batch.to_vec(), now()).await?;
        let (wanted, done): (Vec<_>, Vec<_>) = checked.into_iter().partition(Purge::is_needed);
        app.store.remove_checked(&done).await?;
        report.drained += done.len();
        for purge in wanted.into_iter().map(Purge::new) {
            if deadline.is_over() {
                return Ok(());
            }
            if let Err(error) = purge.purge(&app.invalidations, None).await {
                tracing::warn!(%error, "the outbox cannot be drained");
                Backoff::after(backoff.as_ref(), &error).write(app).await?;
                report.left = Some(error);
                return Ok(());
            }
            purge.conclude(&app.store).await?;
            report.drained += 1;
            report.purged += purge.items();
        }
    }
    match backoff {
        Some(_) => Backoff::clear(app).await,
        None => Ok(()),
    }
}

/// After CloudFront has refused: until when not to call it again. Stored in the table, because the
/// next event may run in another process.
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

    /// The backoff after one more failure. It doubles with each failure of the same kind, and half
    /// of it is random. The first delay depends on the kind: throttling passes quickly, while
    /// invalidations in progress take [up to half a minute](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html)
    /// to complete.
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
        // The write has no condition, so this is a bug.
        Err(other) => Err(StoreError::Bug(other.to_string())),
    }
}

/// Logs one line with metrics if there was something to do.
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
