//! The audit of a whole table: what must hold between the items that are stored, whatever has
//! happened to them.

use crate::Record;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The resources whose emails are unique in an organisation.
const GUARDED: [&str; 2] = ["contacts", "members"];

/// The resources of which every write is audited as being about the entity that it wrote. (A
/// member's name changes in every organisation of theirs, and one of them has the record.)
const VERSIONED: [&str; 2] = ["contacts", "projects"];

/// What ends an entity, or takes it elsewhere, without writing another version of it.
const WITHOUT_VERSION: [&str; 1] = ["delete-contact"];

/// What was counted, and what does not hold.
#[derive(Debug, Default)]
pub struct TableAudit {
    /// How many items there are.
    pub items: usize,
    /// How many contacts are live.
    pub contacts: usize,
    /// How many contacts are in the trash.
    pub trashed: usize,
    /// How many successes the audit records tell of, by action.
    pub successes: BTreeMap<String, usize>,
    /// What does not hold, in words.
    pub flaws: BTreeSet<String>,
}

impl TableAudit {
    /// What these items, which are everything that is stored, come to.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let items: Items = records
            .iter()
            .map(|record| ((record.pk.clone(), record.sk.clone()), record.whole()))
            .collect();
        let stored = Stored::of(&items);
        let mut audit = Self {
            items: records.len(),
            ..Self::default()
        };
        for resource in GUARDED {
            audit.guards(&stored, resource);
        }
        audit.versions(&stored);
        audit.timelines(&stored);
        audit.results(&stored);
        audit.organizations(&stored);
        audit.accounts(&stored);
        for (pk, sk) in stored.items.keys() {
            if pk.starts_with("#outbox:") || pk.starts_with("#mail:") {
                audit.flaws.insert(format!("{pk} {sk} is left"));
            }
        }
        audit
    }

    fn must(&mut self, holds: bool, flaw: impl FnOnce() -> String) {
        if !holds {
            self.flaws.insert(flaw());
        }
    }

    /// Every entity of the resource has its guard, and every guard its entity. What is in the trash
    /// has none.
    fn guards(&mut self, stored: &Stored<'_>, resource: &'static str) {
        let mut entities = BTreeSet::new();
        for (tenant, id, item) in stored.entities(resource) {
            let email = text(item, "email").to_ascii_lowercase();
            entities.insert((tenant.to_owned(), email, id.to_owned()));
        }
        let of_resource = |pk: &str| {
            let (tenant, rest) = pk.strip_prefix("#guard:")?.split_once(':')?;
            let email = rest.strip_prefix(resource)?.strip_prefix(":email:")?;
            Some((tenant.to_owned(), email.to_owned()))
        };
        let guards: BTreeSet<_> = stored
            .items
            .iter()
            .filter_map(|((pk, _), item)| {
                let (tenant, email) = of_resource(pk)?;
                Some((tenant, email, text(item, "owner").to_owned()))
            })
            .collect();
        for (tenant, email, id) in entities.difference(&guards) {
            let flaw = format!("{tenant}:{resource} {id} has no guard of {email}");
            self.flaws.insert(flaw);
        }
        for (tenant, email, id) in guards.difference(&entities) {
            let flaw = format!("the guard of {email} is of no {tenant}:{resource} {id}");
            self.flaws.insert(flaw);
        }
        if resource == "contacts" {
            self.contacts = entities.len();
        }
    }

    /// Version n of an entity has n audit records, besides those that write no version.
    fn versions(&mut self, stored: &Stored<'_>) {
        let mut written: BTreeMap<Subject<'_>, u64> = BTreeMap::new();
        for audited in &stored.audits {
            let action = text(audited.item, "action");
            *self.successes.entry(action.to_owned()).or_default() += 1;
            let resource = audited.subject.1;
            if VERSIONED.contains(&resource) {
                let raises = !WITHOUT_VERSION.contains(&action);
                *written.entry(audited.subject).or_default() += u64::from(raises);
            }
        }
        let live = VERSIONED
            .into_iter()
            .flat_map(|resource| {
                stored
                    .entities(resource)
                    .map(move |found| (resource, found))
            })
            .map(|(resource, (tenant, id, item))| ((tenant, resource, id), item));
        let trashed = stored.trash().map(|(tenant, id, item)| {
            let contact = item.get("contact").and_then(Value::as_object);
            ((tenant, "contacts", id), contact.unwrap_or(item))
        });
        self.trashed = stored.trash().count();
        for ((tenant, resource, id), item) in live.chain(trashed) {
            let version = item.get("version").and_then(Value::as_u64);
            let version = version.unwrap_or_default();
            let records = written.remove(&(tenant, resource, id)).unwrap_or_default();
            self.must(version == records, || {
                format!("{tenant}:{resource} {id} is at version {version} and has {records} audit records")
            });
        }
        for ((tenant, resource, id), _) in written {
            let flaw = format!("{tenant}:{resource} {id} is audited and is nowhere");
            self.flaws.insert(flaw);
        }
    }

    /// Every chained audit record is in the timeline of its subject, and nothing else is.
    fn timelines(&mut self, stored: &Stored<'_>) {
        let expected: BTreeSet<_> = stored
            .audits
            .iter()
            .filter(|audited| audited.item.get("hash").is_some_and(Value::is_string))
            .map(|audited| {
                let (tenant, resource, id) = audited.subject;
                let pk = format!("#timeline:{tenant}:{resource}:{id}");
                (pk, audited.id.to_owned())
            })
            .collect();
        let entries: BTreeSet<_> = stored
            .items
            .keys()
            .filter(|(pk, _)| pk.starts_with("#timeline:"))
            .cloned()
            .collect();
        for (pk, id) in expected.difference(&entries) {
            self.flaws.insert(format!("{pk} lacks {id}"));
        }
        for (pk, id) in entries.difference(&expected) {
            self.flaws
                .insert(format!("{pk} has {id}, which no audit record is of"));
        }
    }

    /// Every saved result of a change has its audit record: of one action about one subject there
    /// are no more results than records.
    fn results(&mut self, stored: &Stored<'_>) {
        let mut records: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for audited in &stored.audits {
            let about = (text(audited.item, "action"), audited.subject.2);
            *records.entry(about).or_default() += 1;
        }
        let mut results: BTreeMap<(String, String), usize> = BTreeMap::new();
        for ((pk, _), item) in stored.items {
            let changes = item.get("tags").and_then(Value::as_array);
            let Some(scope) = pk.strip_prefix("#idempotency:") else {
                continue;
            };
            if changes.is_some_and(|tags| !tags.is_empty()) {
                // {tenant}:{user}:{action}:{key}, and a tenant has no colon.
                let action = scope.split(':').nth(2).unwrap_or_default().to_owned();
                let data = item.get("data").unwrap_or(&Value::Null);
                let id = data["id"].as_str().or(data["user"]["id"].as_str());
                let about = (action, id.unwrap_or_default().to_owned());
                *results.entry(about).or_default() += 1;
            }
        }
        for ((action, id), saved) in results {
            let audited = records.get(&(&*action, &*id)).copied();
            let audited = audited.unwrap_or_default();
            self.must(saved <= audited, || {
                format!("{action} of {id} has {saved} saved results and {audited} audit records")
            });
        }
    }

    /// An organisation's owners are its members that own it, and it has one at least.
    fn organizations(&mut self, stored: &Stored<'_>) {
        let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (tenant, id, item) in stored.entities("members") {
            let owners = members.entry(tenant).or_default();
            if text(item, "role") == "owner" && text(item, "status") != "invited" {
                owners.insert(id);
            }
        }
        for ((pk, _), item) in stored.items {
            let Some(tenant) = pk.strip_prefix("#tenant:") else {
                continue;
            };
            let listed = item.get("owners").and_then(Value::as_array);
            let listed: BTreeSet<_> = listed
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let owners = members.remove(tenant).unwrap_or_default();
            self.must(!listed.is_empty() && listed == owners, || {
                format!("the organisation {tenant} lists {listed:?} and is owned by {owners:?}")
            });
        }
        for tenant in members.into_keys() {
            self.flaws
                .insert(format!("{tenant} has members and is no organisation"));
        }
    }

    /// An account belongs where it is a member, and nowhere else.
    fn accounts(&mut self, stored: &Stored<'_>) {
        let mut memberships: BTreeSet<_> = stored
            .entities("members")
            .filter(|(_, _, item)| text(item, "status") != "invited")
            .map(|(tenant, id, _)| (tenant, id))
            .collect();
        for ((pk, _), item) in stored
            .items
            .iter()
            .filter(|((pk, _), _)| pk.starts_with("#account:"))
        {
            let there = item.get("organizations").and_then(Value::as_array);
            for belonging in there.into_iter().flatten() {
                let tenant = belonging["tenant"].as_str().unwrap_or_default();
                let is_member = memberships.remove(&(tenant, text(item, "id")));
                self.must(is_member, || format!("{pk} is no member of {tenant}"));
            }
        }
        for (tenant, id) in memberships {
            self.flaws.insert(format!(
                "the member {id} of {tenant} has no account that says so"
            ));
        }
    }
}

