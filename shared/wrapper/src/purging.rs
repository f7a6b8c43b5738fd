//! Who purges what a commit has made stale, and whether actions do so just now.

use cdn::InvalidationError;
use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// When what is cached under a commit's tags is purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revalidation {
    /// By the action itself, before it answers, where that can be done in a moment; else by the
    /// `revalidate` function.
    #[default]
    Inline,
    /// By the `revalidate` function alone.
    Background,
}

/// Whether actions make purges themselves just now. After a failure they leave them to the
/// outbox for a while, so that they neither wait for what does not answer nor add to a throng.
#[derive(Debug, Default)]
pub(crate) struct InlinePurges {
    paused_until: AtomicI64,
}

impl InlinePurges {
    pub(crate) fn is_paused(&self) -> bool {
        Timestamp::now().as_millisecond() < self.paused_until.load(Ordering::Relaxed)
    }

    pub(crate) fn pause(&self, error: &InvalidationError) {
        let millis = match error {
            InvalidationError::Unavailable(_) => 1_000,
            InvalidationError::Throttled => 2_000,
            InvalidationError::InProgress | InvalidationError::Refused(_) => 10_000,
        };
        self.paused_until.store(
            Timestamp::now().as_millisecond() + millis,
            Ordering::Relaxed,
        );
    }
}
