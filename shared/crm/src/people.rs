//! The people of an organisation by name, for pages that say who did something.

use crate::Member;
use commit::{Commit, Entity, Found, Item, Key, Query, Reads, TenantId, UserId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many people of an organisation, and how many who have left it, are read for their names.
const MOST: usize = 1000;

/// The kind of record that keeps the name of somebody who has left.
const FORMER: &str = "former";

/// What is said of somebody who does not belong to the organisation, and whose name is not kept.
const NAMELESS: &str = "a former member";

/// What is said of somebody whose name was not read.
const UNKNOWN: &str = "somebody";

/// The names of the people of an organisation, and of those who have left it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    names: BTreeMap<String, String>,
    former: BTreeMap<String, String>,
    /// Whether there may be others.
    more: bool,
}

impl People {
    /// The read of those who belong to it.
    #[must_use]
    pub fn query(tenant: &TenantId) -> Query {
        Query::newest::<Member>(tenant, MOST)
    }

    /// The read of those who have left it.
    #[must_use]
    pub fn former(tenant: &TenantId) -> Query {
        Query::records(FORMER, tenant.as_str(), MOST)
    }

    /// The reads of those among `users` whom the read of the others has not found.
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

    /// Those that the reads have found.
    #[must_use]
    pub fn found(found: &Found, tenant: &TenantId) -> Self {
        let (kept, _) = Key::record(FORMER, tenant.as_str(), "").into_parts();
        let range = |pk: &str| found.ranges.get(pk).map(Vec::as_slice).unwrap_or_default();
        let (members, left) = (range(&Key::collection::<Member>(tenant)), range(&kept));
        let one_by_one = found.items.iter().filter(|(key, _)| key.parts().0 == kept);
        let names = names(members);
        let mut former = self::names(left.iter().chain(one_by_one.map(|(_, item)| item)));
        former.retain(|id, _| !names.contains_key(id));
        Self {
            more: members.len() >= MOST || left.len() >= MOST,
            names,
            former,
        }
    }

    /// Keeps the name of a member who leaves, so that the audit still says who they were.
    #[must_use]
    pub fn keep_name<T>(commit: Commit<T>, tenant: &TenantId, member: &Member) -> Commit<T> {
        let (id, Some(name)) = (member.id(), &member.name) else {
            return commit;
        };
        let key = Key::record(FORMER, tenant.as_str(), id);
        commit.overwrite(key, &json!({ "id": id, "name": name }))
    }

    /// The person's name, or the one they had when they left; none where there is none or it was
    /// not read.
    #[must_use]
    pub fn name(&self, user: &UserId) -> Option<&str> {
        let id = user.as_str();
        let name = self.names.get(id).or_else(|| self.former.get(id));
        name.map(String::as_str)
    }

    /// What to call the person, whoever it is.
    #[must_use]
    pub fn call(&self, user: Option<&UserId>) -> String {
        let known = |user: &UserId| {
            let name = self.names.get(user.as_str()).cloned();
            name.or_else(|| self.former.get(user.as_str()).map(|name| has_left(name)))
        };
        let unknown = match user {
            Some(_) if !self.more => NAMELESS,
            _ => UNKNOWN,
        };
        user.and_then(known).unwrap_or_else(|| unknown.to_owned())
    }

    /// Everybody's id and what to call them, by name, and behind them those who have left.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&str, String)> {
        let members = self.names.iter().map(|(id, name)| (id, name.clone()));
        let former = self.former.iter().map(|(id, name)| (id, has_left(name)));
        let sorted = |people: &mut Vec<(&String, String)>| {
            people.sort_by_key(|(_, name)| name.to_lowercase());
        };
        let (mut members, mut former): (Vec<_>, Vec<_>) = (members.collect(), former.collect());
        sorted(&mut members);
        sorted(&mut former);
        let all = members.into_iter().chain(former);
        all.map(|(id, name)| (id.as_str(), name)).collect()
    }
}

/// What somebody of this name is called who has left.
fn has_left(name: &str) -> String {
    format!("{name} (former member)")
}

/// Ids and names. Who is invited has no name yet.
fn names<'a>(items: impl IntoIterator<Item = &'a Item>) -> BTreeMap<String, String> {
    let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
    let pair = |item: &Item| Some((text(item.get("id"))?, text(item.get("name"))?));
    items.into_iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(value: &Value) -> Item {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn who_is_gone_keeps_the_name_until_they_come_back() {
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
        let mut people = People::found(&found, &tenant);
        assert_eq!(people.call(Some(&ada)), "Ada");
        assert_eq!(people.call(Some(&bob)), "Bob (former member)");
        assert_eq!(people.name(&bob), Some("Bob"));
        assert_eq!(people.call(Some(&eve)), NAMELESS);
        assert_eq!(people.call(None), UNKNOWN);
        let listed = [
            (ada.as_str(), "Ada".to_owned()),
            (bob.as_str(), "Bob (former member)".to_owned()),
        ];
        assert_eq!(people.by_name(), listed);
        people.more = true;
        assert_eq!(people.call(Some(&eve)), UNKNOWN);
    }
}
