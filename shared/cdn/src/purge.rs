//! What outbox records ask for: which tags to purge where, and what is to be done once CloudFront
//! has accepted.

use crate::{InvalidationError, Invalidations};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::{KEPT_AT_EDGE, Mark, OutboxRecord, SETTLING, Store, StoreError};

/// Second purges are due at whole multiples of this, in milliseconds, so that neighbours share
/// one.
const SHARED_DUE: i64 = 5_000;

/// Outbox records, and the marks that are live for them.
#[derive(Debug)]
pub struct Purge {
    records: Vec<OutboxRecord>,
    live: Vec<Mark>,
}

impl Purge {
    /// The work that `records` make, given the marks of their tags.
    pub fn new(records: Vec<OutboxRecord>, mut marks: Vec<Mark>) -> Self {
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
    pub async fn conclude(&self, store: &Store) -> Result<(), StoreError> {
        let put_off = self.put_off(now());
        store.conclude(&self.records, &put_off, &self.live).await
    }

    /// How many tags are purged.
    pub fn purges(&self) -> usize {
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
    pub async fn purge(
        &self,
        invalidations: &Invalidations,
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
            let client = invalidations.clone();
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
    fn put_off(&self, now: i64) -> Vec<OutboxRecord> {
        let mut young = BTreeMap::<&str, (Vec<String>, i64)>::new();
        for mark in self.live.iter().filter(|mark| self.is_young(mark)) {
            let (tags, latest) = young.entry(&mark.distribution).or_default();
            tags.push(mark.tag.clone());
            *latest = mark.marked_at.max(*latest);
        }
        let again = |(distribution, (tags, latest)): (&str, (Vec<String>, i64))| {
            let settled = latest + millis(SETTLING);
            let due_at = (settled + SHARED_DUE - 1) / SHARED_DUE * SHARED_DUE;
            OutboxRecord {
                again_at: Some(distribution.to_owned()),
                ..OutboxRecord::new(tags, now, due_at)
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
fn holders<'a>(
    records: &'a [OutboxRecord],
    tag: &'a str,
) -> impl Iterator<Item = &'a OutboxRecord> {
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
fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
