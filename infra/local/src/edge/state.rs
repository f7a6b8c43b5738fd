//! The state that a distribution shares with its API and with the requests it serves.

use super::cache::Cache;
use super::faults::{AtomicCounters, Faults};
use super::settings::DistributionSettings;
use std::sync::{PoisonError, RwLock};

#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: DistributionSettings,
    pub(super) cache: Cache,
    pub(super) counters: AtomicCounters,
    faults: RwLock<Faults>,
}

impl State {
    /// An empty cache, no faults, and every counter at 0.
    pub(super) fn new(settings: DistributionSettings) -> Self {
        Self {
            settings,
            cache: Cache::new(),
            counters: AtomicCounters::default(),
            faults: RwLock::default(),
        }
    }

    pub(super) fn faults(&self) -> Faults {
        *self.faults.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = faults;
    }
}
