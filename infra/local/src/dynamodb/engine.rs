//! The engine: dynoxide's operations on one SQLite file.
//!
//! dynoxide's own `Database` is the same with two differences. It goes through the tokens of all
//! transactions of the last ten minutes at each transaction, and it syncs the disk at each commit while
//! all other requests wait.

use super::log::Log;
use super::tokens::{Known, Tokens};
use dynoxide::actions::transact_write_items::{
    TransactWriteItemsRequest, TransactWriteItemsResponse, execute as transact,
};
use dynoxide::storage::Storage;
use dynoxide::{DynoxideError, Result};
use futures_util::FutureExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

/// SQLite's settings for this connection.
///
/// The log is synced by [`Log`]. With 16 MB instead of 4 before a checkpoint, a page that many commits change
/// is written to the file less often. The cache holds the indexes of a table of some 100,000 items.
const SETTINGS: &str = "PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;";

/// DynamoDB's message about a token that was used for another transaction.
const DIFFERENT: &str = "An error occurred (IdempotentParameterMismatchException)";

/// An engine whose responses are of type `T`.
pub(super) struct Engine<T> {
    state: Mutex<State>,
    /// `None` in memory.
    log: Option<Log<T>>,
}

struct State {
    storage: Storage,
    tokens: Tokens,
}

/// The result of an operation, and the number of commits that must be on the disk before it may be sent.
pub(super) struct Outcome<O> {
    pub(super) result: Result<O>,
    pub(super) commits: u64,
}

impl<T> Engine<T> {
    /// Opens the database at `path`, or a new one in memory.
    ///
    /// # Errors
    /// The engine's or the system's error.
    pub(super) fn open(path: Option<&Path>) -> std::result::Result<Self, String> {
        let text = |e: &dyn std::error::Error| e.to_string();
        let (storage, log) = match path {
            None => (Storage::memory().map_err(|e| text(&e))?, None),
            Some(path) => {
                let name = path.to_str().ok_or("its path is not UTF-8")?;
                let storage = Storage::new(name).map_err(|e| text(&e))?;
                let settings = storage.conn().execute_batch(SETTINGS);
                settings.map_err(|e| text(&e))?;
                (storage, Some(Log::of(path).map_err(|e| text(&e))?))
            }
        };
        let tokens = Tokens::default();
        Ok(Self {
            state: Mutex::new(State { storage, tokens }),
            log,
        })
    }

    /// Runs an operation that only reads.
    pub(super) fn read<I, O>(
        &self,
        request: I,
        operation: impl AsyncFnOnce(&Storage, I) -> Result<O>,
    ) -> Outcome<O> {
        self.locked(|state| at_once(operation(&state.storage, request)))
    }

    /// Runs an operation that writes.
    pub(super) fn write<I, O>(
        &self,
        request: I,
        operation: impl AsyncFnOnce(&Storage, I) -> Result<O>,
    ) -> Outcome<O> {
        self.locked(|state| {
            let output = at_once(operation(&state.storage, request))?;
            self.count_commit();
            Ok(output)
        })
    }

    /// Runs a transaction, unless it has been written. `bytes` are those of the request.
    pub(super) fn transact(
        &self,
        mut request: TransactWriteItemsRequest,
        bytes: &[u8],
    ) -> Outcome<TransactWriteItemsResponse> {
        self.locked(|state| {
            let Some(token) = request.client_request_token.take() else {
                let written = at_once(transact(&state.storage, request))?;
                self.count_commit();
                return Ok(written);
            };
            match state.tokens.look_up(&token, bytes, Instant::now()) {
                Known::Written => return Ok(TransactWriteItemsResponse::default()),
                Known::Different => {
                    return Err(DynoxideError::IdempotentParameterMismatchException(
                        DIFFERENT.to_owned(),
                    ));
                }
                Known::New => {}
            }
            let written = at_once(transact(&state.storage, request))?;
            self.count_commit();
            state.tokens.remember(&token, bytes, Instant::now());
            Ok(written)
        })
    }

    /// Calls `done` with a response when this many commits are on the disk.
    ///
    /// # Errors
    /// See [`Log::after`].
    pub(super) fn after(&self, commits: u64, response: T, done: impl Fn(T)) -> std::io::Result<()> {
        match &self.log {
            Some(log) => log.after(commits, response, done),
            None => {
                done(response);
                Ok(())
            }
        }
    }

    /// Runs `operation`. The result may tell of any commit so far.
    fn locked<O>(&self, operation: impl FnOnce(&mut State) -> Result<O>) -> Outcome<O> {
        let locked = self.state.lock().map_err(|error| {
            DynoxideError::InternalServerError(format!("an earlier request failed: {error}"))
        });
        let run = |mut state: MutexGuard<'_, State>| {
            let result = operation(&mut state);
            let commits = self.log.as_ref().map_or(0, Log::commits);
            Outcome { result, commits }
        };
        let failed = |error| Outcome {
            result: Err(error),
            commits: 0,
        };
        locked.map_or_else(failed, run)
    }

    fn count_commit(&self) {
        if let Some(log) = &self.log {
            log.count_commit();
        }
    }
}

/// The output of an operation. The operations of this storage are asynchronous in name only: they never
/// wait.
fn at_once<O>(operation: impl Future<Output = Result<O>>) -> Result<O> {
    operation.now_or_never().unwrap_or_else(|| {
        let text = "an operation of the engine waits".to_owned();
        Err(DynoxideError::InternalServerError(text))
    })
}
