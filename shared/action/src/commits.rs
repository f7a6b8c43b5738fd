//! The commit: everything that an action wants to write, as a value.

use crate::{
    Conflict, EmailMessage, Entity, Expect, Grant, Key, Operation, Record, Role, SessionChange,
    Subject, TenantId, Version,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The record of an entity that the search index does not have yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unindexed {
    /// The version of the entity that was written.
    pub version: Version,
    /// The [texts](Entity::texts) that a search looks at.
    pub texts: Vec<String>,
    /// The [form](Entity::TEXTS_FORM) of the texts. Records from before this attribute existed have 0.
    #[serde(default)]
    pub form: u64,
}

/// Everything that an action wants to write, and its output. Either all of it is written or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit<T> {
    operations: Vec<Operation>,
    subject: Option<Subject>,
    /// What else it is about, in other organisations, with the user's role there.
    other_subjects: Vec<(Subject, Role)>,
    /// The keys at which the subject was read and is written, if they are not its own key.
    moved: Option<(Key, Key)>,
    /// The keys at which entities are new, though there may have been others before.
    reused: Vec<Key>,
    /// Why the commit must not be written, if it holds a value that cannot be serialised.
    bug: Option<String>,
    session: SessionChange,
    emails: Vec<EmailMessage>,
    output: T,
}

impl<T> Commit<T> {
    /// A commit with this output. Its audit record is about `subject`.
    #[must_use]
    pub fn new(subject: Subject, output: T) -> Self {
        Self {
            operations: Vec::new(),
            subject: Some(subject),
            other_subjects: Vec::new(),
            moved: None,
            reused: Vec::new(),
            bug: None,
            session: SessionChange::Unchanged,
            emails: Vec::new(),
            output,
        }
    }

    /// A commit that needs no audit record, because it changes nothing or only the caller's session:
    /// for example, signing out without being signed in.
    #[must_use]
    pub fn nothing(output: T) -> Self {
        Self {
            operations: Vec::new(),
            subject: None,
            other_subjects: Vec::new(),
            moved: None,
            reused: Vec::new(),
            bug: None,
            session: SessionChange::Unchanged,
            emails: Vec::new(),
            output,
        }
    }

    /// A commit that belongs to no organisation, so no audit shows it: for example, a password reset
    /// that a signed-out user requests.
    #[must_use]
    pub fn outside(output: T) -> Self {
        Self::nothing(output)
    }

    /// Writes an entity: a new one if `read` is `None`, otherwise over the version that was read.
    #[must_use]
    pub fn put<E: Entity>(mut self, tenant: &TenantId, entity: &E, read: Option<Version>) -> Self {
        let key = Key::entity::<E>(tenant, entity.id());
        if !E::NEW_IDS {
            self.reused.push(key.clone());
        }
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
            form: E::TEXTS_FORM,
        };
        commit.overwrite(Key::unindexed(collection, id), &unindexed)
    }

    /// Writes a record that is not an entity: a new one if `read` is `None`, otherwise over the version
    /// that was read. `conflict` is the error if the record is new and already exists.
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

    /// Writes an item whatever is stored there. Another write of the commit must prevent conflicts.
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

    /// Deletes an entity that was read.
    #[must_use]
    pub fn delete<E: Entity>(mut self, tenant: &TenantId, entity: &E) -> Self {
        self.operations.push(Operation::Delete {
            key: Key::entity::<E>(tenant, entity.id()),
            expect: Expect::Version(entity.version()),
        });
        self
    }

    /// Deletes a record: of the version that was read, or of any version if `read` is `None`.
    #[must_use]
    pub fn delete_record(mut self, key: Key, read: Option<Version>) -> Self {
        self.operations.push(Operation::Delete {
            key,
            expect: read.map_or(Expect::Anything, Expect::Version),
        });
        self
    }

    /// Requires that an entity still has the version that was read, when the commit is written. If it has
    /// changed, the function runs again. An entity that the commit writes before has this condition
    /// already.
    #[must_use]
    pub fn require<E: Entity>(mut self, tenant: &TenantId, entity: &E) -> Self {
        let key = Key::entity::<E>(tenant, entity.id());
        if self.position(&key).is_none() {
            let expect = Expect::Version(entity.version());
            self.operations.push(Operation::Check { key, expect });
        }
        self
    }

    /// Claims a unique value. A claim and a release of the same guard become one operation.
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

    /// Releases a unique value. A claim and a release of the same guard become one operation.
    #[must_use]
    pub fn release(mut self, guard: Key, owner: &str) -> Self {
        let owner = owner.to_owned();
        match self.position(&guard) {
            Some(at) => self.operations[at] = Operation::Keep { guard, owner },
            None => self.operations.push(Operation::Release { guard, owner }),
        }
        self
    }

    /// Says that the commit moves the subject from the key `from` to the key `to`. The chain of its
    /// audit records continues there. Without this, the subject is at its own key before and after.
    #[must_use]
    pub fn moves(mut self, from: Key, to: Key) -> Self {
        self.reused.push(to.clone());
        self.moved = Some((from, to));
        self
    }

    /// Transfers a unique value from one owner to another: for an entity that gets a new id.
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

    /// Ends all sessions of the caller except this one, which moves to this new generation.
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

    /// The keys at which the subject was read and is written. They are the same unless it moves.
    #[must_use]
    pub fn places(&self) -> Option<(Key, Key)> {
        let own = || self.subject.as_ref().map(Subject::key);
        self.moved
            .clone()
            .or_else(|| own().map(|key| (key.clone(), key)))
    }

    /// Writes an audit record in another organisation too, in which the user has this role. A commit that
    /// writes an entity of an organisation must have a record there.
    #[must_use]
    pub fn also_about(mut self, subject: Subject, role: Role) -> Self {
        self.other_subjects.push((subject, role));
        self
    }

    /// What it is about in other organisations, with the user's role there.
    #[must_use]
    pub fn other_subjects(&self) -> &[(Subject, Role)] {
        &self.other_subjects
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

    /// The output of the action.
    #[must_use]
    pub fn output(&self) -> &T {
        &self.output
    }

    /// The cache tags that the writes make stale, sorted and without duplicates.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        self.tags_of(|_| true)
    }

    /// Those of the [tags](Self::tags) that cached pages may have. The page of an entity that is new has
    /// never been cached.
    #[must_use]
    pub fn cached_tags(&self) -> Vec<String> {
        self.tags_of(|op| {
            let new = matches!(
                op,
                Operation::Put {
                    expect: Expect::Absent,
                    ..
                }
            );
            !new || self.reused.contains(op.key())
        })
    }

    /// The tags of the writes, with the own tags of the entities for which `own` is true.
    fn tags_of(&self, own: impl Fn(&Operation) -> bool) -> Vec<String> {
        let writes = self.operations.iter();
        let writes = writes.filter(|op| !matches!(op, Operation::Check { .. }));
        let tags: BTreeSet<_> = writes
            .flat_map(|op| {
                let key = op.key();
                let with_own = own(op);
                let own = key.tag();
                let tags = key.tags().into_iter();
                tags.filter(move |tag| with_own || Some(tag) != own.as_ref())
            })
            .collect();
        tags.into_iter().collect()
    }

    /// Records that a value cannot be serialised. Such a commit is never written.
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
