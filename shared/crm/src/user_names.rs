//! The names of an organisation's users, for pages that say who did something.

use crate::Member;
use action::{Commit, Entity, Found, Item, Key, Query, Reads, TenantId, UserId};
use serde_json::json;
use std::collections::BTreeMap;

/// The most members, and the most former members, whose names are read.
const MAX_NAMES: usize = 1000;

/// The kind of record that keeps the name of a former member.
const FORMER: &str = "former";

/// Shown for a user who is not a member and whose name is not kept.
const UNKNOWN_FORMER_MEMBER: &str = "a former member";

/// Shown for a user whose name was not read.
const UNKNOWN_USER: &str = "somebody";

/// The names of the members of an organisation, and of its former members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserNames {
    known: BTreeMap<String, KnownUser>,
    /// Whether there may be users whose names were not read.
    is_incomplete: bool,
}

/// A user whose name is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownUser {
    name: String,
    has_left: bool,
}

impl KnownUser {
    fn display_name(&self) -> String {
        match self.has_left {
            true => format!("{} (former member)", self.name),
            false => self.name.clone(),
        }
    }
}

impl UserNames {
    /// The read of the members.
    #[must_use]
    pub fn members_query(tenant: &TenantId) -> Query {
        Query::newest::<Member>(tenant, MAX_NAMES)
    }

    /// The read of the former members.
    #[must_use]
    pub fn former_members_query(tenant: &TenantId) -> Query {
        Query::records(FORMER, tenant.as_str(), MAX_NAMES)
    }

    /// The reads of those `users` whose names have not been read yet.
    #[must_use]
    pub fn more_reads<'a>(
        &self,
        tenant: &TenantId,
        users: impl IntoIterator<Item = &'a UserId>,
    ) -> Reads {
        let missing = users.into_iter().filter(|user| self.name(user).is_none());
        missing.fold(Reads::none(), |reads, user| {
            reads.item(Key::record(FORMER, tenant.as_str(), user.as_str()))
        })
    }

    /// The names that were read.
    #[must_use]
    pub fn from_found(found: &Found, tenant: &TenantId) -> Self {
        let (former_pk, _) = Key::record(FORMER, tenant.as_str(), "").into_parts();
        let range = |pk: &str| found.ranges.get(pk).map(Vec::as_slice).unwrap_or_default();
        let (members, former) = (range(&Key::collection::<Member>(tenant)), range(&former_pk));
        let single = found
            .items
            .iter()
            .filter(|(key, _)| key.parts().0 == former_pk);
        let former_items = former.iter().chain(single.map(|(_, item)| item));
        // A user who has come back is a member again: members come last and replace the entry.
        let known = former_items
            .filter_map(|item| known_user(item, true))
            .chain(members.iter().filter_map(|item| known_user(item, false)));
        Self {
            known: known.collect(),
            is_incomplete: members.len() >= MAX_NAMES || former.len() >= MAX_NAMES,
        }
    }

    /// Keeps the name of a member who leaves, so that the audit can still show it.
    #[must_use]
    pub fn keep_name<T>(commit: Commit<T>, tenant: &TenantId, member: &Member) -> Commit<T> {
        let (id, Some(name)) = (member.id(), &member.name) else {
            return commit;
        };
        let key = Key::record(FORMER, tenant.as_str(), id);
        commit.overwrite(key, &json!({ "id": id, "name": name }))
    }

    /// The user's name, or the one they had when they left; `None` if there is none or it was not
    /// read.
    #[must_use]
    pub fn name(&self, user: &UserId) -> Option<&str> {
        let known = self.known.get(user.as_str());
        known.map(|known| known.name.as_str())
    }

    /// The text to show for this user; never empty.
    #[must_use]
    pub fn display_name(&self, user: Option<&UserId>) -> String {
        let unknown = match user {
            Some(_) if !self.is_incomplete => UNKNOWN_FORMER_MEMBER,
            _ => UNKNOWN_USER,
        };
        user.and_then(|user| self.known.get(user.as_str()))
            .map_or_else(|| unknown.to_owned(), KnownUser::display_name)
    }

    /// All users as id and text to show, sorted by name, former members last.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, String)> {
        let mut all: Vec<_> = self.known.iter().collect();
        all.sort_by_key(|(_, known)| (known.has_left, known.name.to_lowercase()));
        all.into_iter()
            .map(|(id, known)| (id.as_str(), known.display_name()))
            .collect()
    }
}

/// The id and the name in a stored item; `None` for an invited user, who has no name yet.
fn known_user(item: &Item, has_left: bool) -> Option<(String, KnownUser)> {
    let text = |name: &str| Some(item.get(name)?.as_str()?.to_owned());
    let name = text("name")?;
    Some((text("id")?, KnownUser { name, has_left }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn item(value: &Value) -> Item {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_former_member_keeps_the_name_until_they_come_back() {
        let tenant = TenantId::parse("acme").unwrap();
        let [ada, bob, eve]: [UserId; 3] = [(); 3].map(|()| uuid::Uuid::now_v7().into());
        let mut found = Found::default();
        found.ranges.insert(
            "acme:members".to_owned(),
            vec![item(&json!({ "id": ada, "name": "Ada" })), Item::new()],
        );
        found.ranges.insert(
            "#former:acme".to_owned(),
            vec![
                item(&json!({ "id": ada, "name": "Ada B." })),
                item(&json!({ "id": bob, "name": "Bob" })),
            ],
        );
        let mut names = UserNames::from_found(&found, &tenant);
        assert_eq!(names.display_name(Some(&ada)), "Ada");
        assert_eq!(names.display_name(Some(&bob)), "Bob (former member)");
        assert_eq!(names.name(&bob), Some("Bob"));
        assert_eq!(names.display_name(Some(&eve)), UNKNOWN_FORMER_MEMBER);
        assert_eq!(names.display_name(None), UNKNOWN_USER);
        let listed = [
            (ada.as_str(), "Ada".to_owned()),
            (bob.as_str(), "Bob (former member)".to_owned()),
        ];
        assert_eq!(names.sorted(), listed);
        names.is_incomplete = true;
        assert_eq!(names.display_name(Some(&eve)), UNKNOWN_USER);
    }
}
