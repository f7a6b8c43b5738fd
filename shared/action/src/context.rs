//! What a function knows besides its input: the caller, the time, and new ids.

use crate::{ActionError, FieldErrors, Key, Role, Source, TenantId, Text};
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;
use uuid::{Builder, Uuid};

/// Seals texts that the client sends back, such as cursors, so that only texts that we issued are
/// accepted.
pub trait Seal: Send + Sync {
    /// Seals the text for one purpose.
    fn seal(&self, purpose: &str, text: &str) -> String;

    /// The text in the seal; `None` if we did not issue it for this purpose.
    fn open(&self, purpose: &str, sealed: &str) -> Option<String>;
}

/// The context of one run of an action or view. `C` is what the permission gives: an
/// [`Actor`](crate::Actor), or an `Option` of one if anyone may call.
#[derive(Clone)]
pub struct Context<C> {
    /// The caller.
    pub caller: C,
    /// The time, to the millisecond, so that a stored time is equal when it is read back.
    pub now: Timestamp,
    /// The number of the run for this request, from 0. It is higher if data changed during the run
    /// before.
    pub attempt: u32,
    /// The key of the caller's own session. `None` before the session is checked, and if the response
    /// may be shared with other users.
    pub session: Option<Key>,
    source: Arc<Source>,
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
    /// The context of a run at the time of `source`.
    #[must_use]
    pub fn new(caller: C, attempt: u32, source: Source, seal: Arc<dyn Seal>) -> Self {
        Self {
            caller,
            now: source.now(),
            attempt,
            session: None,
            source: Arc::new(source),
            seal,
        }
    }

    /// The same context, with the caller's session at this key.
    #[must_use]
    pub fn with_session(self, session: Option<Key>) -> Self {
        Self { session, ..self }
    }

    /// A new id: a UUIDv7 with the time [`now`](Self::now), so that ids sort by time.
    #[must_use]
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        self.source.id().into()
    }

    /// A random number.
    #[must_use]
    pub fn random(&self) -> u32 {
        let [a, b, c, d, ..] = self.source.bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// A secret that nobody can guess: 122 random bits, as a UUIDv4.
    #[must_use]
    pub fn secret(&self) -> String {
        let uuid = Builder::from_random_bytes(self.source.bytes()).into_uuid();
        uuid.to_string()
    }

    /// Random bytes, for a salt.
    #[must_use]
    pub fn salt(&self) -> [u8; 16] {
        self.source.bytes()
    }

    /// A token that contains `text` and is valid for one purpose, for a link in an email.
    #[must_use]
    pub fn seal(&self, purpose: &str, text: &str) -> String {
        self.seal.seal(&format!("token {purpose}"), text)
    }

    /// The text in the token; `None` if we did not issue it for this purpose.
    #[must_use]
    pub fn open(&self, purpose: &str, token: &str) -> Option<String> {
        self.seal.open(&format!("token {purpose}"), token)
    }

    /// A cursor for the items after `position` in the list `list`.
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

    /// The position in the cursor; `None` if we did not issue it for this list.
    #[must_use]
    pub fn position(&self, list: &str, cursor: &str) -> Option<String> {
        self.seal.open(&cursor_purpose(list), cursor)
    }
}

fn cursor_purpose(list: &str) -> String {
    format!("cursor {list}")
}

/// What every page of an organisation shows around its content. It is the same for all members with
/// the same role, so that a page may be cached for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The organisation's slug.
    pub tenant: TenantId,
    /// The name of the organisation.
    pub organization: String,
    /// The role of the user who sees the page.
    pub role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Commit, Entity, Subject, UserId, Version};
    use serde::{Deserialize, Serialize};

    struct NoSeal;

    impl Seal for NoSeal {
        fn seal(&self, _: &str, text: &str) -> String {
            text.to_owned()
        }

        fn open(&self, _: &str, sealed: &str) -> Option<String> {
            Some(sealed.to_owned())
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Thing {
        id: UserId,
        created_at: Timestamp,
        secret: String,
        salt: [u8; 16],
        number: u32,
    }

    impl Entity for Thing {
        const RESOURCE: &'static str = "things";

        fn id(&self) -> &str {
            self.id.as_str()
        }

        fn version(&self) -> Version {
            Version::FIRST
        }
    }

    /// What an action's function does: its commit has everything that a context gives.
    fn run(context: &Context<TenantId>) -> Commit<UserId> {
        let thing = Thing {
            id: context.new_id(),
            created_at: context.now,
            secret: context.secret(),
            salt: context.salt(),
            number: context.random(),
        };
        let tenant = &context.caller;
        let subject = Subject::entity::<Thing>(tenant, thing.id());
        Commit::new(subject, context.new_id()).put(tenant, &thing, None)
    }

    fn context(seed: u8) -> Context<TenantId> {
        let time = "2026-01-01T12:00:00.123456Z".parse().unwrap();
        let tenant = TenantId::parse("acme").unwrap();
        Context::new(tenant, 0, Source::new(time, [seed; 32]), Arc::new(NoSeal))
    }

    #[test]
    fn the_same_context_gives_the_same_commit() {
        assert_eq!(run(&context(1)), run(&context(1)));
        assert_ne!(run(&context(1)), run(&context(2)));
    }

    #[test]
    fn a_copy_of_a_context_gives_other_ids() {
        let context = context(1);
        let copy = context.clone();
        assert_ne!(context.new_id::<UserId>(), copy.new_id::<UserId>());
    }
}
