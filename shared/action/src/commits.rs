//! The commit: everything one action wants to write, as a value.

use crate::{
    Conflict, EmailMessage, Entity, Expect, Key, Operation, Record, Role, TenantId, UserId, Version,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is kept of an entity until the search index has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unindexed {
    /// That of the entity as it was written.
    pub version: Version,
    /// What a search looks at: the entity's [texts](Entity::texts).
    pub texts: Vec<String>,
}

/// What an audit record is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The organisation whose audit it belongs to.
    pub tenant: TenantId,
    /// The kind of thing, such as `contacts`.
    pub resource: &'static str,
    /// Which one.
    pub id: String,
}

impl Subject {
    /// An entity of `tenant`.
    #[must_use]
    pub fn entity<E: Entity>(tenant: &TenantId, id: &str) -> Self {
        Self {
            tenant: tenant.clone(),
            resource: E::RESOURCE,
            id: id.to_owned(),
        }
    }

    /// Where it is stored, if it is an entity.
    #[must_use]
    pub fn key(&self) -> Key {
        let Self {
            tenant,
            resource,
            id,
        } = self;
        Key::from_parts(format!("{tenant}:{resource}"), id.clone())
    }
}

/// A new session's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which organisation it is bound to.
    pub tenant: TenantId,
    /// Whose it is.
    pub user: UserId,
    /// The role there.
    pub role: Role,
    /// The [`Session::generation`](crate::Session) to open it in: that of the account, as it was
    /// read with what proved the person. `None` is that of the caller's own session, where nothing
    /// but that proves them.
    pub generation: Option<u64>,
}

/// What a commit does to the caller's session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SessionChange {
    /// Nothing.
    #[default]
    Unchanged,
    /// Opens a new one; the answer sets its cookie.
    Open(Grant),
    /// Ends the caller's and opens a new one; the answer sets its cookie.
    Replace(Grant),
    /// Ends the caller's; the answer clears its cookie.
    Close,
    /// Takes the caller's along into this generation, which ends all others.
    EndOthers(u64),
}

/// Everything one action wants to write, and the record it answers with. It is all written, or
/// none of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit<T> {
    operations: Vec<Operation>,
    subject: Option<Subject>,
    /// Where the subject was read and where it is now, where it is not at its own key.
    moved: Option<(Key, Key)>,
    /// Why the commit must not be written, if it holds a value that cannot be serialised.
    bug: Option<String>,
    session: SessionChange,
    emails: Vec<EmailMessage>,
    output: T,
}

impl<T> Commit<T> {
    /// A commit that answers with `output` and is audited as being about `subject`.
    #[must_use]
    pub fn new(subject: Subject, output: T) -> Self {
        Self {
            operations: Vec::new(),
            subject: Some(subject),
            moved: None,
            bug: None,
            session: SessionChange::Unchanged,
            emails: Vec::new(),
            output,
        }
    }

    /// A commit that changes nothing but perhaps the caller's own session, and of which there is
    /// nothing to audit: signing out when nobody is signed in.
    #[must_use]
    pub fn nothing(output: T) -> Self {
        Self {
            operations: Vec::new(),
            subject: None,
            moved: None,
            bug: None,
            session: SessionChange::Unchanged,
            emails: Vec::new(),
            output,
        }
    }

    /// A commit that belongs to no organisation, so that none has it in its audit: what somebody
    /// asks for who is not signed in.
    #[must_use]
    pub fn outside(output: T) -> Self {
        Self::nothing(output)
    }

    /// Writes an entity: a new one where its version is the first, else over the version before.
    #[must_use]
    pub fn put<E: Entity>(self, tenant: &TenantId, entity: &E, read: Option<Version>) -> Self {
        let key = Key::entity::<E>(tenant, entity.id());
        let stored = match serde_json::to_value(entity) {
            Ok(stored) => stored,
            Err(error) => return self.unwritable(&key, &error),
        };
        let texts = stored.as_object().map(E::texts).unwrap_or_default();
        let commit = self.push_put(key.clone(), stored, read, None);
        if texts.is_empty() {
            return commit;
        }
        let (collection, id) = key.parts();
        let unindexed = Unindexed {
            version: entity.version(),
            texts,
        };
        commit.overwrite(Key::unindexed(collection, id), &unindexed)
    }

    /// Writes a record that is not an entity; `conflict` is the answer where it must not exist
    /// yet and does.
    #[must_use]
    pub fn put_record<R: Record>(
        self,
        record: &R,
        read: Option<Version>,
        conflict: Option<Conflict>,
    ) -> Self {
        match serde_json::to_value(record) {
            Ok(item) => self.push_put(record.key(), item, read, conflict),
            Err(error) => self.unwritable(&record.key(), &error),
        }
    }

    /// Writes what another write of the commit guards, whatever was there.
    #[must_use]
    pub fn overwrite<R: serde::Serialize>(mut self, key: Key, value: &R) -> Self {
        match serde_json::to_value(value) {
            Ok(item) => self.operations.push(Operation::Put {
                key,
                item,
                expect: Expect::Anything,
                conflict: None,
            }),
            Err(error) => return self.unwritable(&key, &error),
        }
        self
    }

