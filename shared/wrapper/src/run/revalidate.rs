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
use store::OutboxRecord;

/// How long the outbox record of a commit is left to its own action, in milliseconds.
const INLINE_GRACE: i64 = 1_000;

/// The outbox record to write in the transaction that makes `tags` stale.
pub(crate) fn outbox_record(app: &App, tags: &[String]) -> OutboxRecord {
    let now = now();
    let due_at = match app.config.revalidation {
        Revalidation::Inline => now + INLINE_GRACE,
        Revalidation::Background => now,
    };
    OutboxRecord::new(tags.to_vec(), now, due_at)
}

/// What became of a commit's tags before its action responds.
#[derive(Debug, Default)]
pub(crate) struct Revalidated {
    /// The tags that need nothing more, because no cached page has them or CloudFront accepted their
    /// purge.
    pub(crate) tags: Vec<String>,
    /// How many of them were purged, at CloudFront's price for each.
    pub(crate) purged: usize,
}

impl From<Vec<String>> for Revalidated {
    fn from(tags: Vec<String>) -> Self {
        Self { tags, purged: 0 }
    }
}

/// Purges a commit's tags before its action responds.
pub(crate) async fn inline(app: &App, outbox_record: OutboxRecord) -> Revalidated {
    if app.config.revalidation == Revalidation::Background {
        return Revalidated::default();
    }
    let tags = outbox_record.tags.clone();
    let live = match app.store.settle(&outbox_record, now()).await {
        Ok(live) => live,
        Err(error) => {
            tracing::warn!(%error, "an outbox record stays to be drained");
            return Revalidated::default();
        }
    };
    if live.is_empty() {
        return tags.into();
    }
    let is_live = |tag: &String| live.iter().any(|mark| mark.tag == *tag);
    let uncached: Vec<_> = tags.iter().filter(|tag| !is_live(tag)).cloned().collect();
    let purged = tags.len() - uncached.len();
    if app.inline.is_paused() {
        return uncached.into();
    }
    let purge = Purge::new(vec![outbox_record], live);
    let timeout = Some(app.config.inline_purge_timeout);
    if let Err(error) = purge.purge(&app.invalidations, timeout).await {
        app.inline.pause(&error);
        tracing::warn!(%error, "a purge is left to the outbox");
        return uncached.into();
    }
    if let Err(error) = purge.conclude(&app.store).await {
        tracing::warn!(%error, "an outbox record stays though it has been seen to");
    }
    Revalidated { tags, purged }
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
        Ok(Some(outbox_record)) => inline(app, outbox_record).await,
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
