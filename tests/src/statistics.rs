//! Statistics of measured durations.

use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// A summary of many durations.
#[derive(Debug, Clone, Copy)]
pub struct Statistics {
    /// The number of durations.
    pub samples: usize,
    /// Their mean.
    pub average: Duration,
    /// The middle one.
    pub median: Duration,
    /// The 95th percentile.
    pub p95: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Statistics {
    /// The names of the columns.
    pub const HEAD: &str = "samples | average | median | p95 | p99 | min | max";

    /// The statistics of at least one duration.
    ///
    /// # Panics
    /// If there is no duration.
    #[must_use]
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        // Nearest rank: the shortest sample that is at least as long as this percentage of all samples.
        let rank = |percent: usize| all[(all.len() * percent).div_ceil(100) - 1];
        Self {
            samples: all.len(),
            average: all.iter().sum::<Duration>() / u32::try_from(all.len()).expect("few"),
            median: rank(50),
            p95: rank(95),
            p99: rank(99),
            min: all[0],
            max: rank(100),
        }
    }

    /// The same as JSON, in milliseconds.
    #[must_use]
    pub fn json(&self) -> Value {
        let [average, median, p95, p99, min, max] =
            self.millis().map(|ms| (ms * 1e3).round() / 1e3);
        json!({
            "samples": self.samples, "averageMs": average, "medianMs": median, "p95Ms": p95,
            "p99Ms": p99, "minMs": min, "maxMs": max,
        })
    }

    fn millis(&self) -> [f64; 6] {
        [
            self.average,
            self.median,
            self.p95,
            self.p99,
            self.min,
            self.max,
        ]
        .map(|time| time.as_secs_f64() * 1e3)
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.samples)?;
        self.millis()
            .iter()
            .try_for_each(|ms| write!(f, " | {ms:.2}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let of =
            |count: u64| Statistics::of((1..=count).rev().map(Duration::from_millis).collect());
        let hundred = of(100);
        let ms = |time: Duration| time.as_millis();
        assert_eq!(
            (hundred.samples, ms(hundred.min), ms(hundred.max)),
            (100, 1, 100)
        );
        assert_eq!(
            (ms(hundred.median), ms(hundred.p95), ms(hundred.p99)),
            (50, 95, 99)
        );
        assert_eq!(hundred.average, Duration::from_micros(50_500));
        let one = of(1);
        assert_eq!(
            [one.median, one.p99, one.max],
            [Duration::from_millis(1); 3]
        );
        assert_eq!(
            one.to_string(),
            "1 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00"
        );
        assert_eq!(one.json()["p95Ms"], 1.0);
    }
}
