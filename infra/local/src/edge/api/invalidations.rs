//! The invalidations of a distribution, and the rules for new ones.
//!
//! Sources: <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>,
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>

use super::Refused;
use crate::edge::purges::Item;
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How many paths and tags may be in progress at once.
const MOST_ITEMS: usize = 3000;

/// How many paths with a wildcard may be in progress at once.
const MOST_WILDCARDS: usize = 15;

/// How many invalidations are remembered. CloudFront forgets none.
const REMEMBERED: usize = 20_000;

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) caller_reference: String,
    pub(super) paths: Vec<String>,
}

/// An accepted invalidation.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) batch: Batch,
    wildcards: usize,
    done_at: Instant,
}

impl Record {
    fn is_done(&self) -> bool {
        self.done_at <= Instant::now()
    }

    pub(super) fn status(&self) -> &'static str {
        match self.is_done() {
            true => "Completed",
            false => "InProgress",
        }
    }
}

/// Some invalidations, newest first.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) marker: String,
    pub(super) next_marker: Option<String>,
    pub(super) most: usize,
    pub(super) records: Vec<Arc<Record>>,
}

#[derive(Debug, Default)]
struct Records {
    /// Newest last.
    all: VecDeque<Arc<Record>>,
    by_id: HashMap<String, Arc<Record>>,
    by_reference: HashMap<String, Arc<Record>>,
}

impl Records {
    /// Whether one more batch is within what may be in progress.
    fn have_room(&self, items: usize, wildcards: usize) -> bool {
        let running = self.all.iter().rev().filter(|record| !record.is_done());
        let (running, wild) = running.fold((0, 0), |(items, wild), record| {
            (items + record.batch.paths.len(), wild + record.wildcards)
        });
        running + items <= MOST_ITEMS && wild + wildcards <= MOST_WILDCARDS
    }

    fn add(&mut self, record: Arc<Record>) {
        if self.all.len() >= REMEMBERED
            && let Some(oldest) = self.all.pop_front()
        {
            self.by_id.remove(&oldest.id);
            self.by_reference.remove(&oldest.batch.caller_reference);
        }
        let reference = record.batch.caller_reference.clone();
        self.by_id.insert(record.id.clone(), Arc::clone(&record));
        self.by_reference.insert(reference, Arc::clone(&record));
        self.all.push_back(record);
    }
}

/// The invalidations of a distribution.
#[derive(Debug, Default)]
pub(super) struct Invalidations {
    records: Mutex<Records>,
}

impl Invalidations {
    /// Accepts a batch, which takes `delay`, and has `purge` do it. The same batch under the same
    /// reference is the earlier invalidation, and purges nothing.
    ///
    /// # Errors
    /// Why it is refused; then nothing is purged.
    pub(super) fn accept(
        &self,
        batch: Batch,
        delay: Duration,
        purge: impl FnOnce(&[Item]),
    ) -> Result<Arc<Record>, Refused> {
        if batch.caller_reference.is_empty() || batch.paths.is_empty() {
            return Err(Refused::InvalidArgument);
        }
        let items = batch.paths.iter().map(|path| Item::parse(path));
        let items: Option<Vec<_>> = items.collect();
        let items = items.ok_or(Refused::InvalidArgument)?;
        if items.len() > MOST_ITEMS {
            return Err(Refused::BatchTooLarge);
        }
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = records.by_reference.get(&batch.caller_reference) {
            return match earlier.batch == batch {
                true => Ok(Arc::clone(earlier)),
                false => Err(Refused::InvalidationBatchAlreadyExists),
            };
        }
        let wildcards = items
            .iter()
            .filter(|i| matches!(i, Item::Prefix(_)))
            .count();
        if !records.have_room(items.len(), wildcards) {
            return Err(Refused::TooManyInvalidationsInProgress);
        }
        purge(&items);
        let id = Uuid::new_v4().simple().to_string().to_ascii_uppercase();
        let record = Arc::new(Record {
            id: format!("I{}", &id[..25]),
            created: Timestamp::now(),
            batch,
            wildcards,
            done_at: Instant::now() + delay,
        });
        records.add(Arc::clone(&record));
        Ok(record)
    }

    /// The invalidation with this id.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Record>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.by_id.get(id).cloned()
    }

    /// At most `most` invalidations, newest first, of those after the one that `marker` names.
    ///
    /// # Errors
    /// [`Refused::InvalidArgument`] for a marker that names none.
    pub(super) fn page(&self, marker: Option<String>, most: usize) -> Result<Page, Refused> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let marker = marker.unwrap_or_default();
        let skipped = match marker.as_str() {
            "" => 0,
            marker => {
                let at = records
                    .all
                    .iter()
                    .rev()
                    .position(|record| record.id == marker);
                at.ok_or(Refused::InvalidArgument)? + 1
            }
        };
        let rest = records.all.iter().rev().skip(skipped);
        let page: Vec<_> = rest.clone().take(most).cloned().collect();
        let more = rest.count() > page.len();
        let last = page.last().filter(|_| more);
        Ok(Page {
            next_marker: last.map(|record| record.id.clone()),
            marker,
            most,
            records: page,
        })
    }
}
