//! The results of a run, by time slice.

use crate::team::Kind;
use edge_crm_tests::statistics::Statistics;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// The number of time slices in the printed table.
const SLICES: u32 = 12;

/// The longest that the edge caches a page. After this time the cache no longer grows.
const FILLED: Duration = Duration::from_secs(300);

/// The shortest third of a run in which slow requests count as a flaw. In a shorter one the machine may
/// be the cause.
const LASTING: Duration = Duration::from_secs(120);

/// The capacity of the edge's cache, in KiB.
const CACHE: u64 = 64 * 1024;

/// The growth of memory that is always allowed, in KiB.
const SLACK: u64 = 16 * 1024;

/// A finished operation.
#[derive(Debug)]
pub struct Sample {
    /// Its kind.
    pub kind: Kind,
    /// When it was due to start.
    pub due: Instant,
    /// The time from then to the response.
    pub latency: Duration,
    /// What it did, or the unexpected response.
    pub outcome: Result<Outcome, String>,
}

/// What an operation with the expected response did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The actions that succeeded, once for each success.
    pub done: Vec<&'static str>,
    /// The number of pages from the edge's cache.
    pub hits: u64,
    /// The number of pages from the origin.
    pub misses: u64,
}

/// All operations of a run.
pub struct Run {
    begin: Instant,
    slice: Duration,
    samples: Vec<Sample>,
    /// Resident memory in KiB, and the time since the start.
    memory: Vec<(Duration, u64)>,
    expected: u64,
}

impl Run {
    /// A run with this start and length.
    pub fn new(begin: Instant, length: Duration) -> Self {
        Self {
            begin,
            slice: length / SLICES,
            samples: Vec::new(),
            memory: Vec::new(),
            expected: 0,
        }
    }

    /// Records the product's resident memory, in KiB.
    pub fn memory(&mut self, resident: u64) {
        self.memory.push((self.begin.elapsed(), resident));
    }

