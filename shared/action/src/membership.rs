//! What the wrapper needs to know of a stored membership and of a stored organisation. The domain
//! stores more in them.

use crate::{Item, Role, stored};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A stored membership, at [`Key::membership`](crate::Key::membership).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MembershipRecord {
    role: Role,
    /// Absent in memberships that were written before there were invitations.
    #[serde(default, deserialize_with = "stored::or_default")]
    status: Option<String>,
    /// The user's name, if it can be read.
    #[serde(default, deserialize_with = "stored::or_default")]
    pub name: Option<String>,
    /// The user's email, if it can be read.
    #[serde(default, deserialize_with = "stored::or_default")]
    pub email: Option<String>,
    /// When the user joined; `None` if that cannot be read.
    #[serde(default, rename = "createdAt", deserialize_with = "stored::or_default")]
    pub joined_at: Option<Timestamp>,
    /// The attributes as stored that decide whether a session is live.
    #[serde(skip)]
    decisive: Item,
}

impl MembershipRecord {
    /// The attributes that decide whether a session is live, and with which role.
    const DECISIVE: [&str; 3] = ["role", "status", "createdAt"];

    /// The membership in this item; `None` if it has no readable role.
    #[must_use]
    pub fn read(item: &Item) -> Option<Self> {
        let record: Self = stored::read(item)?;
        let attributes = item.iter();
        let decisive = attributes.filter(|(name, _)| Self::DECISIVE.contains(&name.as_str()));
        Some(Self {
            decisive: decisive
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            ..record
        })
    }

    /// The attributes that decide, as they were stored; `None` for one that is missing. As long as they
    /// stay, the membership gives the same role since the same time. The name may change.
    #[must_use]
    pub fn decisive(&self) -> BTreeMap<&'static str, Option<Value>> {
        let value = |name| (name, self.decisive.get(name).cloned());
        Self::DECISIVE.map(value).into()
    }

    /// The user's role. `None` if the user is only invited, and so not a member yet.
    #[must_use]
    pub fn active_role(&self) -> Option<Role> {
        let status = self.status.as_deref();
        status
            .is_none_or(|status| status == "active")
            .then_some(self.role)
    }
}

/// A stored organisation, at [`Key::tenant`](crate::Key::tenant).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct TenantRecord {
    /// The name of the organisation, if it can be read.
    #[serde(default, deserialize_with = "stored::or_default")]
    pub name: Option<String>,
}

impl TenantRecord {
    /// The organisation in this item.
    #[must_use]
    pub fn read(item: &Item) -> Self {
        stored::read(item).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(item: &Value) -> Option<MembershipRecord> {
        MembershipRecord::read(item.as_object().unwrap())
    }

    #[test]
    fn a_membership_without_a_status_is_active() {
        for (status, role) in [
            (json!("active"), Some(Role::Admin)),
            (json!(null), Some(Role::Admin)),
            (json!(1), Some(Role::Admin)),
            (json!("invited"), None),
            (json!(""), None),
        ] {
            let item = json!({ "role": "admin", "status": status });
            assert_eq!(read(&item).unwrap().active_role(), role, "{item}");
        }
        let item = json!({ "role": "admin" });
        assert_eq!(read(&item).unwrap().active_role(), Some(Role::Admin));
    }

    #[test]
    fn a_membership_without_a_known_role_is_none() {
        for item in [json!({}), json!({ "role": "king" }), json!({ "role": 1 })] {
            assert_eq!(read(&item), None, "{item}");
        }
    }

    #[test]
    fn an_unreadable_time_of_joining_is_unknown() {
        let joined = |created_at: Value| {
            read(&json!({ "role": "viewer", "createdAt": created_at }))
                .unwrap()
                .joined_at
        };
        assert!(joined(json!("2026-01-01T00:00:00Z")).is_some());
        assert_eq!(joined(json!("yesterday")), None);
        assert_eq!(joined(json!(1)), None);
    }

    #[test]
    fn what_decides_is_kept_as_it_was_stored() {
        let item = json!({ "role": "admin", "status": 1, "name": "Ada", "version": 3 });
        let decisive = [
            ("createdAt", None),
            ("role", Some(json!("admin"))),
            ("status", Some(json!(1))),
        ];
        assert_eq!(read(&item).unwrap().decisive(), decisive.into());
    }

    #[test]
    fn an_organisation_may_have_no_readable_name() {
        for (item, name) in [
            (json!({ "name": "Acme" }), Some("Acme")),
            (json!({ "name": 1 }), None),
            (json!({}), None),
        ] {
            let record = TenantRecord::read(item.as_object().unwrap());
            assert_eq!(record.name.as_deref(), name, "{item}");
        }
    }
}
