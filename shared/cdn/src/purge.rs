//! The purge that outbox records ask for: which tags to purge at which distribution, and what to
//! record once CloudFront has accepted.

use crate::{InvalidationError, Invalidations};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::{Bought, KEPT_AT_EDGE, Mark, OutboxRecord, SETTLING, Store, StoreError, tenant_of};

/// The purge that an outbox record asks for. Each record has its own, so that whoever makes it, it is the same
/// call, which CloudFront bills once.
#[derive(Debug)]
pub struct Purge {
    record: OutboxRecord,
}

impl Purge {
    /// Whether a record whose marks have been checked needs a purge.
    #[must_use]
    pub fn is_needed(record: &OutboxRecord) -> bool {
        !record.closed.is_empty() || record.again_at.is_some()
    }

    /// The purge for this record.
    #[must_use]
    pub fn new(record: OutboxRecord) -> Self {
        Self { record }
    }

    /// Notes that CloudFront has accepted the purge: removes the record, writes new records for pages that
    /// may still be on their way to the edge, notes the purge in the marks, and counts the items that were
    /// bought. All in one transaction: otherwise a crash could lose pages that are never purged.
    ///
    /// # Errors
    /// [`StoreError`]. The record then stays and is purged once more, which does no harm.
    pub async fn conclude(&self, store: &Store) -> Result<(), StoreError> {
        let now = now();
        let second = self.second_purges();
        store
            .conclude(&self.record, &second, &self.bought(), now)
            .await
    }

    /// The number of tags to purge, counted once for each distribution.
    #[must_use]
    pub fn items(&self) -> usize {
        self.by_distribution().values().map(BTreeSet::len).sum()
    }

    /// The same for each organisation.
    fn bought(&self) -> Bought {
        let mut bought = Bought::new();
        for tag in self.by_distribution().values().flatten() {
            *bought.entry(tenant_of(tag).to_owned()).or_default() += 1;
        }
        bought
    }

    /// The tags to purge at each distribution.
    fn by_distribution(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let mut tags = BTreeMap::<&str, BTreeSet<String>>::new();
        if self.is_over() {
            return tags;
        }
        for mark in &self.record.closed {
            let at_edge = tags.entry(&mark.distribution).or_default();
            at_edge.insert(mark.tag.clone());
        }
        if let Some(distribution) = &self.record.again_at {
            let at_edge = tags.entry(distribution).or_default();
            at_edge.extend(self.record.tags.iter().cloned());
        }
        tags
    }

    /// Whether every page that it could remove has expired.
    fn is_over(&self) -> bool {
        let marked = self.record.closed.iter().map(|mark| mark.marked_at);
        let latest = marked.fold(self.record.created_at, i64::max);
        latest <= now() - millis(KEPT_AT_EDGE + SETTLING)
    }

    /// Purges all tags, at each distribution. If `patience` is set, waits at most that long for
    /// each call.
    ///
    /// # Errors
    /// [`InvalidationError`] if CloudFront has not accepted; the records and marks then stay.
    pub async fn purge(
        &self,
        invalidations: &Invalidations,
        patience: Option<Duration>,
    ) -> Result<(), InvalidationError> {
        // The cause includes the renders: a record may be purged again after more marks were closed for it, and
        // CloudFront must not take that for a repetition of the first.
        let name = self.record.key().parts().1.to_owned();
        let renders = self.record.closed.iter().map(|mark| mark.render.clone());
        let cause: BTreeSet<_> = renders.chain([name]).collect();
        for (distribution, tags) in self.by_distribution() {
            let distribution = distribution.to_owned();
            let client = invalidations.clone();
            let call = invalidate(client, distribution, tags, cause.clone());
            match patience {
                None => call.await?,
                Some(patience) => within(patience, call).await?,
            }
        }
        Ok(())
    }

    /// Records for a second purge of tags that were marked shortly before the change: a page
    /// rendered before the change may reach the edge after the first purge.
    fn second_purges(&self) -> Vec<OutboxRecord> {
        if self.is_over() {
            return Vec::new();
        }
        let mut young = BTreeMap::<&str, (BTreeSet<String>, i64)>::new();
        let closed = self.record.closed.iter();
        for mark in closed.filter(|mark| is_young(mark, &self.record)) {
            let (tags, latest) = young.entry(&mark.distribution).or_default();
            tags.insert(mark.tag.clone());
            *latest = mark.marked_at.max(*latest);
        }
        let second = |(distribution, (tags, latest)): (&str, (BTreeSet<String>, i64))| {
            let tags = tags.into_iter().collect();
            OutboxRecord::again(distribution, tags, latest, latest + millis(SETTLING))
        };
        young.into_iter().map(second).collect()
    }
}

/// Whether a page rendered under the mark may still be on its way to the edge. Compares with the time of
/// the change, not of the purge: CloudFront may answer a repeated purge with the one that it made before.
fn is_young(mark: &Mark, record: &OutboxRecord) -> bool {
    mark.marked_at > record.created_at - millis(SETTLING)
}

async fn invalidate(
    client: Invalidations,
    distribution: String,
    tags: BTreeSet<String>,
    cause: BTreeSet<String>,
) -> Result<(), InvalidationError> {
    client.invalidate(&distribution, &tags, &cause).await
}

/// Waits at most `patience` for the call. After that the call continues in the background, so that
/// the next call can reuse its connection.
async fn within(
    patience: Duration,
    call: impl Future<Output = Result<(), InvalidationError>> + Send + 'static,
) -> Result<(), InvalidationError> {
    match tokio::time::timeout(patience, tokio::spawn(call)).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) if error.is_panic() => {
            Err(InvalidationError::Refused("the call panicked".to_owned()))
        }
        Ok(Err(_)) => Err(InvalidationError::Unavailable(
            "the call was cancelled".to_owned(),
        )),
        Err(_) => Err(InvalidationError::Unavailable("no response yet".to_owned())),
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
