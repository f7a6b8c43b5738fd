//! What a process knows about marks: which ones it has opened, and which ones it need not try to open. So
//! a page that may not be cached costs no call, and one that may costs one.

use crate::App;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{Opened, Opening, Room, StoreError, tenant_of, window};

/// How long not to try again after the allowance was used up.
const NO_ROOM: Duration = Duration::from_secs(60);

/// How much is kept. Beyond that it starts anew.
const MOST: usize = 10_000;

/// What is known about the marks of tags.
#[derive(Debug, Default)]
pub(crate) struct Openings {
    /// By tag; by organisation if it has used its part of the allowance.
    marks: Mutex<HashMap<String, Known>>,
    /// By organisation.
    rooms: Mutex<HashMap<String, Room>>,
    /// How many purges an organisation may still have bought, if that was read since it was taken.
    left: Mutex<Option<u64>>,
}

#[derive(Debug, Clone, Copy)]
enum Known {
    /// This process has opened the mark in this window.
    OpenedIn(i64),
    /// It cannot be opened before this time, in milliseconds since 1970.
    RefusedUntil(i64),
}

impl Openings {
    /// Whether the mark of a tag cannot be opened at `now` (in milliseconds since 1970).
    pub(crate) fn is_refused(&self, tag: &str, now: i64) -> bool {
        [tag, tenant_of(tag)].iter().any(|name| {
            let known = lock(&self.marks).get(*name).copied();
            matches!(known, Some(Known::RefusedUntil(until)) if now < until)
        })
    }

    /// Whether the organisation has used its part of the allowance.
    pub(crate) fn has_no_room(&self, tenant: &str) -> bool {
        self.is_refused(tenant, jiff::Timestamp::now().as_millisecond())
    }

    /// Opens a mark, or renews it. Returns whether the page may be cached.
    ///
    /// # Errors
    /// [`StoreError`]. The page must then not be cached.
    pub(crate) async fn open(&self, app: &App, opening: Opening<'_>) -> Result<bool, StoreError> {
        let (tag, now) = (opening.tag, opening.now);
        let window = window(now);
        let known = lock(&self.marks).get(tag).copied();
        let mut opened = Opened::Unreserved;
        if matches!(known, Some(Known::OpenedIn(of)) if of == window) {
            opened = app.store.renew_mark(&opening, window).await?;
        }
        if opened == Opened::Unreserved {
            let room = self.room(app, tenant_of(tag), now).await?;
            opened = match room.is_enough() {
                true => app.store.open_mark(&opening, &room).await?,
                false => Opened::NoRoom,
            };
        }
        match opened {
            Opened::Yes => self.learn(tag, Known::OpenedIn(window)),
            Opened::Changed(at) => {
                self.learn(
                    tag,
                    Known::RefusedUntil(at.saturating_add(millis(opening.quiet))),
                );
            }
            Opened::NoRoom => {
                lock(&self.rooms).remove(tenant_of(tag));
                self.learn(tenant_of(tag), Known::RefusedUntil(now + millis(NO_ROOM)));
            }
            Opened::Busy | Opened::Unreserved => {}
        }
        Ok(opened == Opened::Yes)
    }

    async fn room(&self, app: &App, tenant: &str, now: i64) -> Result<Room, StoreError> {
        let known = lock(&self.rooms).get(tenant).copied();
        if let Some(room) = known.filter(|room| room.window == window(now)) {
            return Ok(room);
        }
        let room = app.store.room(app.config.allowance, tenant, now).await?;
        if app.config.allowance.a_month > 0 {
            *lock(&self.left) = Some(room.left);
        }
        insert(&self.rooms, tenant, room);
        Ok(room)
    }

    /// How many purges the organisation may still have bought, for the log. `None` if that was not read since the last call.
    pub(crate) fn take_left(&self) -> Option<u64> {
        lock(&self.left).take()
    }

    fn learn(&self, name: &str, known: Known) {
        insert(&self.marks, name, known);
    }
}

fn insert<T>(map: &Mutex<HashMap<String, T>>, name: &str, value: T) {
    let mut map = lock(map);
    if map.len() >= MOST {
        map.clear();
    }
    map.insert(name.to_owned(), value);
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
