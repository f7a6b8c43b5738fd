//! Revalidation: after a commit, the pages with its tags must be purged from the edge.
//!
//! Only tags that cached pages may have are purged. What is not purged here, for whatever reason, stays
//! in the outbox, and the `revalidate` function purges it. `docs/caching.md` explains why that is
//! enough.

use crate::App;
use crate::purging::Revalidation;
use action::Key;
use cdn::Purge;
use jiff::Timestamp;
use store::{OutboxRecord, StoreError};

/// How long the outbox record of a commit is left to its own action, in milliseconds.
const INLINE_GRACE: i64 = 1_000;

/// The outbox record of a commit that makes pages with these tags stale.
pub(crate) fn outbox_record(app: &App, tags: Vec<String>) -> OutboxRecord {
    let now = now();
    let due_at = match app.config.revalidation {
        Revalidation::Inline => now + INLINE_GRACE,
        Revalidation::Background => now,
    };
    OutboxRecord::new(tags, now, due_at)
}

/// What became of a commit's tags before its action responds.
#[derive(Debug, Default)]
pub(crate) struct Revalidated {
    /// The tags that need nothing more, because no cached page has them or CloudFront accepted their
    /// purge.
    pub(crate) tags: Vec<String>,
    /// How many of them were purged, at CloudFront's price for each.
    pub(crate) purged: usize,
    /// How many of them needed no purge.
    pub(crate) saved: usize,
}

impl From<Vec<String>> for Revalidated {
    fn from(tags: Vec<String>) -> Self {
        Self {
            tags,
            ..Self::default()
        }
    }
}

/// Purges for a commit with these tags before its action responds. Its outbox record is `None` if no
/// cached page has one of the tags.
pub(crate) async fn inline(
    app: &App,
    tags: Vec<String>,
    outbox_record: Option<OutboxRecord>,
) -> Revalidated {
    let Some(outbox_record) = outbox_record else {
        return Revalidated {
            saved: tags.len(),
            ..tags.into()
        };
    };
    if app.config.revalidation == Revalidation::Background {
        return Revalidated::default();
    }
    match check(app, outbox_record).await {
        Ok(None) => tags.into(),
        Ok(Some(outbox_record)) => purge(app, tags, outbox_record).await,
        Err(error) => {
            tracing::warn!(%error, "an outbox record stays to be drained");
            Revalidated::default()
        }
    }
}

/// Checks the marks of the record, if the commit has not done so. `None` if no page needs a purge.
async fn check(app: &App, outbox_record: OutboxRecord) -> Result<Option<OutboxRecord>, StoreError> {
    if !outbox_record.is_unchecked() {
        return Ok(Some(outbox_record));
    }
    if app.store.settle(&outbox_record, now()).await? {
        return Ok(None);
    }
    let all = outbox_record.clone();
    let checked = app.store.check_marks(vec![outbox_record], now()).await?;
    Ok(Some(checked.into_iter().next().unwrap_or(all)))
}

/// Purges for a record whose marks were checked.
async fn purge(app: &App, mut tags: Vec<String>, outbox_record: OutboxRecord) -> Revalidated {
    // Those that still wait are left to the drain.
    tags.retain(|tag| !outbox_record.tags.contains(tag));
    let is_closed = |tag: &String| outbox_record.closed.iter().any(|mark| mark.tag == *tag);
    let uncached: Vec<_> = tags.iter().filter(|tag| !is_closed(tag)).cloned().collect();
    if !Purge::is_needed(&outbox_record) || app.inline.is_paused() {
        return uncached.into();
    }
    let purge = Purge::new(outbox_record);
    let timeout = Some(app.config.inline_purge_timeout);
    if let Err(error) = purge.purge(&app.invalidations, timeout).await {
        app.inline.pause(&error);
        tracing::warn!(%error, "a purge is left to the outbox");
        return uncached.into();
    }
    if let Err(error) = purge.conclude(&app.store).await {
        tracing::warn!(%error, "an outbox record stays though it has been seen to");
    }
    Revalidated {
        purged: purge.items(),
        ..tags.into()
    }
}

/// The same for a replay of a commit with this outbox record. If the record still exists, the first
/// request is still purging, or it failed or crashed.
pub(crate) async fn after_replay(
    app: &App,
    tags: Vec<String>,
    outbox_record: Option<Key>,
) -> Revalidated {
    let Some(outbox_record) = outbox_record else {
        return tags.into();
    };
    match app
        .store
        .outbox_records(vec![outbox_record])
        .await
        .map(|mut left| left.pop())
    {
        Ok(None) => tags.into(),
        Ok(Some(outbox_record)) => inline(app, tags, Some(outbox_record)).await,
        Err(error) => {
            tracing::warn!(%error, "an outbox record could not be read");
            Revalidated::default()
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
