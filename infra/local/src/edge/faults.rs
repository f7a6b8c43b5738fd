//! Injected faults, and counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The faults to inject. Each of the first five is a percentage of the calls to
/// `CreateInvalidation`. A call gets at most one fault, so the percentages add up to at most 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// The response is `Throttling`.
    pub throttled: u8,
    /// The response is `TooManyInvalidationsInProgress`.
    pub too_many: u8,
    /// The response is a 503.
    pub refused: u8,
    /// The call has no effect, and the connection is closed without a response.
    pub lost_before: u8,
    /// The call takes effect, but the connection is closed without a response.
    pub lost_after: u8,
    /// The delay of every response of the API. The call takes effect before the delay.
    pub response_delay: Duration,
    /// How long an accepted invalidation is in progress before it takes effect.
    pub effect_delay: Duration,
    /// The shortest and the longest time that an origin's response takes to reach the cache.
    pub transit: (Duration, Duration),
}

/// The fault of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Throttled,
    TooMany,
    Refused,
    LostBefore,
    LostAfter,
}

impl Faults {
    /// Draws the fault of a call; `None` if it gets none.
    pub(crate) fn draw(&self) -> Option<Fault> {
        let mut left = fastrand::u8(..100);
        for (percent, fault) in [
            (self.throttled, Fault::Throttled),
            (self.too_many, Fault::TooMany),
            (self.refused, Fault::Refused),
            (self.lost_before, Fault::LostBefore),
            (self.lost_after, Fault::LostAfter),
        ] {
            if left < percent {
                return Some(fault);
            }
            left -= percent;
        }
        None
    }

    /// Draws how long a response takes to reach the cache.
    pub(crate) fn draw_transit(&self) -> Duration {
        let (least, most) = self.transit;
        least + most.saturating_sub(least).mul_f64(fastrand::f64())
    }
}

/// The counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls to `CreateInvalidation`, whatever their result.
    pub invalidation_requests: u64,
    /// Accepted invalidations. A repetition of the same one does not count.
    pub invalidations: u64,
    /// The tags and paths in those invalidations, which AWS bills.
    pub items: u64,
    /// Requests served from the cache.
    pub hits: u64,
    /// Requests that waited for another request's response.
    pub collapsed: u64,
    /// Requests to cached behaviours that went to the origin.
    pub misses: u64,
    /// Requests that could not be cached.
    pub passes: u64,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(crate) struct AtomicCounters {
    pub(crate) invalidation_requests: AtomicU64,
    pub(crate) invalidations: AtomicU64,
    pub(crate) items: AtomicU64,
    pub(crate) hits: AtomicU64,
    pub(crate) collapsed: AtomicU64,
    pub(crate) misses: AtomicU64,
    pub(crate) passes: AtomicU64,
}

impl AtomicCounters {
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

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_drawn_in_their_proportions() {
        assert_eq!(Faults::default().draw(), None);
        let faults = Faults {
            throttled: 20,
            lost_after: 80,
            ..Faults::default()
        };
        let drawn: Vec<_> = (0..2000).map(|_| faults.draw()).collect();
        let throttled = drawn
            .iter()
            .filter(|fault| **fault == Some(Fault::Throttled))
            .count();
        assert!((200..=600).contains(&throttled), "{throttled}");
        let lost = drawn
            .iter()
            .filter(|fault| **fault == Some(Fault::LostAfter))
            .count();
        assert_eq!(throttled + lost, 2000);
    }

    #[test]
    fn a_transit_time_is_within_its_bounds() {
        let bounds = [10, 20].map(Duration::from_millis);
        let faults = Faults {
            transit: bounds.into(),
            ..Faults::default()
        };
        for _ in 0..100 {
            assert!((bounds[0]..=bounds[1]).contains(&faults.draw_transit()));
        }
        assert_eq!(Faults::default().draw_transit(), Duration::ZERO);
    }
}
