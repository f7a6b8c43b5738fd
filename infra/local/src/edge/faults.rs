//! What goes wrong on purpose, and what is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What goes wrong at the edge. Each of the first five is a percentage of the calls to
/// `CreateInvalidation`, of which one at most befalls a call: together at most 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Answered with `Throttling`.
    pub throttled: u8,
    /// Answered with `TooManyInvalidationsInProgress`.
    pub too_many: u8,
    /// Answered with a 503.
    pub refused: u8,
    /// Not done, and the connection closed without an answer.
    pub lost_before: u8,
    /// Done, and the connection closed without an answer.
    pub lost_after: u8,
    /// How much later every answer of the API comes. What is asked for is done before.
    pub answer_delay: Duration,
    /// How long an accepted invalidation takes to have an effect, and is in progress.
    pub effect_delay: Duration,
    /// How long an origin's answer is on its way to the cache: at least and at most.
    pub transit: (Duration, Duration),
}

/// What befalls one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Throttled,
    TooMany,
    Refused,
    LostBefore,
    LostAfter,
    Spared,
}

impl Faults {
    /// Draws what befalls a call.
    pub(crate) fn draw(&self) -> Fate {
        let mut left = fastrand::u8(..100);
        for (percent, fate) in [
            (self.throttled, Fate::Throttled),
            (self.too_many, Fate::TooMany),
            (self.refused, Fate::Refused),
            (self.lost_before, Fate::LostBefore),
            (self.lost_after, Fate::LostAfter),
        ] {
            if left < percent {
                return fate;
            }
            left -= percent;
        }
        Fate::Spared
    }

    /// Draws how long an answer is on its way.
    pub(crate) fn transit(&self) -> Duration {
        let (least, most) = self.transit;
        least + most.saturating_sub(least).mul_f64(fastrand::f64())
    }
}

/// What has been counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls to `CreateInvalidation`, whatever became of them.
    pub invalidation_requests: u64,
    /// Invalidations accepted; the same one again does not count.
    pub invalidations: u64,
    /// Tags and paths in them: what AWS bills.
    pub items: u64,
    /// Requests answered from the cache.
    pub hits: u64,
    /// Requests that waited for another's answer.
    pub collapsed: u64,
    /// Requests of cached behaviours that went to the origin.
    pub misses: u64,
    /// Requests that could not be cached.
    pub passes: u64,
}

/// The counting itself.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) invalidation_requests: AtomicU64,
    pub(crate) invalidations: AtomicU64,
    pub(crate) items: AtomicU64,
    pub(crate) hits: AtomicU64,
    pub(crate) collapsed: AtomicU64,
    pub(crate) misses: AtomicU64,
    pub(crate) passes: AtomicU64,
}

impl Tally {
    pub(crate) fn read(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            invalidation_requests: read(&self.invalidation_requests),
            invalidations: read(&self.invalidations),
            items: read(&self.items),
            hits: read(&self.hits),
            collapsed: read(&self.collapsed),
            misses: read(&self.misses),
            passes: read(&self.passes),
        }
    }
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fates_are_drawn_in_their_proportions() {
        assert_eq!(Faults::default().draw(), Fate::Spared);
        let faults = Faults {
            throttled: 20,
            lost_after: 80,
            ..Faults::default()
        };
        let drawn: Vec<_> = (0..2000).map(|_| faults.draw()).collect();
        let throttled = drawn
            .iter()
            .filter(|fate| **fate == Fate::Throttled)
            .count();
        assert!((200..=600).contains(&throttled), "{throttled}");
        let lost = drawn
            .iter()
            .filter(|fate| **fate == Fate::LostAfter)
            .count();
        assert_eq!(throttled + lost, 2000);
    }

    #[test]
    fn a_transit_is_within_its_bounds() {
        let bounds = [10, 20].map(Duration::from_millis);
        let faults = Faults {
            transit: bounds.into(),
            ..Faults::default()
        };
        for _ in 0..100 {
            assert!((bounds[0]..=bounds[1]).contains(&faults.transit()));
        }
        assert_eq!(Faults::default().transit(), Duration::ZERO);
    }
}
