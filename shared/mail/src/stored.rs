//! The stored form of an email: the record that a commit writes and `deliver-mail` sends.

use action::{EmailMessage, Expect, Key, Operation, TenantId, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The delay before the first retry, in milliseconds: longer than one call to SES may take.
const FIRST_DELAY: i64 = 10_000;

/// The longest delay between two attempts, in milliseconds.
const LONGEST_DELAY: i64 = 900_000;

/// An email in the table, waiting to be sent. It holds no secret: the link's token is sealed when
/// the email is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredEmail {
    /// The id: a UUID of version 7.
    pub id: String,
    /// The organisation that sends it. `None` if none does.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The recipient's address. `None` if the email must never be sent.
    pub to: Option<String>,
    /// The name of its template.
    pub template: String,
    /// The values for the template.
    pub values: BTreeMap<String, String>,
    /// The path of the page that its link leads to.
    pub path: String,
    /// The purpose that the link's token is sealed for.
    pub purpose: String,
    /// The text in the link's token.
    pub token: String,
    /// The origin of the link: `scheme://host[:port]`. `None` if the function did not know it.
    pub origin: Option<String>,
    /// The number of attempts so far.
    pub attempts: u32,
    /// When the next attempt is due, in milliseconds since 1970.
    pub due_at: i64,
    /// The record's version: each attempt writes the next.
    pub version: Version,
}

impl StoredEmail {
    /// The record for a new email from this organisation, due at once. `now` is in milliseconds since
    /// 1970.
    #[must_use]
    pub fn new(
        email: &EmailMessage,
        tenant: Option<&TenantId>,
        origin: Option<&str>,
        now: i64,
    ) -> Self {
        let values = email.values.iter();
        Self {
            id: Uuid::now_v7().to_string(),
            tenant: tenant.map(ToString::to_string),
            to: email.to.clone(),
            template: email.template.to_owned(),
            values: values
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            path: email.path.clone(),
            purpose: email.purpose.to_owned(),
            token: email.token.clone(),
            origin: origin.map(str::to_owned),
            attempts: 0,
            due_at: now,
            version: Version::FIRST,
        }
    }

    /// Parses a stored item.
    ///
    /// # Errors
    /// What is wrong with the item.
    pub fn from_item(item: Map<String, Value>) -> Result<Self, serde_json::Error> {
        serde_json::from_value(Value::Object(item))
    }

    /// Where the record is stored: in one of 16 partitions, by the last digit of its id, sorted by
    /// when it is due.
    #[must_use]
    pub fn key(&self) -> Key {
        let shard: String = self.id.chars().next_back().into_iter().collect();
        Key::record("mail", &shard, &format!("{:013}:{}", self.due_at, self.id))
    }

    /// The write of this record as a new item.
    #[must_use]
    pub fn put(&self) -> Operation {
        Operation::Put {
            key: self.key(),
            item: json!(self),
            expect: Expect::Absent,
            conflict: None,
        }
    }

    /// The same email after one more attempt, due again after a delay that doubles each time.
    #[must_use]
    pub fn after_attempt(&self, now: i64) -> Self {
        let delay = LONGEST_DELAY.min(FIRST_DELAY << self.attempts.min(16));
        Self {
            attempts: self.attempts.saturating_add(1),
            due_at: now + delay,
            version: self.version.next(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn email(to: Option<&str>) -> EmailMessage {
        EmailMessage {
            to: to.map(str::to_owned),
            template: "invite",
            values: BTreeMap::from([("name", "Ada".to_owned())]),
            path: "/accept-invite".to_owned(),
            purpose: "invite",
            token: "t".to_owned(),
        }
    }

    fn item(stored: &StoredEmail) -> Map<String, Value> {
        match stored.put() {
            Operation::Put {
                item: Value::Object(item),
                ..
            } => item,
            other => panic!("not a put of an object: {other:?}"),
        }
    }

    #[test]
    fn a_stored_email_reads_back_as_written() {
        for stored in [
            StoredEmail::new(
                &email(Some("ada@example.com")),
                TenantId::parse("acme").ok().as_ref(),
                Some("https://a.test"),
                NOW,
            ),
            StoredEmail::new(&email(None), None, None, NOW),
        ] {
            assert_eq!(StoredEmail::from_item(item(&stored)).unwrap(), stored);
        }
    }

    #[test]
    fn the_attribute_names_in_the_table_are_fixed() {
        let stored = StoredEmail {
            id: "0a".to_owned(),
            ..StoredEmail::new(&email(Some("ada@example.com")), None, None, NOW)
        };
        assert_eq!(
            Value::Object(item(&stored)),
            json!({
                "id": "0a", "tenant": null, "to": "ada@example.com", "template": "invite",
                "values": { "name": "Ada" }, "path": "/accept-invite", "purpose": "invite",
                "token": "t", "origin": null, "attempts": 0, "dueAt": NOW, "version": 1,
            })
        );
        assert_eq!(stored.key().parts(), ("#mail:a", "1800000000000:0a"));
    }

    #[test]
    fn the_delay_doubles_up_to_a_quarter_of_an_hour() {
        let mut stored = StoredEmail::new(&email(None), None, None, NOW);
        let mut delays = Vec::new();
        for _ in 0..9 {
            stored = stored.after_attempt(NOW);
            delays.push((stored.due_at - NOW) / 1000);
        }
        assert_eq!(delays, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!((stored.attempts, stored.version.get()), (9, 10));
    }
}
