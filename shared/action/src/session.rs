//! Sessions as they are stored.

use crate::{Item, Key, TenantId, UserId, stored};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A session as it is written when it is opened. Its secret is only in the cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The id that users see and send. It says nothing about the secret.
    #[serde(default)]
    pub id: String,
    /// The id of the first session of this browser, if this one was opened over it: by switching the
    /// organisation, joining one, or signing in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<String>,
    /// The hash of the secret: the sort key under which the session is stored.
    #[serde(default)]
    pub hash: String,
    /// The organisation that the session belongs to.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The user's generation when the session was opened. The session is live only while it is still
    /// the user's generation, so one write ends all sessions of a user, however many there are.
    #[serde(default)]
    pub generation: u64,
    /// When it was opened, in seconds since 1970.
    pub created_at: i64,
    /// The address it was opened from; the /64 of an IPv6 address.
    #[serde(default)]
    pub address: Option<String>,
    /// The browser's `User-Agent` when it was opened, shortened.
    #[serde(default)]
    pub agent: Option<String>,
    /// When it ends, in seconds since 1970.
    #[serde(rename = "expires_at")]
    pub expires_at: i64,
}

impl Session {
    /// How long an unused session lives, in seconds: 30 days.
    pub const IDLE: i64 = 30 * 86_400;

    /// The attribute that marks a session as replaced by another: it ends soon, and is not shown.
    pub const REPLACED: &'static str = "replaced";

    /// Where it is stored.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::session(&self.user, &self.hash)
    }

    /// The id of the first of the sessions that this browser opened one over the other. Signing out ends
    /// all of them.
    #[must_use]
    pub fn sign_in(&self) -> &str {
        self.sign_in.as_deref().unwrap_or(&self.id)
    }

    /// When it was last used, in seconds since 1970, to the hour: each use moves its end.
    #[must_use]
    pub fn last_used_at(&self) -> i64 {
        (self.expires_at - Self::IDLE).max(self.created_at)
    }
}

/// A stored session as the wrapper reads it to decide whether it is live. Attributes that do not
/// decide may be missing or unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRecord {
    /// The organisation that the session belongs to.
    pub tenant: TenantId,
    /// When it ends, in seconds since 1970.
    #[serde(rename = "expires_at")]
    pub expires_at: i64,
    /// The user's generation when the session was opened.
    #[serde(default, deserialize_with = "stored::or_default")]
    pub generation: u64,
    /// Whether another session has replaced it: [`Session::REPLACED`].
    #[serde(default, deserialize_with = "stored::is_present")]
    pub replaced: bool,
    #[serde(default, deserialize_with = "stored::or_default")]
    id: Option<String>,
    #[serde(default, deserialize_with = "stored::or_default")]
    sign_in: Option<String>,
    #[serde(default, deserialize_with = "stored::or_default")]
    created_at: Option<i64>,
    /// All attributes as stored, so that a change keeps those that are not read here.
    #[serde(skip)]
    item: Item,
}

impl SessionRecord {
    /// The session in this item; `None` if its organisation or its end cannot be read.
    #[must_use]
    pub fn read(item: &Item) -> Option<Self> {
        let record: Self = stored::read(item)?;
        Some(Self {
            item: item.clone(),
            ..record
        })
    }

    /// The id of the first of the sessions that this browser opened one over the other.
    #[must_use]
    pub fn sign_in(&self) -> Option<&str> {
        self.sign_in.as_deref().or(self.id.as_deref())
    }

    /// When the session was opened, in milliseconds since 1970; `None` if that cannot be read.
    ///
    /// Its id says so, because it is a UUIDv7 (RFC 9562, section 5.7). `createdAt` is the time of the
    /// request, which may have begun seconds earlier. So it is used only if there is no id, and then
    /// counts as the end of its second.
    #[must_use]
    pub fn opened_at(&self) -> Option<i64> {
        let id = self.id.as_deref().and_then(|id| Uuid::parse_str(id).ok());
        let Some(time) = id.and_then(|id| id.get_timestamp()) else {
            return Some(self.created_at? * 1_000 + 999);
        };
        let (seconds, nanos) = time.to_unix();
        Some(i64::try_from(seconds).ok()? * 1_000 + i64::from(nanos / 1_000_000))
    }

    /// The item of the same session in another generation.
    #[must_use]
    pub fn in_generation(&self, generation: u64) -> Value {
        stored::with_changes(&self.item, &Generation { generation })
    }

