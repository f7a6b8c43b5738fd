//! The invalidations of a distribution, and the rules for creating one.
//!
//! Sources: <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>,
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>

use super::ApiError;
use crate::edge::purges::PurgeItem;
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// The most paths and tags in progress at once.
const MAX_ITEMS: usize = 3000;

/// The most paths with a wildcard in progress at once.
const MAX_WILDCARDS: usize = 15;

/// The most invalidations that are remembered. CloudFront remembers all.
const MAX_REMEMBERED: usize = 20_000;

/// The input of `CreateInvalidation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) caller_reference: String,
    pub(super) paths: Vec<String>,
}

/// An accepted invalidation.
#[derive(Debug)]
pub(super) struct AcceptedInvalidation {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) batch: Batch,
    wildcards: usize,
    done_at: Instant,
}

impl AcceptedInvalidation {
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

/// A page of the list of invalidations, newest first.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) marker: String,
    pub(super) next_marker: Option<String>,
    pub(super) max_items: usize,
    pub(super) invalidations: Vec<Arc<AcceptedInvalidation>>,
}

#[derive(Debug, Default)]
struct InvalidationLog {
    /// The newest is last.
    all: VecDeque<Arc<AcceptedInvalidation>>,
    by_id: HashMap<String, Arc<AcceptedInvalidation>>,
    by_reference: HashMap<String, Arc<AcceptedInvalidation>>,
}

impl InvalidationLog {
    /// Whether a batch of this size stays within the limits for what is in progress.
    fn have_room(&self, items: usize, wildcards: usize) -> bool {
        let running = self
            .all
            .iter()
            .rev()
            .filter(|invalidation| !invalidation.is_done());
        let (running_items, running_wildcards) =
            running.fold((0, 0), |(items, wildcards), running| {
                (
                    items + running.batch.paths.len(),
                    wildcards + running.wildcards,
                )
            });
        running_items + items <= MAX_ITEMS && running_wildcards + wildcards <= MAX_WILDCARDS
    }

    fn add(&mut self, invalidation: Arc<AcceptedInvalidation>) {
        if self.all.len() >= MAX_REMEMBERED
            && let Some(oldest) = self.all.pop_front()
        {
            self.by_id.remove(&oldest.id);
            self.by_reference.remove(&oldest.batch.caller_reference);
        }
        let reference = invalidation.batch.caller_reference.clone();
        self.by_id
            .insert(invalidation.id.clone(), Arc::clone(&invalidation));
        self.by_reference
            .insert(reference, Arc::clone(&invalidation));
        self.all.push_back(invalidation);
    }
}

/// The invalidations of a distribution.
#[derive(Debug, Default)]
pub(super) struct Invalidations {
    log: Mutex<InvalidationLog>,
}

impl Invalidations {
    /// Accepts a batch and calls `purge`. The invalidation is in progress for `delay`. The same
    /// batch under the same reference returns the earlier invalidation and purges nothing.
    ///
    /// # Errors
    /// [`ApiError`] if the batch breaks a rule. Then nothing is purged.
    pub(super) fn accept(
        &self,
        batch: Batch,
        delay: Duration,
        purge: impl FnOnce(&[PurgeItem]),
    ) -> Result<Arc<AcceptedInvalidation>, ApiError> {
        if batch.caller_reference.is_empty() || batch.paths.is_empty() {
            return Err(ApiError::InvalidArgument);
        }
        let items = batch.paths.iter().map(|path| PurgeItem::parse(path));
        let items: Option<Vec<_>> = items.collect();
        let items = items.ok_or(ApiError::InvalidArgument)?;
        if items.len() > MAX_ITEMS {
            return Err(ApiError::BatchTooLarge);
        }
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = log.by_reference.get(&batch.caller_reference) {
            return match earlier.batch == batch {
                true => Ok(Arc::clone(earlier)),
                false => Err(ApiError::InvalidationBatchAlreadyExists),
            };
        }
        let wildcards = items
            .iter()
            .filter(|i| matches!(i, PurgeItem::Prefix(_)))
            .count();
        if !log.have_room(items.len(), wildcards) {
            return Err(ApiError::TooManyInvalidationsInProgress);
        }
        purge(&items);
        let id = Uuid::new_v4().simple().to_string().to_ascii_uppercase();
        let invalidation = Arc::new(AcceptedInvalidation {
            id: format!("I{}", &id[..25]),
            created: Timestamp::now(),
            batch,
            wildcards,
            done_at: Instant::now() + delay,
        });
        log.add(Arc::clone(&invalidation));
        Ok(invalidation)
    }

    /// The invalidation with this id.
    pub(super) fn get(&self, id: &str) -> Option<Arc<AcceptedInvalidation>> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.by_id.get(id).cloned()
    }

    /// At most `max_items` invalidations, newest first, that come after the one named by `marker`.
    ///
    /// # Errors
    /// [`ApiError::InvalidArgument`] if `marker` names no invalidation.
    pub(super) fn page(&self, marker: Option<String>, max_items: usize) -> Result<Page, ApiError> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let marker = marker.unwrap_or_default();
        let skipped = match marker.as_str() {
            "" => 0,
            marker => {
                let at = log
                    .all
                    .iter()
                    .rev()
                    .position(|invalidation| invalidation.id == marker);
                at.ok_or(ApiError::InvalidArgument)? + 1
            }
        };
        let rest = log.all.iter().rev().skip(skipped);
        let page: Vec<_> = rest.clone().take(max_items).cloned().collect();
        let more = rest.count() > page.len();
        let last = page.last().filter(|_| more);
        Ok(Page {
            next_marker: last.map(|invalidation| invalidation.id.clone()),
            marker,
            max_items,
            invalidations: page,
        })
    }
}
