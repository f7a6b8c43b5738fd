//! What many measurements come to.

use std::fmt;
use std::time::Duration;

/// Durations, summed up.
pub struct Statistics {
    samples: usize,
    average: Duration,
    /// The middle one.
    pub median: Duration,
    p95: Duration,
    p99: Duration,
    min: Duration,
    max: Duration,
}

impl Statistics {
    /// The names of the columns.
    pub const HEAD: &str = "samples | average | median | p95 | p99 | min | max";

    /// Of at least one.
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort();
        // The nearest rank: the least of the samples that so many percent do not exceed.
        let rank = |percent: usize| all[(all.len() * percent).div_ceil(100) - 1];
        Self {
            samples: all.len(),
            average: all.iter().sum::<Duration>() / u32::try_from(all.len()).expect("few"),
            median: rank(50),
            p95: rank(95),
            p99: rank(99),
            min: rank(1).min(all[0]),
            max: rank(100),
        }
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.samples)?;
        let all = [
            self.average,
            self.median,
            self.p95,
            self.p99,
            self.min,
            self.max,
        ];
        all.iter()
            .try_for_each(|time| write!(f, " | {:.2}", time.as_secs_f64() * 1e3))
    }
}
