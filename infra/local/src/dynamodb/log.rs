//! SQLite's write-ahead log, which this crate syncs instead of SQLite.
//!
//! With `synchronous=NORMAL`, SQLite writes each commit to the log but does not sync the log
//! ([the setting](https://sqlite.org/pragma.html#pragma_synchronous)). Here a response waits until the
//! log is synced up to the newest commit that the response may tell of. So a commit is as safe as with
//! `FULL`, but the engine runs the next requests meanwhile, and one sync serves all commits before it.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::take;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The log of a database file, and the responses that wait until it is synced.
#[derive(Debug)]
pub(super) struct Log<T> {
    file: File,
    /// The number of commits that have been written to the log.
    written: AtomicU64,
    queue: Mutex<Queue<T>>,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: Vec<T>,
    /// The number of commits that are synced.
    synced: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// A thread is syncing the log. It will take care of what waits meanwhile, too.
    Syncing,
    /// A sync has failed. Nobody tries again, because a second sync may succeed without having written
    /// what the first one failed to write ([fsync errors](https://wiki.postgresql.org/wiki/Fsync_Errors)).
    Failed,
}

impl<T> Log<T> {
    /// The log of the database at `path`, which is open.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        // Windows syncs only files that are open for writing.
        Ok(Self::new(OpenOptions::new().write(true).open(name)?))
    }

    fn new(file: File) -> Self {
        Self {
            file,
            written: AtomicU64::new(0),
            queue: Mutex::new(Queue {
                waiting: Vec::new(),
                synced: 0,
                state: State::Idle,
            }),
        }
    }

    /// Counts a commit. To be called before any other request can see it.
    pub(super) fn count_commit(&self) {
        self.written.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of commits so far.
    pub(super) fn commits(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// Calls `done` with `response` when this many commits are synced: now if they are, otherwise when this
    /// thread, or another one that is already syncing, has synced the log.
    ///
    /// # Errors
    /// If the log cannot be synced. Then this response, and what else waits, is dropped. Only what tells
    /// of earlier commits is still answered.
    pub(super) fn after(&self, commits: u64, response: T, done: impl Fn(T)) -> io::Result<()> {
        let mut queue = self.queue();
        if queue.synced >= commits {
            drop(queue);
            done(response);
            return Ok(());
        }
        match queue.state {
            State::Failed => return Err(io::Error::other("an earlier sync failed")),
            State::Syncing => {
                queue.waiting.push(response);
                return Ok(());
            }
            State::Idle => queue.waiting.push(response),
        }
        queue.state = State::Syncing;
        while !queue.waiting.is_empty() {
            let waiting = take(&mut queue.waiting);
            drop(queue);
            let written = self.commits();
            let synced = self.file.sync_data();
            queue = self.queue();
            if let Err(error) = synced {
                queue.state = State::Failed;
                queue.waiting.clear();
                return Err(error);
            }
            queue.synced = written;
            drop(queue);
            waiting.into_iter().for_each(&done);
            queue = self.queue();
        }
        queue.state = State::Idle;
        Ok(())
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn scratch() -> File {
        let path = std::env::temp_dir().join(format!("edge-crm-{}", uuid::Uuid::new_v4()));
        let file = File::create(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        file
    }

    #[test]
    fn one_sync_answers_for_all_commits_before_it() {
        let log = Log::new(scratch());
        let done = RefCell::new(Vec::new());
        log.count_commit();
        log.count_commit();
        // A third commit is made while the second one is answered. Its answer must wait for another sync.
        let answer = |name: &'static str| {
            done.borrow_mut().push(name);
            if name == "second" {
                log.count_commit();
                log.after(3, "third", |_| {
                    unreachable!("this thread is already syncing")
                })
                .unwrap();
                assert!(!done.borrow().contains(&"third"));
            }
        };
        log.after(2, "second", answer).unwrap();
        // The sync for the second commit was also one for the first.
        log.after(1, "first", answer).unwrap();
        assert_eq!(*done.borrow(), ["second", "third", "first"]);
    }

    /// The kernel refuses to sync a device without a disk.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_cannot_be_synced_is_never_answered() {
        let log = Log::new(OpenOptions::new().write(true).open("/dev/null").unwrap());
        let answered = RefCell::new(Vec::new());
        let answer = |name: &'static str| answered.borrow_mut().push(name);
        log.after(0, "before", answer).unwrap();
        log.count_commit();
        for _ in 0..2 {
            log.after(1, "commit", answer).unwrap_err();
        }
        log.after(0, "of earlier commits", answer).unwrap();
        assert_eq!(*answered.borrow(), ["before", "of earlier commits"]);
    }
}
