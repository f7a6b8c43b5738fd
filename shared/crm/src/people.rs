//! The people of an organisation by name, for pages that say who did something.

use crate::Member;
use commit::{Found, Key, Query, TenantId, UserId};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many people of an organisation are read for their names.
const MOST: usize = 1000;

/// What is said of somebody who does not belong to the organisation any more.
const FORMER: &str = "a former member";

/// What is said of somebody whose name was not read.
const UNKNOWN: &str = "somebody";

/// The names of the people of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    names: BTreeMap<String, String>,
}

impl People {
    /// The read of them: one range.
    #[must_use]
    pub fn query(tenant: &TenantId) -> Query {
        Query::newest::<Member>(tenant, MOST)
    }

    /// Those that the read has found.
    #[must_use]
    pub fn found(found: &Found, tenant: &TenantId) -> Self {
        let members = found.ranges.get(&Key::collection::<Member>(tenant));
        let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
        let names = members
            .into_iter()
            .flatten()
            .filter_map(|item| Some((text(item.get("id"))?, text(item.get("name"))?)))
            .collect();
        Self { names }
    }

    /// The person's name; none where they do not belong to the organisation, or it was not read.
    #[must_use]
    pub fn name(&self, user: &UserId) -> Option<&str> {
        self.names.get(user.as_str()).map(String::as_str)
    }

    /// What to call the person, whoever it is.
    #[must_use]
    pub fn call(&self, user: Option<&UserId>) -> &str {
        let Some(user) = user else { return UNKNOWN };
        self.name(user).unwrap_or(if self.names.len() < MOST {
            FORMER
        } else {
            UNKNOWN
        })
    }

    /// Everybody's id and name, by name.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<_> = self
            .names
            .iter()
            .map(|(id, name)| (id.as_str(), name.as_str()))
            .collect();
        all.sort_by_key(|(_, name)| name.to_lowercase());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_is_gone_is_a_former_member() {
        let tenant = TenantId::parse("acme").unwrap();
        let [ada, bob]: [UserId; 2] = [(); 2].map(|()| uuid::Uuid::now_v7().into());
        let member = json!({ "id": ada, "name": "Ada" });
        let mut found = Found::default();
        found.ranges.insert(
            "acme:members".to_owned(),
            vec![member.as_object().unwrap().clone(), Default::default()],
        );
        let people = People::found(&found, &tenant);
        assert_eq!(people.call(Some(&ada)), "Ada");
        assert_eq!(people.call(Some(&bob)), FORMER);
        assert_eq!(people.call(None), UNKNOWN);
    }
}
