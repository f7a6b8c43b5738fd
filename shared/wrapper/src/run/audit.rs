//! The audit record, which a transaction writes besides what the action asked for, and the entry
//! of its entity's timeline.

use crate::http::request::RequestInfo;
use crate::http::trust::Trust;
use crate::run::chain::{Link, audit_hash};
use action::{Expect, Key, Operation, Role, Subject, UserId};
use jiff::Timestamp;
use lambda_http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// How much of a browser's name for itself is kept, in characters.
const USER_AGENT: usize = 200;

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";

/// One audit record, as stored under `#audit:{tenant}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord {
    /// Which one: a UUIDv7, so that they sort by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What was done: the action's name.
    pub action: String,
    /// How it ended: `ok`.
    pub outcome: String,
    /// The kind of thing that it was done to.
    pub resource: String,
    /// Which one.
    pub subject_id: String,
    /// Who did it.
    pub user_id: Option<UserId>,
    /// In which role of the subject's organisation.
    pub role: Option<Role>,
    /// From which address.
    pub ip: String,
    /// With which program, as it names itself.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The request's id, as in the log.
    pub request_id: String,
    /// The input, without its secrets.
    pub input: Value,
    /// The hash of the record before it of the same entity.
    #[serde(default)]
    pub previous: Option<String>,
    /// The key of the item that holds this record's hash as its head, as long as it is the newest
    /// of its entity; none where the entity is gone for good, or there is none.
    #[serde(default)]
    pub head: Option<(String, String)>,
    /// Its own hash; none where its subject is no entity.
    #[serde(default)]
    pub hash: Option<String>,
}

/// Who did what, from where.
pub(crate) struct AuditEntry<'a> {
    pub(crate) action: &'static str,
    pub(crate) subject: &'a Subject,
    /// Who did it, and in which role, in the subject's organisation.
    pub(crate) user: Option<(&'a UserId, Role)>,
    pub(crate) trust: &'a Trust,
    pub(crate) request: &'a Request,
    /// The input as serialised, which redacts secrets.
    pub(crate) input: Value,
    /// The fields that are secret whatever their types do.
    pub(crate) secrets: &'a [&'a str],
    pub(crate) at: Timestamp,
}

/// The writes of an entry.
pub(crate) struct AuditWrites {
    /// The audit record, and the timeline's entry where there is one.
    pub(crate) operations: Vec<Operation>,
    /// The record's hash.
    pub(crate) hash: Option<String>,
}

impl AuditEntry<'_> {
    /// The write of the audit record, as the next in its entity's chain, and of the entity's
    /// timeline; without a link of the record alone.
    pub(crate) fn write(self, link: Option<&Link>) -> AuditWrites {
        let id = Uuid::now_v7().to_string();
        let key = Key::record("audit", self.subject.tenant.as_str(), &id);
        let timeline = link.map(|_| self.timeline(&id));
        let mut item = json!(self.record(&id, link));
        let hash = match (&mut item, link) {
            (Value::Object(item), Some(_)) => {
                let hash = audit_hash(&key, item);
                item.insert("hash".to_owned(), json!(hash));
                Some(hash)
            }
            _ => None,
        };
        let operations = [put(key, item)].into_iter().chain(timeline).collect();
        AuditWrites { operations, hash }
    }

    fn record(self, id: &str, link: Option<&Link>) -> AuditRecord {
        let (user_id, role) = self.user.unzip();
        let user_agent = self.request.header("user-agent");
        let head = link.and_then(|link| link.head.clone());
        AuditRecord {
            id: id.to_owned(),
            at: self.at,
            action: self.action.to_owned(),
            outcome: "ok".to_owned(),
            resource: self.subject.resource.to_owned(),
            subject_id: self.subject.id.clone(),
            user_id: user_id.cloned(),
            role,
            ip: self.trust.address.clone(),
            user_agent: user_agent.map(|text| text.chars().take(USER_AGENT).collect()),
            request_id: self.request.id().to_owned(),
            input: redacted(self.input, self.secrets),
            previous: link.and_then(|link| link.previous.clone()),
            head: head.map(Key::into_parts),
            hash: None,
        }
    }

    /// What the entity's own history says of it.
    fn timeline(&self, id: &str) -> Operation {
        let Subject {
            tenant,
            resource,
            id: subject,
        } = self.subject;
        let name = format!("{tenant}:{resource}:{subject}");
        let item = json!({
            "id": id, "at": self.at, "action": self.action, "userId": self.user.map(|(user, _)| user),
        });
        put(Key::record("timeline", &name, id), item)
    }
}

fn put(key: Key, item: Value) -> Operation {
    Operation::Put {
        key,
        item,
        expect: Expect::Absent,
        conflict: None,
    }
}

/// The input without the fields that are secret, at any depth.
fn redacted(input: Value, secrets: &[&str]) -> Value {
    match input {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let kept = match secrets.contains(&name.as_str()) && !value.is_null() {
                    true => REDACTED.into(),
                    false => redacted(value, secrets),
                };
                (name, kept)
            })
            .collect(),
        Value::Array(list) => list
            .into_iter()
            .map(|value| redacted(value, secrets))
            .collect(),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_secret_is_redacted_wherever_it_is() {
        let input = json!({ "name": "Ada", "password": "p", "more": [{ "password": { "x": 1 } }] });
        assert_eq!(
            redacted(input, &["password"]),
            json!({
                "name": "Ada", "password": "[redacted]", "more": [{ "password": "[redacted]" }],
            })
        );
    }
}