    /// Records a finished operation.
    pub fn take(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// Sets the number of operations that were started.
    pub fn expect(&mut self, count: u64) {
        self.expected = count;
    }

    /// The succeeded actions, with a count of 1 for each success.
    pub fn done(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let outcomes = self
            .samples
            .iter()
            .filter_map(|sample| sample.outcome.as_ref().ok());
        outcomes.flat_map(|outcome| outcome.done.iter().map(|action| (*action, 1)))
    }

    /// The latencies and memory in these slices, a part of `0..SLICES`.
    fn part(&self, slices: std::ops::Range<u32>) -> (Vec<Duration>, Vec<u64>) {
        let (from, to) = (self.slice * slices.start, self.slice * slices.end);
        let within = |at: Duration| from <= at && at < to;
        let samples = self
            .samples
            .iter()
            .filter(|sample| within(sample.due - self.begin));
        let memory = self.memory.iter().filter(|(at, _)| within(*at));
        (
            samples.map(|sample| sample.latency).collect(),
            memory.map(|(_, resident)| *resident).collect(),
        )
    }

    /// Describes what is wrong. The first quarter of the run is a warm-up. The rest is split into thirds,
    /// and the last third is compared with the first:
    ///
    /// - **Latency** is flat if the last median is at most twice the first plus 25 ms. A growing queue
    ///   exceeds that. If a third is at least as long as [`LASTING`], the last 95th percentile must also
    ///   be at most three times the first plus 50 ms. In a shorter run a disk that is slow for a few
    ///   seconds could exceed that, so the percentile is only printed.
    /// - **Memory** is flat if the last mean is at most 1.1 times the first plus 16 MiB. If the warm-up is
    ///   shorter than the edge caches a page, memory may also grow by the capacity of the edge's cache.
    ///   Stored records are on disk and do not count.
    pub fn flaws(&self) -> Vec<String> {
        let mut flaws: BTreeMap<String, usize> = BTreeMap::new();
        for sample in &self.samples {
            if let Err(answer) = &sample.outcome {
                *flaws
                    .entry(format!("{:?}: {answer}", sample.kind))
                    .or_default() += 1;
            }
        }
        let times = |(what, times)| format!("{what} ({times} times)");
        let mut flaws: Vec<_> = flaws.into_iter().map(times).collect();
        if self.samples.len() as u64 != self.expected {
            let answered = self.samples.len();
            flaws.push(format!("{answered} of {} operations ended", self.expected));
        }
        for kind in Kind::ALL {
            if !self.samples.iter().any(|sample| sample.kind == kind) {
                flaws.push(format!("{kind:?} was never tried"));
            }
        }
        let (hits, misses) = self.hits_and_misses(&self.samples.iter().collect::<Vec<_>>());
        if hits == 0 || misses == 0 {
            flaws.push(format!(
                "{hits} pages came from the cache and {misses} did not"
            ));
        }
        flaws.extend(self.growth());
        flaws
    }

    fn growth(&self) -> Vec<String> {
        let (first, last) = (self.part(3..6), self.part(9..12));
        let too_short = || vec!["the run is too short to compare its parts".to_owned()];
        if [&first.0, &last.0].iter().any(|times| times.is_empty()) {
            return too_short();
        }
        if [&first.1, &last.1].iter().any(|sizes| sizes.is_empty()) {
            return too_short();
        }
        let mut flaws = Vec::new();
        let (early, late) = (Statistics::of(first.0), Statistics::of(last.0));
        let (median, p95) = (Duration::from_millis(25), Duration::from_millis(50));
        let tail = self.slice * 3 >= LASTING && late.p95 > early.p95 * 3 + p95;
        if tail || late.median > early.median * 2 + median {
            flaws.push(format!(
                "latency is not flat: median {:?} and then {:?}, p95 {:?} and then {:?}",
                early.median, late.median, early.p95, late.p95
            ));
        }
        let mean = |sizes: &[u64]| sizes.iter().sum::<u64>() / sizes.len() as u64;
        let (early, late) = (mean(&first.1), mean(&last.1));
        let filling = if self.slice * 3 < FILLED { CACHE } else { 0 };
        if late > early + early / 10 + SLACK + filling {
            flaws.push(format!(
                "memory is not flat: {early} KiB and then {late} KiB"
            ));
        }
        flaws
    }

    fn hits_and_misses(&self, samples: &[&Sample]) -> (u64, u64) {
        let outcomes = samples
            .iter()
            .filter_map(|sample| sample.outcome.as_ref().ok());
        outcomes.fold((0, 0), |(hits, misses), outcome| {
            (hits + outcome.hits, misses + outcome.misses)
        })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| from, s | {} | memory, MiB | hits | misses | wrong |",
            Statistics::HEAD
        )?;
        writeln!(f, "|---{}|", "|---".repeat(11))?;
        for slice in 0..SLICES {
            let (times, memory) = self.part(slice..slice + 1);
            if times.is_empty() {
                continue;
            }
            let from = self.slice * slice;
            let within = from..from + self.slice;
            let samples: Vec<_> = self
                .samples
                .iter()
                .filter(|sample| within.contains(&(sample.due - self.begin)))
                .collect();
            let (hits, misses) = self.hits_and_misses(&samples);
            let wrong = samples
                .iter()
                .filter(|sample| sample.outcome.is_err())
                .count();
            let memory = memory.iter().max().map_or(0, |most| most / 1024);
            let times = Statistics::of(times);
            let from = from.as_secs();
            writeln!(
                f,
                "| {from} | {times} | {memory} | {hits} | {misses} | {wrong} |"
            )?;
        }
        writeln!(f, "\n| operation | {} |", Statistics::HEAD)?;
        writeln!(f, "|---{}|", "|---".repeat(7))?;
        for kind in Kind::ALL {
            let own = self.samples.iter().filter(|sample| sample.kind == kind);
            let times: Vec<_> = own.map(|sample| sample.latency).collect();
            if !times.is_empty() {
                writeln!(f, "| {kind:?} | {} |", Statistics::of(times))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024;

    /// A run of ten operations a second. `latency` and `memory` give the values for each second.
    fn run(seconds: u32, latency: impl Fn(u32) -> u64, memory: impl Fn(u32) -> u64) -> Run {
        let begin = Instant::now();
        let mut run = Run::new(begin, Duration::from_secs(seconds.into()));
        for number in 0..seconds * 10 {
            let hits = u64::from(number % 2);
            run.take(Sample {
                kind: Kind::ALL[number as usize % Kind::ALL.len()],
                due: begin + Duration::from_millis(100) * number,
                latency: Duration::from_millis(latency(number / 10)),
                outcome: Ok(Outcome {
                    done: vec!["create-contact"],
                    hits,
                    misses: 1 - hits,
                }),
            });
        }
        for second in 0..seconds {
            let at = Duration::from_secs(second.into());
            run.memory.push((at, memory(second)));
        }
        run.expect(u64::from(seconds) * 10);
        run
    }

    fn flaw(run: &Run) -> String {
        let flaws = run.flaws();
        assert_eq!(flaws.len(), 1, "{flaws:?}");
        flaws.into_iter().next().unwrap_or_default()
    }

    #[test]
    fn a_steady_run_is_flat() {
        let run = run(120, |second| 10 + u64::from(second % 7), |_| 90 * MIB);
        assert_eq!(run.flaws(), [""; 0]);
        assert_eq!(run.done().count(), 1_200);
    }

    #[test]
    fn a_warm_up_may_be_slow() {
        let run = run(
            120,
            |second| if second < 30 { 900 } else { 10 },
            |_| 90 * MIB,
        );
        assert_eq!(run.flaws(), [""; 0]);
    }

    #[test]
    fn growing_latency_is_found() {
        let run = run(
            120,
            |second| 10 + u64::from(second).pow(2) / 20,
            |_| 90 * MIB,
        );
        assert!(flaw(&run).starts_with("latency is not flat"));
    }

    #[test]
    fn growing_stalls_of_one_in_ten_are_found_in_a_long_run() {
        let stalls = |seconds: u32| {
            let stall = move |second: u32| match second.is_multiple_of(10) {
                true => u64::from(second.pow(2) * 10 / seconds),
                false => 10,
            };
            run(seconds, stall, |_| 90 * MIB)
        };
        assert!(flaw(&stalls(600)).starts_with("latency is not flat"));
        assert_eq!(stalls(60).flaws(), [""; 0]);
    }

    #[test]
    fn growing_memory_is_found() {
        let leak = |second| (90 + u64::from(second) * 2) * MIB;
        assert!(flaw(&run(120, |_| 10, leak)).starts_with("memory is not flat"));
    }

    #[test]
    fn memory_may_grow_only_while_the_edges_cache_fills() {
        let filling = |seconds: u32| move |second| (90 + u64::from(60 * second / seconds)) * MIB;
        assert_eq!(run(120, |_| 10, filling(120)).flaws(), [""; 0]);
        let late = run(1_800, |_| 10, filling(1_800));
        assert!(flaw(&late).starts_with("memory is not flat"));
    }

    #[test]
    fn a_wrong_response_is_found() {
        let mut run = run(120, |_| 10, |_| 90 * MIB);
        for sample in &mut run.samples[..2] {
            sample.outcome = Err("500".to_owned());
            sample.kind = Kind::Get;
        }
        assert_eq!(flaw(&run), "Get: 500 (2 times)");
    }

    #[test]
    fn operations_that_never_end_or_are_never_tried_or_cached_are_found() {
        let mut run = run(120, |_| 10, |_| 90 * MIB);
        run.expect(1_201);
        assert_eq!(flaw(&run), "1200 of 1201 operations ended");
        run.expect(1_091);
        run.samples.retain(|sample| sample.kind != Kind::Replay);
        assert_eq!(flaw(&run), "Replay was never tried");
        for sample in &mut run.samples {
            sample.kind = Kind::ALL[sample.latency.subsec_nanos() as usize % 11];
            if let Ok(outcome) = &mut sample.outcome {
                outcome.hits = 0;
            }
        }
        let nothing = "0 pages came from the cache";
        assert!(run.flaws().iter().any(|flaw| flaw.starts_with(nothing)));
    }
}
