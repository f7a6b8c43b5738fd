//! Who purges the pages that a commit makes stale, and whether actions may purge now.

use cdn::InvalidationError;
use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// When the pages with a commit's tags are purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revalidation {
    /// The action purges before it responds. If that fails or takes too long, the `revalidate`
    /// function purges later.
    #[default]
    Inline,
    /// Only the `revalidate` function purges.
    Background,
}

/// Whether actions may purge now. After a failure they leave purges to the outbox for a while, so
/// that responses do not wait for CloudFront and a throttled CloudFront gets fewer calls.
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