/// An organisation, a resource, an id.
type Subject<'a> = (&'a str, &'a str, &'a str);

/// One audit record.
struct Audited<'a> {
    id: &'a str,
    subject: Subject<'a>,
    item: &'a Map<String, Value>,
}

/// Everything that is stored, by its key.
type Items = BTreeMap<(String, String), Map<String, Value>>;

/// The items, and the audit records among them.
struct Stored<'a> {
    items: &'a Items,
    audits: Vec<Audited<'a>>,
}

impl<'a> Stored<'a> {
    fn of(items: &'a Items) -> Self {
        let audits = items.iter().filter_map(|((pk, id), item)| {
            let tenant = pk.strip_prefix("#audit:")?;
            let subject = (tenant, text(item, "resource"), text(item, "subjectId"));
            Some(Audited { id, subject, item })
        });
        let audits = audits.collect();
        Self { items, audits }
    }

    /// The live entities of a resource: organisation, id, item.
    fn entities(
        &self,
        resource: &'static str,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a Map<String, Value>)> {
        self.items.iter().filter_map(move |((pk, id), item)| {
            let (tenant, of) = pk.split_once(':')?;
            (!tenant.starts_with('#') && of == resource).then_some((tenant, id.as_str(), item))
        })
    }

    /// The contacts in the trash: organisation, id, item.
    fn trash(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a Map<String, Value>)> {
        self.items.iter().filter_map(|((pk, id), item)| {
            let tenant = pk.strip_prefix("#trash:")?;
            Some((tenant, id.as_str(), item))
        })
    }
}

/// An attribute that is text; empty where it is none.
fn text<'a>(item: &'a Map<String, Value>, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}
