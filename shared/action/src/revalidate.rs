//! Revalidation: after a commit, what the edge keeps under its tags must go.
//!
//! Only tags under which something may be cached are purged. What is not seen to here, whatever
//! the reason, stays in the outbox and is drained: `docs/caching.md` says why that is enough.

use crate::App;
use crate::app::Revalidation;
use commit::Key;
use edge::{InvalidationError, Invalidations};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use store::{KEPT_AT_EDGE, Mark, Pending, SETTLING, StoreError};

/// How long an action waits for CloudFront before it answers.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long the outbox record of a commit is left to the action that made it, in milliseconds.
const GRACE: i64 = 1_000;

/// Second purges are due at whole multiples of this, in milliseconds, so that neighbours share
/// one.
const SHARED_DUE: i64 = 5_000;

/// The outbox record to commit with a change that makes `tags` stale.
pub(crate) fn pending(app: &App, tags: &[String]) -> Pending {
    let now = now();
    let due_at = match app.config.revalidation {
        Revalidation::Inline => now + GRACE,
        Revalidation::Background => now,
    };
    Pending::new(tags.to_vec(), now, due_at)
}

/// Sees to a commit's tags before its action answers. Gives those that need no more doing for
/// what was cached before: they were not live, or CloudFront has accepted their purge.
pub(crate) async fn inline(app: &App, pending: Pending) -> Vec<String> {
    if app.config.revalidation == Revalidation::Background {
        return Vec::new();
    }
    let tags = pending.tags.clone();
    let live = match app.store.settle(&pending, now()).await {
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
    let spared = tags.iter().filter(|tag| !is_live(tag)).cloned().collect();
    if app.inline.is_paused() {
        return spared;
    }
    let work = Work::new(vec![pending], live);
    if let Err(error) = work.purge(app, Some(PATIENCE)).await {
        app.inline.pause(&error);
        tracing::warn!(%error, "a purge is left to the outbox");
        return spared;
    }
    if let Err(error) = work.conclude(app).await {
        tracing::warn!(%error, "an outbox record stays though it has been seen to");
    }
    tags
}

/// The same for the replay of a commit whose outbox record was `pending`. While that is there,
/// whoever made the commit is not done with it, or has died over it.
pub(crate) async fn replayed(app: &App, tags: Vec<String>, pending: Option<Key>) -> Vec<String> {
    let Some(pending) = pending else {
        return tags;
    };
    match app
        .store
        .pending(vec![pending])
        .await
        .map(|mut left| left.pop())
    {
        Ok(None) => tags,
        Ok(Some(pending)) => inline(app, pending).await,
        Err(error) => {
            tracing::warn!(%error, "an outbox record could not be read");
            Vec::new()
        }
    }
}

/// Whether actions make purges themselves just now. After a failure they leave them to the
/// outbox for a while, so that they neither wait for what does not answer nor add to a throng.
#[derive(Debug, Default)]
pub(crate) struct Inline {
    paused_until: AtomicI64,
}

impl Inline {
    fn is_paused(&self) -> bool {
        now() < self.paused_until.load(Ordering::Relaxed)
    }

    fn pause(&self, error: &InvalidationError) {
        let millis = match error {
            InvalidationError::Unavailable(_) => 1_000,
            InvalidationError::Throttled => 2_000,
            InvalidationError::InProgress | InvalidationError::Refused(_) => 10_000,
        };
        self.paused_until.store(now() + millis, Ordering::Relaxed);
    }
}

/// Outbox records, and the marks that are live for them.
#[derive(Debug)]
pub(crate) struct Work {
    records: Vec<Pending>,
    live: Vec<Mark>,
}

impl Work {
    /// The work that `records` make, given the marks of their tags.
    pub(crate) fn new(records: Vec<Pending>, mut marks: Vec<Mark>) -> Self {
        marks.retain(|mark| mark.is_open() && holders(&records, &mark.tag).next().is_some());
        Self {
            records,
            live: marks,
        }
    }

    /// Once CloudFront has accepted the purge: removes the records, puts off what may still be on
    /// its way to the edge, and closes the marks that nobody has renewed, so that the next change
    /// need not purge what nobody has rendered since: all in one transaction, or a crash could
    /// leave a mark closed that nobody sees to.
    ///
    /// # Errors
    /// [`StoreError`]; then the records are drained once more, which purges once more and hurts
    /// nobody.
    pub(crate) async fn conclude(&self, app: &App) -> Result<(), StoreError> {
        let put_off = self.put_off(now());
        app.store
            .conclude(&self.records, &put_off, &self.live)
            .await
    }

    /// How many tags are purged.
    pub(crate) fn purges(&self) -> usize {
        self.by_distribution().values().map(BTreeSet::len).sum()
    }

    fn by_distribution(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let mut tags = BTreeMap::<&str, BTreeSet<String>>::new();
        for mark in &self.live {
            let of = tags.entry(&mark.distribution).or_default();
            of.insert(mark.tag.clone());
        }
        let oldest = now() - millis(KEPT_AT_EDGE + SETTLING);
        for record in self
            .records
            .iter()
            .filter(|record| record.created_at > oldest)
        {
            if let Some(distribution) = &record.again_at {
                let of = tags.entry(distribution).or_default();
                of.extend(record.tags.iter().cloned());
            }
        }
        tags
    }

    /// Purges what is live.
    ///
    /// # Errors
    /// [`InvalidationError`] where CloudFront has not accepted; everything then stays as it is.
    pub(crate) async fn purge(
        &self,
        app: &App,
        patience: Option<Duration>,
    ) -> Result<(), InvalidationError> {
        // The renders too: two who work on one record may find different ones, and CloudFront
        // must not take the second purge for the first.
        let names = self
            .records
            .iter()
            .map(|record| record.key().parts().1.to_owned());
        let renders = self.live.iter().map(|mark| mark.render.clone());
        let cause: BTreeSet<_> = names.chain(renders).collect();
        for (distribution, tags) in self.by_distribution() {
            let distribution = distribution.to_owned();
            let client = app.invalidations.clone();
            let call = invalidate(client, distribution, tags, cause.clone());
            match patience {
                None => call.await?,
                Some(patience) => within(patience, call).await?,
            }
        }
        Ok(())
    }

    /// What must be purged once more: tags marked so shortly before the change that a page from
    /// before it may reach the edge after the purge.
    fn put_off(&self, now: i64) -> Vec<Pending> {
        let mut young = BTreeMap::<&str, (Vec<String>, i64)>::new();
        for mark in self.live.iter().filter(|mark| self.is_young(mark)) {
            let (tags, latest) = young.entry(&mark.distribution).or_default();
            tags.push(mark.tag.clone());
            *latest = mark.marked_at.max(*latest);
        }
        let again = |(distribution, (tags, latest)): (&str, (Vec<String>, i64))| {
            let settled = latest + millis(SETTLING);
            let due_at = (settled + SHARED_DUE - 1) / SHARED_DUE * SHARED_DUE;
            Pending {
                again_at: Some(distribution.to_owned()),
                ..Pending::new(tags, now, due_at)
            }
        };
        young.into_iter().map(again).collect()
    }

    /// Compared with the time of the change and not of the purge: a purge that is made again
    /// under the same reference may be the one that was made before.
    fn is_young(&self, mark: &Mark) -> bool {
        holders(&self.records, &mark.tag)
            .any(|record| mark.marked_at > record.created_at - millis(SETTLING))
    }
}

/// The records that leave it to the mark whether their tag is purged.
fn holders<'a>(records: &'a [Pending], tag: &'a str) -> impl Iterator<Item = &'a Pending> {
    records
        .iter()
        .filter(move |record| record.again_at.is_none() && record.tags.iter().any(|t| t == tag))
}

async fn invalidate(
    client: Invalidations,
    distribution: String,
    tags: BTreeSet<String>,
    cause: BTreeSet<String>,
) -> Result<(), InvalidationError> {
    client.invalidate(&distribution, &tags, &cause).await
}

/// Waits a while for the call, which goes on by itself after that: its connection, once made,
/// serves the next.
async fn within(
    patience: Duration,
    call: impl Future<Output = Result<(), InvalidationError>> + Send + 'static,
) -> Result<(), InvalidationError> {
    let unanswered = |text: &str| InvalidationError::Unavailable(text.to_owned());
    match tokio::time::timeout(patience, tokio::spawn(call)).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(unanswered("the call broke off")),
        Err(_) => Err(unanswered("no answer yet")),
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
