//! The chains of audit records, and what is wrong with them.

use action::{Item, Key};
use crm::{TRASH_DAYS, TrashedContact};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use wrapper::{AUDIT_HEAD, audit_hash};

/// What a chain is of: the organisation, the kind of thing, its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The organisation's slug.
    pub tenant: String,
    /// The kind of thing, or where it is.
    pub resource: String,
    /// Its id.
    pub id: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.tenant, self.resource, self.id)
    }
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Flaw {
    /// A record is not what its hash says.
    #[error("record {0} was changed")]
    Changed(String),
    /// The record that this one names as the one before it is not there.
    #[error("the record before {0} was changed or removed")]
    Gap(String),
    /// Several records name the same one as the one before them.
    #[error("record {0} is not the only one after the one before it")]
    Fork(String),
    /// The entity says that there is a newer record than this one.
    #[error("the head does not match the newest record, {0}: what came after it was removed")]
    Head(String),
    /// The entity is gone, or keeps no head, and no record says so.
    #[error("its entity is not there as record {0}, the newest, left it")]
    Gone(String),
    /// The entity's head is the hash of no record, or of one that is not its newest.
    #[error("the head does not match any newest record: what came last was changed or removed")]
    Headless,
}

/// What was checked, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Audit records.
    pub records: usize,
    /// Those of them that are in a chain.
    pub chained: usize,
    /// Things that have a chain.
    pub chains: usize,
    /// What is wrong, in order.
    pub flaws: BTreeSet<(Subject, Flaw)>,
}

/// One record, as far as its chain goes.
struct Link {
    id: String,
    previous: Option<String>,
    hash: String,
    head: Option<Key>,
    at: Option<Timestamp>,
    intact: bool,
}

/// The chains of one table, filled item by item.
#[derive(Default)]
pub(super) struct Chains {
    /// The only organisation to look at.
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

    /// Takes one item of the table.
    pub(super) fn take(&mut self, key: Key, item: &Item) {
        let (pk, sk) = key.parts();
        if let Some(tenant) = pk.strip_prefix("#audit:") {
            if self.wants(tenant) {
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
            && self.wants(place(pk).0)
        {
            self.heads.insert(key, head);
        }
    }

    fn wants(&self, tenant: &str) -> bool {
        self.tenant.as_deref().is_none_or(|only| only == tenant)
    }

    /// What is wrong with what was taken.
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
        // The heads that no chain has accounted for.
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
    /// The record's link; none where it is in no chain.
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

    /// Whether what was at `head` has been long enough in the trash to be gone for good.
    fn has_expired(&self, head: &Key) -> bool {
        let (pk, _) = head.parts();
        let deleted = self.at.map_or(i64::MAX, Timestamp::as_second);
        let end = deleted.saturating_add(TRASH_DAYS * 86_400);
        trash_of(pk).is_some() && end <= Timestamp::now().as_second()
    }
}

/// What is wrong with the records of one kind of thing in one organisation. The heads that they
/// account for are taken out of `heads`. A chain may go on under another id: who accepts an
/// invitation with an account takes the place of who was invited.
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
    // A thing that was gone for good and came back has several chains, of which one goes on.
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

/// The organisation and the kind of thing that a partition key is of.
fn place(pk: &str) -> (&str, &str) {
    match trash_of(pk) {
        Some(tenant) => (tenant, TrashedContact::KIND),
        None => pk.split_once(':').unwrap_or((pk, "")),
    }
}

/// The organisation whose trash a partition key is of, if it is of one.
fn trash_of(pk: &str) -> Option<&str> {
    let kind_and_tenant = pk.strip_prefix('#')?;
    kind_and_tenant
        .strip_prefix(TrashedContact::KIND)?
        .strip_prefix(':')
}

fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(Value::as_str).map(str::to_owned)
}
