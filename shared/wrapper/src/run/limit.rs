//! Rate limits: counters of fixed windows of 60 seconds, outside any transaction.

use crate::http::trust::Trust;
use crate::{Config, Failure};
use action::{Actor, Item, Key, UserId};
use serde_json::Value;
use std::time::Duration;
use store::Store;

/// The length of a window, in seconds.
const WINDOW: i64 = 60;

/// How many failures an account may have in a window, by strangers or in a known browser.
const MAX_FAILURES: u64 = 5;

/// How long an attempt waits before it looks again whether other attempts succeeded, in milliseconds.
const RETRY_DELAYS: [u64; 5] = [50, 100, 200, 400, 800];

/// A counter in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) key: Key,
    /// When its item may be deleted, in seconds since 1970.
    pub(crate) expires_at: i64,
    limit: u64,
    seconds_left: i64,
}

impl Counter {
    fn new(subject: &str, limit: u64, now: i64) -> Self {
        let start = now - now.rem_euclid(WINDOW);
        Self {
            key: Key::record("rate", subject, &start.to_string()),
            expires_at: start + 2 * WINDOW,
            limit,
            seconds_left: start + WINDOW - now,
        }
    }

    /// The counter of the caller: of the user, or of the address if the caller is signed out. `None` if
    /// there is no limit.
    pub(crate) fn for_caller(
        actor: Option<&Actor>,
        trust: &Trust,
        config: &Config,
        now: i64,
    ) -> Option<Self> {
        let (subject, limit) = match actor {
            Some(actor) => (format!("user:{}", actor.user), config.rate_limit_per_user),
            None => (format!("ip:{}", trust.address), config.rate_limit_per_ip),
        };
        (limit > 0).then(|| Self::new(&subject, limit, now))
    }

    /// The counter of a user's requests for what does not exist. `None` if there is no limit.
    pub(crate) fn for_misses(user: &UserId, config: &Config, now: i64) -> Option<Self> {
        let limit = config.rate_limit_per_user;
        (limit > 0).then(|| Self::new(&format!("misses:{user}"), limit, now))
    }

    /// A counter of failures, of strangers or of a known browser, for one account.
    pub(crate) fn of_failures(subject: &str, now: i64) -> Self {
        Self::new(subject, MAX_FAILURES, now)
    }

    /// Counts an attempt as a failure before its result is known, so that simultaneous attempts give no
    /// more guesses than successive ones. If there are too many, it waits a little, because the others
    /// may succeed. Returns the number of attempts, including this one.
    ///
    /// # Errors
    /// [`Failure`] if there are still too many.
    pub(crate) async fn attempt(&self, store: &Store) -> Result<u64, Failure> {
        let mut delays = RETRY_DELAYS.into_iter();
        loop {
            let attempts = store.count(&self.key, self.expires_at).await?;
            // One attempt too many may run. It gets the error only if it fails.
            if attempts <= self.limit + 1 {
                return Ok(attempts);
            }
            self.uncount(store).await;
            match delays.next() {
                Some(delay) => tokio::time::sleep(Duration::from_millis(delay)).await,
                None => return Err(Failure::too_many_requests(self.seconds_left)),
            }
        }
    }

    /// Undoes a count.
    pub(crate) async fn uncount(&self, store: &Store) {
        if let Err(error) = store.uncount(&self.key).await {
            tracing::warn!(%error, "a count could not be taken back");
        }
    }

    /// Refuses the request if this count is above the limit.
    pub(crate) fn check(&self, count: u64) -> Result<(), Failure> {
        if count > self.limit {
            Err(Failure::too_many_requests(self.seconds_left))
        } else {
            Ok(())
        }
    }

    /// Refuses the request if the stored count is above the limit.
    pub(crate) fn check_stored(&self, item: Option<&Item>) -> Result<(), Failure> {
        self.check(
            item.and_then(|item| item.get("count"))
                .and_then(Value::as_u64)
                .unwrap_or(0),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_on_the_minute_and_the_response_says_when() {
        let counter = Counter::new("user:x", 2, 119);
        assert_eq!(counter.check(2), Ok(()));
        let refused = counter.check(3).unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (429, Some(1)));
        assert_eq!(refused.error, "Too many requests. Try again in 1 seconds");
        assert_ne!(counter.key, Counter::new("user:x", 2, 120).key);
    }
}