    /// The item of the same session, replaced by another and ending at `expires_at` or earlier.
    #[must_use]
    pub fn replaced_until(&self, expires_at: i64) -> Value {
        let changes = Replaced {
            expires_at: self.expires_at.min(expires_at),
            replaced: true,
        };
        stored::with_changes(&self.item, &changes)
    }
}

#[derive(Serialize)]
struct Replaced {
    expires_at: i64,
    replaced: bool,
}

/// A user's generation, at [`Key::generation`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// How often all sessions of the user have been ended.
    #[serde(default, deserialize_with = "stored::or_default")]
    pub generation: u64,
}

impl Generation {
    /// The generation in this item. It is 0 until the sessions have been ended for the first time.
    #[must_use]
    pub fn read(item: Option<&Item>) -> Self {
        item.and_then(stored::read).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn session() -> Session {
        Session {
            id: "0197a3b0-0000-7000-8000-00000000000f".to_owned(),
            sign_in: None,
            hash: "hash".to_owned(),
            tenant: TenantId::parse("acme").unwrap(),
            user: UserId::parse("0197a3b0-0000-7000-8000-000000000001").unwrap(),
            generation: 2,
            created_at: 1_800_000_000,
            address: Some("192.0.2.1".to_owned()),
            agent: None,
            expires_at: 1_802_592_000,
        }
    }

    fn read(item: &Value) -> Option<SessionRecord> {
        SessionRecord::read(item.as_object().unwrap())
    }

    #[test]
    fn the_stored_shape_is_fixed() {
        assert_eq!(
            json!(session()),
            json!({
                "id": "0197a3b0-0000-7000-8000-00000000000f", "hash": "hash", "tenant": "acme",
                "user": "0197a3b0-0000-7000-8000-000000000001", "generation": 2,
                "createdAt": 1_800_000_000, "address": "192.0.2.1", "agent": null,
                "expires_at": 1_802_592_000,
            })
        );
    }

    #[test]
    fn a_change_keeps_the_other_attributes() {
        let mut item = json!(session());
        item["other"] = json!([1]);
        let record = read(&item).unwrap();
        let mut moved = item.clone();
        moved["generation"] = json!(3);
        assert_eq!(record.in_generation(3), moved);
        let mut replaced = item.clone();
        replaced["replaced"] = json!(true);
        assert_eq!(record.replaced_until(i64::MAX), replaced);
        replaced["expires_at"] = json!(1_800_000_060);
        assert_eq!(record.replaced_until(1_800_000_060), replaced);
        assert!(read(&replaced).unwrap().replaced && !record.replaced);
    }

    #[test]
    fn only_the_organisation_and_the_end_must_be_readable() {
        let record = read(&json!({ "tenant": "acme", "expires_at": 1 })).unwrap();
        assert_eq!(
            (record.generation, record.replaced, record.opened_at()),
            (0, false, None)
        );
        let unreadable = json!({
            "tenant": "acme", "expires_at": 1, "generation": "many", "replaced": null, "id": 7,
            "createdAt": "then", "user": 1,
        });
        let record = read(&unreadable).unwrap();
        assert_eq!(
            (record.generation, record.replaced, record.opened_at()),
            (0, true, None)
        );
        for item in [
            json!({ "expires_at": 1 }),
            json!({ "tenant": "acme" }),
            json!({ "tenant": "acme", "expires_at": "1" }),
            json!({ "tenant": 1, "expires_at": 1 }),
        ] {
            assert_eq!(read(&item), None, "{item}");
        }
    }

    #[test]
    fn the_id_says_when_a_session_was_opened_and_otherwise_the_end_of_its_second() {
        let mut item = json!(session());
        let opened = |item: &Value| read(item).unwrap().opened_at();
        assert_eq!(opened(&item), Some(0x0197_a3b0_0000));
        item["id"] = json!("junk");
        assert_eq!(opened(&item), Some(1_800_000_000_999));
    }

    #[test]
    fn a_generation_begins_at_zero() {
        let read = |item: Value| Generation::read(item.as_object()).generation;
        assert_eq!(Generation::read(None).generation, 0);
        assert_eq!(read(json!({ "generation": 4 })), 4);
        assert_eq!(read(json!({ "generation": "4" })), 0);
        assert_eq!(
            json!(Generation { generation: 4 }),
            json!({ "generation": 4 })
        );
    }
}
