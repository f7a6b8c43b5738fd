//! What a transaction writes besides what the action asked for: the audit record and the outbox
//! record.

use crate::trust::Trust;
use commit::{Actor, Expect, Key, Operation, Subject, UserId};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// Who did what, from where.
pub(crate) struct Entry<'a> {
    pub(crate) action: &'static str,
    pub(crate) subject: &'a Subject,
    /// Who was signed in, or signs in by this.
    pub(crate) user: Option<&'a UserId>,
    pub(crate) actor: Option<&'a Actor>,
    pub(crate) trust: &'a Trust,
    pub(crate) request_id: &'a str,
    /// The input as serialised, which redacts secrets.
    pub(crate) input: Value,
    pub(crate) at: Timestamp,
}

impl Entry<'_> {
    /// The write of the audit record.
    pub(crate) fn operation(&self) -> Operation {
        let id = Uuid::now_v7().to_string();
        let item = json!({
            "id": id,
            "at": self.at,
            "action": self.action,
            "outcome": "ok",
            "resource": self.subject.resource,
            "subjectId": self.subject.id,
            "userId": self.actor.map(|actor| &actor.user).or(self.user),
            "role": self.actor.map(|actor| actor.role),
            "ip": self.trust.address,
            "requestId": self.request_id,
            "input": self.input,
        });
        put(
            Key::record("audit", self.subject.tenant.as_str(), &id),
            item,
        )
    }
}

/// The write of the outbox record: the tags that must be revalidated. Spread over 16 keys by the
/// random end of its id.
pub(crate) fn outbox(tags: &[String], at: Timestamp) -> (Key, Operation) {
    let id = Uuid::now_v7().to_string();
    let shard = &id[id.len() - 1..];
    let key = Key::record("outbox", shard, &id);
    let item = json!({ "id": id, "tags": tags, "createdAt": at });
    (key.clone(), put(key, item))
}

fn put(key: Key, item: Value) -> Operation {
    Operation::Put {
        key,
        item,
        expect: Expect::Absent,
        conflict: None,
    }
}
