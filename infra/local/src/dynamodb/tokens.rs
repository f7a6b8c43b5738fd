//! The tokens that make a repeated transaction harmless.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a token is remembered: as long as
/// [DynamoDB does](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
const MEMORY: Duration = Duration::from_secs(600);

/// The tokens of the transactions that were written in the last ten minutes.
///
/// The SDK sends a transaction again, with the same token and the same bytes, if it has not heard of it
/// in time. The engine has a memory for this too, but goes through all of it at each transaction.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    requests: HashMap<Arc<str>, u64>,
    /// The same tokens, the oldest first.
    by_age: VecDeque<(Instant, Arc<str>)>,
}

/// What is known about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: run the transaction.
    New,
    /// The same request has been written.
    Written,
    /// Another request with this token has been written.
    Different,
}

impl Tokens {
    /// What is known about the token of this request, which is in bytes, and forgets tokens that are too
    /// old.
    pub(super) fn look_up(&mut self, token: &str, request: &[u8], now: Instant) -> Known {
        while let Some((written, _)) = self.by_age.front()
            && now.duration_since(*written) >= MEMORY
        {
            if let Some((_, token)) = self.by_age.pop_front() {
                self.requests.remove(&token);
            }
        }
        match self.requests.get(token) {
            None => Known::New,
            Some(written) if *written == hash(request) => Known::Written,
            Some(_) => Known::Different,
        }
    }

    /// Remembers the new token of a request that has been written.
    pub(super) fn remember(&mut self, token: &str, request: &[u8], now: Instant) {
        let token: Arc<str> = token.into();
        self.requests.insert(Arc::clone(&token), hash(request));
        self.by_age.push_back((now, token));
    }
}

fn hash(request: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_for_one_request_until_it_is_forgotten() {
        let (mut tokens, begin) = (Tokens::default(), Instant::now());
        assert_eq!(tokens.look_up("a", b"1", begin), Known::New);
        tokens.remember("a", b"1", begin);
        let later = begin + Duration::from_secs(300);
        assert_eq!(tokens.look_up("b", b"1", later), Known::New);
        tokens.remember("b", b"1", later);
        let almost = begin + MEMORY - Duration::from_millis(1);
        assert_eq!(tokens.look_up("a", b"1", almost), Known::Written);
        assert_eq!(tokens.look_up("a", b"2", almost), Known::Different);
        assert_eq!(tokens.look_up("a", b"1", begin + MEMORY), Known::New);
        assert_eq!(tokens.look_up("b", b"1", begin + MEMORY), Known::Written);
        tokens.remember("a", b"2", begin + MEMORY);
        assert_eq!(tokens.look_up("a", b"2", later + MEMORY), Known::Written);
        assert_eq!(tokens.look_up("b", b"1", later + MEMORY), Known::New);
        let end = begin + MEMORY * 2;
        assert_eq!(tokens.look_up("a", b"2", end), Known::New);
        assert!(tokens.requests.is_empty() && tokens.by_age.is_empty());
    }
}
