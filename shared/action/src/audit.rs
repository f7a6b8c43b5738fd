//! The audit record, which a transaction writes besides what the action asked for.

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
        Operation::Put {
            key: Key::record("audit", self.subject.tenant.as_str(), &id),
            item,
            expect: Expect::Absent,
            conflict: None,
        }
    }
}
