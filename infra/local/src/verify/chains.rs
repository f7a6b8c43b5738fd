//! The chains of audit records and their flaws.

use action::{Item, Key};
use crm::{TRASH_DAYS, TrashedContact};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use wrapper::{AUDIT_HEAD, audit_hash};

/// The entity that a chain belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The organisation's slug.
    pub tenant: String,
    /// The kind of entity, or of the collection that it is in.
    pub resource: String,
    /// The entity's id.
    pub id: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.tenant, self.resource, self.id)
    }
}

/// A flaw in a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Flaw {
    /// The record does not match its hash.
    #[error("record {0} was changed")]
    Changed(String),
    /// The record that this one names as its predecessor does not exist.
    #[error("the record before {0} was changed or removed")]
    Gap(String),
    /// Several records name the same predecessor.
    #[error("record {0} is not the only one after the one before it")]
    Fork(String),
    /// The entity's head names a newer record than this one, which is the newest that exists.
    #[error("the head does not match the newest record, {0}: what came after it was removed")]
    Head(String),
    /// The entity does not exist or has no head, and no record explains why.
    #[error("its entity is not there as record {0}, the newest, left it")]
    Gone(String),
    /// The entity's head is not the hash of a newest record.
    #[error("the head does not match any newest record: what came last was changed or removed")]
    Headless,
}

/// The number of records checked, and the flaws found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// All audit records.
    pub records: usize,
    /// The records that are in a chain.
    pub chained: usize,
    /// The entities that have a chain.
    pub chains: usize,
    /// The flaws, in order.
    pub flaws: BTreeSet<(Subject, Flaw)>,
}

/// The part of a record that the chain needs.
struct Link {
    id: String,
    previous: Option<String>,
    hash: String,
    head: Option<Key>,
    at: Option<Timestamp>,
    intact: bool,
}

/// The chains of one table. Items are added one by one.
#[derive(Default)]
pub(super) struct Chains {
    /// The organisation to verify; all if `None`.
    tenant: Option<String>,
    records: usize,
    links: BTreeMap<Subject, Vec<Link>>,
    heads: HashMap<Key, String>,
}

impl Chains {
    pub(super) fn of(tenant: Option<String>) -> Self {
        Self {
            tenant,
            ..Self::default()
        }
    }

    /// Adds one item of the table.
    pub(super) fn add(&mut self, key: Key, item: &Item) {
        let (pk, sk) = key.parts();
        if let Some(tenant) = pk.strip_prefix("#audit:") {
            if self.includes(tenant) {
                self.records += 1;
                let subject = Subject {
                    tenant: tenant.to_owned(),
                    resource: text(item, "resource").unwrap_or_default(),
                    id: text(item, "subjectId").unwrap_or_default(),
                };
                let link = Link::new(&key, sk, item);
                self.links.entry(subject).or_default().extend(link);
            }
        } else if let Some(head) = text(item, AUDIT_HEAD)
            && self.includes(place(pk).0)
        {
            self.heads.insert(key, head);
        }
    }

    fn includes(&self, tenant: &str) -> bool {
        self.tenant.as_deref().is_none_or(|only| only == tenant)
    }

    /// The flaws in the items that were added.
    pub(super) fn report(mut self) -> Report {
        self.links.retain(|_, links| !links.is_empty());
        let mut report = Report {
            records: self.records,
            chained: self.links.values().map(Vec::len).sum(),
            chains: self.links.len(),
            flaws: BTreeSet::new(),
        };
        let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (subject, links) in &self.links {
            let kind = kinds.entry((&subject.tenant, &subject.resource));
            let links = links.iter().map(|link| (subject, link));
            kind.or_default().extend(links);
        }
        for links in kinds.values() {
            report.flaws.extend(flaws(links, &mut self.heads));
        }
        // The remaining heads match no chain.
        report.flaws.extend(self.heads.into_keys().map(|key| {
            let (pk, id) = key.into_parts();
            let (tenant, resource) = place(&pk);
            let subject = Subject {
                tenant: tenant.to_owned(),
                resource: resource.to_owned(),
                id,
            };
            (subject, Flaw::Headless)
        }));
        report
    }
}

impl Link {
    /// The record's link; `None` if it is not in a chain.
    fn new(key: &Key, id: &str, item: &Item) -> Option<Self> {
        let hash = text(item, "hash")?;
        let head = item.get("head").cloned();
        let head = head.and_then(|parts| serde_json::from_value::<(String, String)>(parts).ok());
        Some(Self {
            id: id.to_owned(),
            previous: text(item, "previous"),
            intact: audit_hash(key, item) == hash,
            head: head.map(|(pk, sk)| Key::from_parts(pk, sk)),
            at: item
                .get("at")
                .and_then(|at| Timestamp::deserialize(at).ok()),
            hash,
        })
    }

    /// Whether the entity at `head` was in the trash so long that it has been deleted for good.
    fn has_expired(&self, head: &Key) -> bool {
        let (pk, _) = head.parts();
        let deleted = self.at.map_or(i64::MAX, Timestamp::as_second);
        let end = deleted.saturating_add(TRASH_DAYS * 86_400);
        trash_of(pk).is_some() && end <= Timestamp::now().as_second()
    }
}

/// The flaws in the records of one kind of entity in one organisation. Removes the heads that match a
/// chain from `heads`. A chain may continue under another id: a user with an account who accepts an
/// invitation replaces the invited member.
fn flaws(
    links: &[(&Subject, &Link)],
    heads: &mut HashMap<Key, String>,
) -> BTreeSet<(Subject, Flaw)> {
    let hashes: BTreeSet<_> = links.iter().map(|(_, link)| &link.hash).collect();
    let mut followed = BTreeSet::new();
    let mut flaws = BTreeSet::new();
    let mut found = |subject: &Subject, flaw| flaws.insert((subject.clone(), flaw));
    for (subject, link) in links {
        if !link.intact {
            found(subject, Flaw::Changed(link.id.clone()));
        }
        if let Some(previous) = &link.previous {
            if !hashes.contains(previous) {
                found(subject, Flaw::Gap(link.id.clone()));
            }
            if !followed.insert(previous) {
                found(subject, Flaw::Fork(link.id.clone()));
            }
        }
    }
    // An entity that was deleted for good and created again has several chains. Only one continues.
    let newest = |(_, link): &&(&Subject, &Link)| !followed.contains(&link.hash);
    for (subject, newest) in links.iter().filter(newest) {
        let Some(place) = &newest.head else { continue };
        match heads.get(place) {
            Some(head) if *head == newest.hash => {
                heads.remove(place);
            }
            Some(_) => {
                found(subject, Flaw::Head(newest.id.clone()));
            }
            None if newest.has_expired(place) => {}
            None => {
                found(subject, Flaw::Gone(newest.id.clone()));
            }
        }
    }
    flaws
}

/// The organisation and the kind of entity of a partition key.
fn place(pk: &str) -> (&str, &str) {
    match trash_of(pk) {
        Some(tenant) => (tenant, TrashedContact::KIND),
        None => pk.split_once(':').unwrap_or((pk, "")),
    }
}

/// The organisation, if the partition key is of its trash.
fn trash_of(pk: &str) -> Option<&str> {
    let kind_and_tenant = pk.strip_prefix('#')?;
    kind_and_tenant
        .strip_prefix(TrashedContact::KIND)?
        .strip_prefix(':')
}

fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(Value::as_str).map(str::to_owned)
}
