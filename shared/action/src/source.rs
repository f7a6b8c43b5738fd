//! The time, ids and random numbers of a run. The wrapper passes them in, so that an action's
//! function is pure and a test can repeat a run exactly.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::{Builder, Uuid};

/// The time of a run, and the generator of its ids and random numbers. Sources with the same time
/// and seed give the same values in the same order.
///
/// Each value is the SHA-256 of the seed and the number of the value, so nobody can guess it
/// without the seed.
pub struct Source {
    time: Timestamp,
    seed: [u8; 32],
    /// How many values were taken.
    taken: AtomicU64,
}

impl fmt::Debug for Source {
    /// Prints no seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// A source at this time. The seed must be random and used only once, except in tests.
    #[must_use]
    pub fn new(time: Timestamp, seed: [u8; 32]) -> Self {
        Self {
            time,
            seed,
            taken: AtomicU64::new(0),
        }
    }

    /// The time to the millisecond, rounded down, so that it is equal when it is read back.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.time.as_millisecond()).unwrap_or(self.time)
    }

    /// A new UUIDv7 (RFC 9562, section 5.7) with the time of the source.
    ///
    /// The 12 bits after the milliseconds are their fraction (section 6.2, method 3), and the next 6
    /// count the values of this source. So the ids of successive requests sort by time, and the first
    /// 64 ids of one request by creation. The other 56 bits are random.
    pub(crate) fn id(&self) -> Uuid {
        let (number, bytes) = self.next();
        let mut rest = [0; 10];
        rest.copy_from_slice(&bytes[..10]);
        let nanos = self.time.as_nanosecond().rem_euclid(1_000_000);
        let fraction = u16::try_from(nanos * 4_096 / 1_000_000).unwrap_or_default();
        rest[..2].copy_from_slice(&fraction.to_be_bytes());
        rest[2] = u8::try_from(number).unwrap_or(u8::MAX).min(63);
        let millis = u64::try_from(self.time.as_millisecond()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
    }

    /// 16 random bytes.
    pub(crate) fn bytes(&self) -> [u8; 16] {
        let (_, bytes) = self.next();
        let mut half = [0; 16];
        half.copy_from_slice(&bytes[..16]);
        half
    }

    fn next(&self) -> (u64, [u8; 32]) {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::new()
            .chain_update(self.seed)
            .chain_update(number.to_be_bytes());
        (number, hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(time: &str, seed: u8) -> Source {
        Source::new(time.parse().unwrap(), [seed; 32])
    }

    const TIME: &str = "2026-01-01T12:00:00.123987654Z";

    #[test]
    fn an_id_is_a_uuid_v7_with_the_time_of_the_source() {
        let source = source(TIME, 1);
        let id = source.id();
        assert_eq!(id.get_version_num(), 7);
        let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
        let now = source.now();
        assert_eq!(now.to_string(), "2026-01-01T12:00:00.123Z");
        assert_eq!(
            (i64::try_from(seconds).unwrap(), nanos),
            (now.as_second(), 123_000_000)
        );
    }

    #[test]
    fn the_ids_of_a_run_sort_by_creation_and_those_of_later_runs_after_them() {
        let first = source(TIME, 9);
        let later = source("2026-01-01T12:00:00.123988Z", 1);
        let ids: Vec<_> = (0..64).map(|_| first.id()).chain([later.id()]).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn no_value_is_given_twice() {
        let source = source(TIME, 1);
        let mut ids: Vec<_> = (0..1_000).map(|_| source.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1_000);
        assert_ne!(source.bytes(), source.bytes());
    }

    #[test]
    fn sources_at_the_same_time_differ_by_their_seed() {
        let [one, other, same] = [1, 2, 1].map(|seed| source(TIME, seed));
        let (id, bytes) = (one.id(), one.bytes());
        assert_eq!((same.id(), same.bytes()), (id, bytes));
        assert_ne!(other.id(), id);
        assert_ne!(other.bytes(), bytes);
    }
}
