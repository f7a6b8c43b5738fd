//! Revalidation: after a commit, what the edge keeps under its tags must go.
//!
//! Only tags under which something may be cached are purged. What is not seen to here, whatever
//! the reason, stays in the outbox and is drained: `docs/caching.md` says why that is enough.

use crate::App;
use crate::purging::Revalidation;
use action::Key;
use cdn::Purge;
use jiff::Timestamp;
use store::OutboxRecord;

/// How long the outbox record of a commit is left to the action that made it, in milliseconds.
const INLINE_GRACE: i64 = 1_000;

/// The outbox record to commit with a change that makes `tags` stale.
pub(crate) fn outbox_record(app: &App, tags: &[String]) -> OutboxRecord {
    let now = now();
    let due_at = match app.config.revalidation {
        Revalidation::Inline => now + INLINE_GRACE,
        Revalidation::Background => now,
    };
    OutboxRecord::new(tags.to_vec(), now, due_at)
}

/// Sees to a commit's tags before its action answers. Gives those that need no more doing for
/// what was cached before: they were not live, or CloudFront has accepted their purge.
pub(crate) async fn inline(app: &App, outbox_record: OutboxRecord) -> Vec<String> {
    if app.config.revalidation == Revalidation::Background {
        return Vec::new();
    }
    let tags = outbox_record.tags.clone();
    let live = match app.store.settle(&outbox_record, now()).await {
        Ok(live) => live,
        Err(error) => {
            tracing::warn!(%error, "an outbox record stays to be drained");
            return Vec::new();
        }
    };
    if live.is_empty() {
        return tags;
    }
    let is_live = |tag: &String| live.iter().any(|mark| mark.tag == *tag);
    let uncached = tags.iter().filter(|tag| !is_live(tag)).cloned().collect();
    if app.inline.is_paused() {
        return uncached;
    }
    let purge = Purge::new(vec![outbox_record], live);
    let timeout = Some(app.config.inline_purge_timeout);
    if let Err(error) = purge.purge(&app.invalidations, timeout).await {
        app.inline.pause(&error);
        tracing::warn!(%error, "a purge is left to the outbox");
        return uncached;
    }
    if let Err(error) = purge.conclude(&app.store).await {
        tracing::warn!(%error, "an outbox record stays though it has been seen to");
    }
    tags
}

/// The same for the replay of a commit whose outbox record was `outbox_record`. While that is there,
/// whoever made the commit is not done with it, or has died over it.
pub(crate) async fn after_replay(
    app: &App,
    tags: Vec<String>,
    outbox_record: Option<Key>,
) -> Vec<String> {
    let Some(outbox_record) = outbox_record else {
        return tags;
    };
    match app
        .store
        .outbox_records(vec![outbox_record])
        .await
        .map(|mut left| left.pop())
    {
        Ok(None) => tags,
        Ok(Some(outbox_record)) => inline(app, outbox_record).await,
        Err(error) => {
            tracing::warn!(%error, "an outbox record could not be read");
            Vec::new()
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
