//! What a function knows besides its input: who calls, when, and fresh identifiers.

use crate::{ActionError, FieldErrors, Key, Role, TenantId, Text};
use jiff::{Timestamp, Unit};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Marks texts, such as cursors, that come back from the client so that only those that were
/// issued are taken.
pub trait Seal: Send + Sync {
    /// The text, sealed for one purpose.
    fn seal(&self, purpose: &str, text: &str) -> String;

    /// The text within a seal of this purpose; `None` where it was not issued.
    fn open(&self, purpose: &str, sealed: &str) -> Option<String>;
}

/// The circumstances of one run of an action or view. `C` is what the permission gives: an
/// [`Actor`](crate::Actor), or an `Option` of one where anyone may call.
#[derive(Clone)]
pub struct Context<C> {
    /// Who calls.
    pub caller: C,
    /// When, to the millisecond, so that a stored time reads back equal.
    pub now: Timestamp,
    /// Which run this is for one request, from 0: more where data moved under the earlier one.
    pub attempt: u32,
    /// Where the caller's own session is stored. Unknown before it has been checked, and where
    /// the answer is for others too.
    pub session: Option<Key>,
    seal: Arc<dyn Seal>,
}

impl<C: fmt::Debug> fmt::Debug for Context<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("caller", &self.caller)
            .field("now", &self.now)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl<C> Context<C> {
    /// The circumstances of a run, now.
    #[must_use]
    pub fn new(caller: C, attempt: u32, seal: Arc<dyn Seal>) -> Self {
        let now = Timestamp::now();
        Self {
            caller,
            now: now.round(Unit::Millisecond).unwrap_or(now),
            attempt,
            session: None,
            seal,
        }
    }

    /// The same within the session that is stored there.
    #[must_use]
    pub fn within(self, session: Option<Key>) -> Self {
        Self { session, ..self }
    }

    /// A new UUIDv7, later than all that this process made before.
    #[must_use]
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        Uuid::now_v7().into()
    }

    /// A random number.
    #[must_use]
    pub fn random(&self) -> u32 {
        Uuid::new_v4().as_fields().0
    }

    /// A text that nobody can guess: 122 random bits, as a UUIDv4.
    #[must_use]
    pub fn secret(&self) -> String {
        Uuid::new_v4().to_string()
    }

    /// Random bytes, for a salt.
    #[must_use]
    pub fn salt(&self) -> [u8; 16] {
        Uuid::new_v4().into_bytes()
    }

    /// A token that says `text`, good for one purpose: what a link in a letter carries.
    #[must_use]
    pub fn seal(&self, purpose: &str, text: &str) -> String {
        self.seal.seal(&format!("token {purpose}"), text)
    }

    /// What the token says; `None` where it was not issued for this purpose.
    #[must_use]
    pub fn open(&self, purpose: &str, token: &str) -> Option<String> {
        self.seal.open(&format!("token {purpose}"), token)
    }

    /// A cursor that leads behind `position` in the list named `list`.
    #[must_use]
    pub fn cursor(&self, list: &str, position: &str) -> String {
        self.seal.seal(&cursor_purpose(list), position)
    }

    /// Where to begin reading, from a view's parameter `after`: after the position of a cursor
    /// that was issued for this list.
    ///
    /// # Errors
    /// [`ActionError::Validation`] if the cursor was not issued for the list.
    pub fn after(&self, list: &str, cursor: Option<&Text>) -> Result<Option<String>, ActionError> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let unknown = || FieldErrors::from([("after".to_owned(), "Unknown page".to_owned())]);
        self.position(list, cursor.as_str())
            .map(Some)
            .ok_or_else(|| ActionError::Validation(unknown()))
    }

    /// The position in the cursor; `None` where it was not issued for this list.
    #[must_use]
    pub fn position(&self, list: &str, cursor: &str) -> Option<String> {
        self.seal.open(&cursor_purpose(list), cursor)
    }
}

fn cursor_purpose(list: &str) -> String {
    format!("cursor {list}")
}

/// What every page of an organisation shows around its content. It is the same for everybody of
/// one role there, so that a page may be cached for them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The organisation's slug.
    pub tenant: TenantId,
    /// What the organisation calls itself.
    pub organization: String,
    /// The role of whoever looks.
    pub role: Role,
}
