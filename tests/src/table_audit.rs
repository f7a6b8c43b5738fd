//! The audit of a whole table: the rules that must hold between its items at any time.

use crate::Record;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The resources whose emails are unique in an organisation.
const GUARDED: [&str; 2] = ["contacts", "members"];

/// The resources with one audit record for every write of an entity. (Members are not among them: a
/// change of name writes the member in every organisation, and only one has the audit record.)
const VERSIONED: [&str; 2] = ["contacts", "projects"];

/// The actions that remove or move an entity without writing a new version.
const WITHOUT_VERSION: [&str; 1] = ["delete-contact"];

/// The counts and the broken rules.
#[derive(Debug, Default)]
pub struct TableAudit {
    /// The number of items.
    pub items: usize,
    /// The number of live contacts.
    pub contacts: usize,
    /// The number of contacts in the trash.
    pub trashed: usize,
    /// The number of audit records of each action. Each is one success.
    pub successes: BTreeMap<String, usize>,
    /// Descriptions of the broken rules.
    pub flaws: BTreeSet<String>,
}

/// What a description of work that is not finished ends with.
const PENDING: &str = " is still pending";

impl TableAudit {
    /// Checks that no rule is broken. Emails and purges may be on their way.
    ///
    /// # Panics
    /// If one is.
    pub fn expect_sound(&self) {
        let broken = self.flaws.iter().filter(|flaw| !flaw.ends_with(PENDING));
        let broken: Vec<_> = broken.collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }

    /// Audits these records, which must be the whole table.
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
                audit.flaws.insert(format!("{pk} {sk}{PENDING}"));
            }
        }
        audit
    }

    fn must(&mut self, holds: bool, flaw: impl FnOnce() -> String) {
        if !holds {
            self.flaws.insert(flaw());
        }
    }

    /// Every live entity of the resource has its guard, and every guard its entity. An entity in the
    /// trash has no guard.
    fn guards(&mut self, stored: &Stored<'_>, resource: &'static str) {
        let (mut entities, mut all) = (BTreeSet::new(), 0);
        for (tenant, id, item) in stored.entities(resource) {
            all += 1;
            // A contact with a phone number may have no email.
            let is_reached = item.get("phone").is_some_and(Value::is_string);
            if resource == "contacts" && item.get("email") == Some(&Value::Null) && is_reached {
                continue;
            }
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
            let flaw = format!("{tenant}:{resource} {id} has no guard for {email}");
            self.flaws.insert(flaw);
        }
        for (tenant, email, id) in guards.difference(&entities) {
            let flaw = format!(
                "the guard of {email} belongs to {tenant}:{resource} {id}, which does not exist"
            );
            self.flaws.insert(flaw);
        }
        if resource == "contacts" {
            self.contacts = all;
        }
    }

    /// An entity at version n has n audit records of actions that write a version.
    fn versions(&mut self, stored: &Stored<'_>) {
        let mut written: BTreeMap<Subject<'_>, u64> = BTreeMap::new();
        for audited in &stored.audits {
            let action = text(audited.item, "action");
            *self.successes.entry(action.to_owned()).or_default() += 1;
            let resource = audited.subject.1;
            if VERSIONED.contains(&resource) {
                let writes_version = !WITHOUT_VERSION.contains(&action);
                *written.entry(audited.subject).or_default() += u64::from(writes_version);
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
            let flaw = format!("{tenant}:{resource} {id} has audit records but does not exist");
            self.flaws.insert(flaw);
        }
    }

    /// The timeline of an entity has exactly the chained audit records about it.
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
                .insert(format!("{pk} has {id}, which is no audit record about it"));
        }
    }

    /// Every saved result of a change has an audit record: one action has at most as many saved results
    /// about a subject as audit records about it.
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
                // The scope is {tenant}:{user}:{action}:{key}, and a tenant has no colon.
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

    /// The owners that an organisation lists are its members with the role owner, and it has at least
    /// one.
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
                format!("the organisation {tenant} lists {listed:?} as owners but has {owners:?}")
            });
        }
        for tenant in members.into_keys() {
            self.flaws
                .insert(format!("{tenant} has members but is no organisation"));
        }
    }

    /// The organisations that an account lists are exactly those in which the user is a member.
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
            let organizations = item.get("organizations").and_then(Value::as_array);
            for organization in organizations.into_iter().flatten() {
                let tenant = organization["tenant"].as_str().unwrap_or_default();
                let is_member = memberships.remove(&(tenant, text(item, "id")));
                self.must(is_member, || {
                    format!("{pk} lists {tenant} but is no member of it")
                });
            }
        }
        for (tenant, id) in memberships {
            self.flaws.insert(format!(
                "the member {id} of {tenant} has no account that lists {tenant}"
            ));
        }
    }
}

/// The subject of an audit record: organisation, resource, id.
type Subject<'a> = (&'a str, &'a str, &'a str);

/// An audit record.
struct Audited<'a> {
    id: &'a str,
    subject: Subject<'a>,
    item: &'a Map<String, Value>,
}

/// All items, by key.
type Items = BTreeMap<(String, String), Map<String, Value>>;

/// All items, and the audit records among them.
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

    /// The live entities of a resource, as organisation, id and item.
    fn entities(
        &self,
        resource: &'static str,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a Map<String, Value>)> {
        self.items.iter().filter_map(move |((pk, id), item)| {
            let (tenant, of) = pk.split_once(':')?;
            (!tenant.starts_with('#') && of == resource).then_some((tenant, id.as_str(), item))
        })
    }

    /// The contacts in the trash, as organisation, id and item.
    fn trash(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a Map<String, Value>)> {
        self.items.iter().filter_map(|((pk, id), item)| {
            let tenant = pk.strip_prefix("#trash:")?;
            Some((tenant, id.as_str(), item))
        })
    }
}

/// A text attribute. Empty if it does not exist or is no text.
fn text<'a>(item: &'a Map<String, Value>, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}
