//! The report: how many requests each fault struck, and what became of them.

use std::collections::BTreeMap;

/// The first response to a faulted request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// A 200: it was done.
    Success,
    /// A 503 that says to try again.
    Unavailable,
    /// A 504 that says to try again.
    Late,
    /// A 409, because the service said that a unique value is taken.
    Conflict,
    /// A 500, because the service said that the request itself is wrong.
    Bug,
}

#[derive(Debug, Default)]
struct Row {
    counts: [usize; 5],
    retries: usize,
    most: usize,
    drained: usize,
}

/// The rows, by fault.
#[derive(Debug, Default)]
pub(crate) struct Report(BTreeMap<String, Row>);

impl Report {
    /// Adds a request that a fault struck, was retried `retries` times, and left an outbox record if
    /// `drained`.
    pub(crate) fn add(&mut self, fault: &str, first: First, retries: usize, drained: bool) {
        let row = self.0.entry(fault.to_owned()).or_default();
        row.counts[first as usize] += 1;
        row.retries += retries;
        row.most = row.most.max(retries);
        row.drained += usize::from(drained);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (fault, row) in other.0 {
            let into = self.0.entry(fault).or_default();
            for (count, more) in into.counts.iter_mut().zip(row.counts) {
                *count += more;
            }
            into.retries += row.retries;
            into.most = into.most.max(row.most);
            into.drained += row.drained;
        }
    }

    /// The number of requests.
    pub(crate) fn total(&self) -> usize {
        self.0.values().flat_map(|row| row.counts).sum()
    }

    pub(crate) fn print(&self, what: &str) {
        println!(
            "| {what:<56} | faulted | success | 503 | 504 | 409 | 500 | retries | most | drained later |"
        );
        println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        for (fault, row) in &self.0 {
            let all: usize = row.counts.iter().sum();
            let [success, unavailable, late, conflict, bug] = row.counts;
            println!(
                "| {fault:<56} | {all} | {success} | {unavailable} | {late} | {conflict} | {bug} | {} | {} | {} |",
                row.retries, row.most, row.drained
            );
        }
        println!("| in all | {} |", self.total());
    }
}