    /// Removes an entity that was read.
    #[must_use]
    pub fn delete<E: Entity>(mut self, tenant: &TenantId, entity: &E) -> Self {
        self.operations.push(Operation::Delete {
            key: Key::entity::<E>(tenant, entity.id()),
            expect: Expect::Version(entity.version()),
        });
        self
    }

    /// Removes a record that was read with this version, or whatever it is without one.
    #[must_use]
    pub fn delete_record(mut self, key: Key, read: Option<Version>) -> Self {
        self.operations.push(Operation::Delete {
            key,
            expect: read.map_or(Expect::Anything, Expect::Version),
        });
        self
    }

    /// Takes a unique value. With a release of the same key it becomes one operation.
    #[must_use]
    pub fn claim(mut self, guard: Key, owner: &str, conflict: Conflict) -> Self {
        let owner = owner.to_owned();
        match self.position(&guard) {
            Some(at) => self.operations[at] = Operation::Keep { guard, owner },
            None => self.operations.push(Operation::Claim {
                guard,
                owner,
                conflict,
            }),
        }
        self
    }

    /// Gives a unique value back. With a claim of the same key it becomes one operation.
    #[must_use]
    pub fn release(mut self, guard: Key, owner: &str) -> Self {
        let owner = owner.to_owned();
        match self.position(&guard) {
            Some(at) => self.operations[at] = Operation::Keep { guard, owner },
            None => self.operations.push(Operation::Release { guard, owner }),
        }
        self
    }

    /// Says that the subject was read at the key `from` and is at the key `to` now. Without this
    /// it is at its own key before and after. The chain of its audit records goes on there.
    #[must_use]
    pub fn moves(mut self, from: Key, to: Key) -> Self {
        self.moved = Some((from, to));
        self
    }

    /// Passes a unique value on: the same thing, which gets another id.
    #[must_use]
    pub fn hand_over(mut self, guard: Key, from: &str, to: &str) -> Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.operations
            .push(Operation::HandOver { guard, from, to });
        self
    }

    /// Opens a session for the caller.
    #[must_use]
    pub fn open_session(mut self, grant: Grant) -> Self {
        self.session = SessionChange::Open(grant);
        self
    }

    /// Ends the caller's session and opens another.
    #[must_use]
    pub fn replace_session(mut self, grant: Grant) -> Self {
        self.session = SessionChange::Replace(grant);
        self
    }

    /// Ends the caller's session.
    #[must_use]
    pub fn close_session(mut self) -> Self {
        self.session = SessionChange::Close;
        self
    }

    /// Takes the caller's session along into this generation.
    #[must_use]
    pub fn end_other_sessions(mut self, generation: u64) -> Self {
        self.session = SessionChange::EndOthers(generation);
        self
    }

    /// Sends an email once the commit is written.
    #[must_use]
    pub fn send_email(mut self, email: EmailMessage) -> Self {
        self.emails.push(email);
        self
    }

    /// The emails to send.
    #[must_use]
    pub fn emails(&self) -> &[EmailMessage] {
        &self.emails
    }

    /// The writes.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What the audit record is about.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// Where the subject was read, and where it is now; the same key unless it moves.
    #[must_use]
    pub fn places(&self) -> Option<(Key, Key)> {
        let own = || self.subject.as_ref().map(Subject::key);
        self.moved
            .clone()
            .or_else(|| own().map(|key| (key.clone(), key)))
    }

    /// What happens to the caller's session.
    #[must_use]
    pub fn session(&self) -> &SessionChange {
        &self.session
    }

    /// Why the commit must not be written: a bug in a type that it writes.
    #[must_use]
    pub fn bug(&self) -> Option<&str> {
        self.bug.as_deref()
    }

    /// The record to answer with.
    #[must_use]
    pub fn output(&self) -> &T {
        &self.output
    }

    /// The cache tags that the writes make stale, sorted, each once.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        let tags: BTreeSet<_> = self
            .operations
            .iter()
            .flat_map(|op| op.key().tags())
            .collect();
        tags.into_iter().collect()
    }

    /// Notes that a value cannot be serialised. Such a commit is never written.
    fn unwritable(mut self, key: &Key, error: &serde_json::Error) -> Self {
        let (pk, _) = key.parts();
        self.bug = Some(format!("an item of {pk} cannot be serialised: {error}"));
        self
    }

    fn push_put(
        mut self,
        key: Key,
        item: Value,
        read: Option<Version>,
        conflict: Option<Conflict>,
    ) -> Self {
        let expect = read.map_or(Expect::Absent, Expect::Version);
        self.operations.push(Operation::Put {
            key,
            item,
            expect,
            conflict,
        });
        self
    }

    fn position(&self, guard: &Key) -> Option<usize> {
        self.operations.iter().position(|op| op.key() == guard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::ser::{Error, Serializer};

    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }

    #[test]
    fn a_value_that_cannot_be_serialised_is_a_bug_and_not_null() {
        let key = Key::record("thing", "acme", "1");
        let commit = Commit::nothing(()).overwrite(key.clone(), &Broken);
        assert_eq!(
            commit.bug(),
            Some("an item of #thing:acme cannot be serialised: no")
        );
        assert!(commit.operations().is_empty());
        assert_eq!(Commit::nothing(()).overwrite(key, &1).bug(), None);
    }
}
