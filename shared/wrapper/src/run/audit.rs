//! The audit record that each transaction also writes, and the entry in the timeline of the entity.

use crate::http::request::RequestInfo;
use crate::http::trust::Trust;
use crate::run::chain::{Link, audit_hash};
use action::{Expect, Key, Operation, Role, Subject, UserId};
use jiff::Timestamp;
use lambda_http::Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// The longest `User-Agent` that is stored, in characters.
const USER_AGENT: usize = 200;

/// What replaces a secret.
const REDACTED: &str = "[redacted]";

/// An audit record, as stored under `#audit:{tenant}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord {
    /// Its id: a UUIDv7, so that records sort by time.
    pub id: String,
    /// The time of the action.
    pub at: Timestamp,
    /// The name of the action.
    pub action: String,
    /// The outcome: `ok`.
    pub outcome: String,
    /// The kind of the subject, such as `contacts`.
    pub resource: String,
    /// The id of the subject.
    pub subject_id: String,
    /// The user.
    pub user_id: Option<UserId>,
    /// The user's name at the time; `null` if it is not known.
    #[serde(default)]
    pub user_name: Option<String>,
    /// The user's email at the time; `null` if it is not known.
    #[serde(default)]
    pub user_email: Option<String>,
    /// The user's role in the subject's organisation.
    pub role: Option<Role>,
    /// The IP address of the client; the /64 of an IPv6 address.
    pub ip: String,
    /// The `User-Agent` of the client.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The id of the request, as in the log.
    pub request_id: String,
    /// The input, without its secrets.
    pub input: Value,
    /// The hash of the entity's previous record.
    #[serde(default)]
    pub previous: Option<String>,
    /// The key of the item that has this record's hash as its head, as long as this is the entity's
    /// newest record. `None` if the entity was deleted for good, or if the subject is not an entity.
    #[serde(default)]
    pub head: Option<(String, String)>,
    /// The hash of this record; `None` if the subject is not an entity.
    #[serde(default)]
    pub hash: Option<String>,
}

/// The user of an audit record, as of its time.
#[derive(Debug, Clone)]
pub(crate) struct AuditUser {
    pub(crate) id: UserId,
    /// The role in the subject's organisation.
    pub(crate) role: Role,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

/// What an audit record is made from.
#[derive(Clone)]
pub(crate) struct AuditEntry<'a> {
    pub(crate) action: &'static str,
    pub(crate) subject: &'a Subject,
    pub(crate) user: Option<AuditUser>,
    pub(crate) trust: &'a Trust,
    pub(crate) request: &'a Request,
    /// The serialised input. Types that are secret serialise as a fixed text.
    pub(crate) input: Value,
    /// The fields that are redacted whatever their types.
    pub(crate) secrets: &'a [&'a str],
    pub(crate) at: Timestamp,
}

/// The writes of an audit entry.
pub(crate) struct AuditWrites {
    /// The audit record, and the entry in the timeline if there is one.
    pub(crate) operations: Vec<Operation>,
    /// The hash of the audit record, if it is in a chain.
    pub(crate) hash: Option<String>,
}

impl AuditEntry<'_> {
    /// Writes the audit record. With a link, the record continues the entity's chain, and the entity's
    /// timeline gets an entry too.
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
        let user = self.user.as_ref();
        let user_agent = self.request.header("user-agent");
        let head = link.and_then(|link| link.head.clone());
        AuditRecord {
            id: id.to_owned(),
            at: self.at,
            action: self.action.to_owned(),
            outcome: "ok".to_owned(),
            resource: self.subject.resource.to_owned(),
            subject_id: self.subject.id.clone(),
            user_id: user.map(|user| user.id.clone()),
            user_name: user.and_then(|user| user.name.clone()),
            user_email: user.and_then(|user| user.email.clone()),
            role: user.map(|user| user.role),
            ip: self.trust.address.clone(),
            user_agent: user_agent.map(|text| text.chars().take(USER_AGENT).collect()),
            request_id: self.request.id().to_owned(),
            input: redacted(self.input, self.secrets),
            previous: link.and_then(|link| link.previous.clone()),
            head: head.map(Key::into_parts),
            hash: None,
        }
    }

    /// The entry in the entity's timeline.
    fn timeline(&self, id: &str) -> Operation {
        let Subject {
            tenant,
            resource,
            id: subject,
        } = self.subject;
        let name = format!("{tenant}:{resource}:{subject}");
        let user = self.user.as_ref();
        let item = json!({
            "id": id, "at": self.at, "action": self.action,
            "userId": user.map(|user| &user.id),
            "userName": user.map(|user| &user.name), "userEmail": user.map(|user| &user.email),
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

/// Replaces the secret fields of the input, at any depth.
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
    fn a_secret_field_is_redacted_at_any_depth() {
        let input = json!({ "name": "Ada", "password": "p", "more": [{ "password": { "x": 1 } }] });
        assert_eq!(
            redacted(input, &["password"]),
            json!({
                "name": "Ada", "password": "[redacted]", "more": [{ "password": "[redacted]" }],
            })
        );
    }
}
