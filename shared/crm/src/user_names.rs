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
    email: Option<String>,
    has_left: bool,
}

/// A user as a record of the past names them.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordedUser<'a> {
    /// The user's id.
    pub id: Option<&'a UserId>,
    /// The user's name at the time.
    pub name: Option<&'a str>,
    /// The user's email at the time.
    pub email: Option<&'a str>,
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
        let former = json!({ "id": id, "name": name, "email": member.email });
        commit.overwrite(key, &former)
    }

    /// The user's name, or the one they had when they left; `None` if there is none or it was not
    /// read.
    #[must_use]
    pub fn name(&self, user: &UserId) -> Option<&str> {
        let known = self.known.get(user.as_str());
        known.map(|known| known.name.as_str())
    }

    /// The text to show for this user; never empty. It is the name of the time of the record, so that
    /// nobody is blamed for what another user did under the same name later. If another user has this
    /// name, the email tells them apart.
    #[must_use]
    pub fn display_name(&self, user: RecordedUser<'_>) -> String {
        let known = user.id.and_then(|id| self.known.get(id.as_str()));
        let name = user.name.or(known.map(|known| known.name.as_str()));
        let Some(name) = name else {
            return match user.id {
                Some(_) if !self.is_incomplete => UNKNOWN_FORMER_MEMBER.to_owned(),
                _ => UNKNOWN_USER.to_owned(),
            };
        };
        let known_email = known.and_then(|known| known.email.as_deref());
        let email = user.email.or(known_email);
        let email = email.filter(|_| self.is_shared(name, user.id));
        let has_left = known.map_or(!self.is_incomplete, |known| known.has_left);
        with_details(name, email, has_left)
    }

    /// Whether a user with another id has this name, whatever its case.
    fn is_shared(&self, name: &str, id: Option<&UserId>) -> bool {
        let own = id.map(UserId::as_str);
        let mut others = self
            .known
            .iter()
            .filter(|(other, _)| Some(other.as_str()) != own);
        others.any(|(_, other)| crate::fold(&other.name) == crate::fold(name))
    }

    /// All users as id and text to show, sorted by name, former members last.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, String)> {
        let mut all: Vec<_> = self.known.iter().collect();
        all.sort_by_key(|(_, known)| (known.has_left, known.name.to_lowercase()));
        all.into_iter()
            .map(|(id, known)| {
                let user = UserId::parse(id).ok();
                let email = known.email.as_deref();
                let email = email.filter(|_| self.is_shared(&known.name, user.as_ref()));
                (
                    id.as_str(),
                    with_details(&known.name, email, known.has_left),
                )
            })
            .collect()
    }
}

/// The name, with what tells the user apart from others.
fn with_details(name: &str, email: Option<&str>, has_left: bool) -> String {
    let email = email.map(|email| format!(" ({email})")).unwrap_or_default();
    let left = if has_left { " (former member)" } else { "" };
    format!("{name}{email}{left}")
}

/// The id and the name in a stored item; `None` for an invited user, who has no name yet.
fn known_user(item: &Item, has_left: bool) -> Option<(String, KnownUser)> {
    let text = |name: &str| Some(item.get(name)?.as_str()?.to_owned());
    let name = text("name")?;
    let email = text("email");
    let user = KnownUser {
        name,
        email,
        has_left,
    };
    Some((text("id")?, user))
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
        let of = |id| RecordedUser {
            id: Some(id),
            ..RecordedUser::default()
        };
        assert_eq!(names.display_name(of(&ada)), "Ada");
        assert_eq!(names.display_name(of(&bob)), "Bob (former member)");
        assert_eq!(names.name(&bob), Some("Bob"));
        assert_eq!(names.display_name(of(&eve)), UNKNOWN_FORMER_MEMBER);
        assert_eq!(names.display_name(RecordedUser::default()), UNKNOWN_USER);
        let before = RecordedUser {
            name: Some("Ada Byron"),
            ..of(&ada)
        };
        assert_eq!(names.display_name(before), "Ada Byron");
        let listed = [
            (ada.as_str(), "Ada".to_owned()),
            (bob.as_str(), "Bob (former member)".to_owned()),
        ];
        assert_eq!(names.sorted(), listed);
        names.is_incomplete = true;
        assert_eq!(names.display_name(of(&eve)), UNKNOWN_USER);
    }

    #[test]
    fn two_users_of_one_name_are_told_apart_by_their_emails() {
        let tenant = TenantId::parse("acme").unwrap();
        let [ada, eve]: [UserId; 2] = [(); 2].map(|()| uuid::Uuid::now_v7().into());
        let mut found = Found::default();
        found.ranges.insert(
            "acme:members".to_owned(),
            vec![
                item(&json!({ "id": ada, "name": "Ada", "email": "ada@example.com" })),
                item(&json!({ "id": eve, "name": "ADA", "email": "eve@example.com" })),
            ],
        );
        let names = UserNames::from_found(&found, &tenant);
        let shown = |id, name| {
            names.display_name(RecordedUser {
                id: Some(id),
                name,
                email: None,
            })
        };
        assert_eq!(shown(&ada, None), "Ada (ada@example.com)");
        assert_eq!(shown(&eve, None), "ADA (eve@example.com)");
        // What Eve did under her former name.
        assert_eq!(shown(&eve, Some("Eve")), "Eve");
        assert_eq!(names.sorted()[0].1, "Ada (ada@example.com)");
    }
}
