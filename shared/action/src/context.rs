//! What a function knows besides its input: who calls, when, and fresh identifiers.

use crate::{Key, Role, Source, TenantId};
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;
use uuid::{Builder, Uuid};

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

    /// The same within the session that is stored there.
    #[must_use]
    pub fn within(self, session: Option<Key>) -> Self {
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

    /// A text that nobody can guess: 122 random bits, as a UUIDv4.
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
