//! What a function knows besides its input: who calls, when, and fresh identifiers.

use jiff::{Timestamp, Unit};
use uuid::Uuid;

/// The circumstances of one run of an action or view. `C` is what the permission gives: an
/// [`Actor`](crate::Actor), or an `Option` of one where anyone may call.
#[derive(Debug, Clone)]
pub struct Context<C> {
    /// Who calls.
    pub caller: C,
    /// When, to the millisecond, so that a stored time reads back equal.
    pub now: Timestamp,
    /// Which run this is for one request, from 0: more where data moved under the earlier one.
    pub attempt: u32,
}

impl<C> Context<C> {
    /// The circumstances of a first run, now.
    #[must_use]
    pub fn new(caller: C) -> Self {
        Self {
            caller,
            now: now(),
            attempt: 0,
        }
    }

    /// A new UUIDv7, later than all that this process made before.
    #[must_use]
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        Uuid::now_v7().into()
    }
}

fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}
