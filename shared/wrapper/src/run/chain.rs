//! The chain of an entity's audit records. Each record has its own hash and that of the record before.
//! The entity's item has the hash of the newest record: the head of the chain. So a changed or removed
//! record is noticed.
//!
//! The head is an attribute of the entity's item, so it needs no further read or write. The transaction
//! checks the entity's version anyway, so two records cannot follow the same one.

use crate::Failure;
use action::{Commit, Expect, Found, Item, Key, Operation, Subject};
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The attribute of an entity's item with the hash of its newest audit record. The domain's types do
/// not have it.
pub const AUDIT_HEAD: &str = "auditHead";

/// How a new record continues the chain of its entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The hash of the record before; `None` for the first record.
    pub(crate) previous: Option<String>,
    /// The key of the item that has the head; `None` if the entity is deleted for good.
    pub(crate) head: Option<Key>,
}

/// How the record of `commit` continues a chain; `None` unless the commit writes its subject, which is
/// an entity.
///
/// # Errors
/// A bug, if the commit writes an existing entity that was not read.
pub(crate) fn link<T>(commit: &Commit<T>, found: &Found) -> Result<Option<Link>, Failure> {
    link_of(commit.operations(), commit.places(), found)
}

fn link_of(
    operations: &[Operation],
    places: Option<(Key, Key)>,
    found: &Found,
) -> Result<Option<Link>, Failure> {
    let Some((from, to)) = places else {
        return Ok(None);
    };
    let at = |key: &Key| operations.iter().find(|op| op.key() == key);
    let Some(first) = at(&from).or_else(|| at(&to)) else {
        return Ok(None);
    };
    let before = found.stored(&from);
    if before.is_none() && (from != to || follows_a_version(first)) {
        let (pk, sk) = from.parts();
        return Err(Failure::unknown(format!("{pk} {sk} is written unread")));
    }
    Ok(Some(Link {
        previous: before.and_then(head_of),
        head: matches!(at(&to), Some(Operation::Put { .. })).then_some(to),
    }))
}

fn follows_a_version(operation: &Operation) -> bool {
    match operation {
        Operation::Put { expect, .. } | Operation::Delete { expect, .. } => {
            matches!(expect, Expect::Version(_))
        }
        _ => false,
    }
}

fn head_of(item: &Item) -> Option<String> {
    item.get(AUDIT_HEAD)?.as_str().map(str::to_owned)
}

/// How the record of an entity in another organisation continues its chain; as [`link`].
///
/// # Errors
/// A bug, if the commit writes an existing entity that was not read.
pub(crate) fn link_of_other<T>(
    commit: &Commit<T>,
    subject: &Subject,
    found: &Found,
) -> Result<Option<Link>, Failure> {
    let key = subject.key();
    link_of(commit.operations(), Some((key.clone(), key)), found)
}

/// Adds the heads to the entities in these operations: the new heads to the subjects, and to others
/// the heads that were read.
pub(crate) fn with_heads(
    operations: &[Operation],
    found: &Found,
    new: &BTreeMap<Key, String>,
) -> Vec<Operation> {
    let mut operations = operations.to_vec();
    for operation in &mut operations {
        let Operation::Put { key, item, .. } = operation else {
            continue;
        };
        let head = match new.get(key) {
            Some(hash) => Some(hash.clone()),
            None if key.tag().is_some() => found.stored(key).and_then(head_of),
            None => None,
        };
        if let (Some(head), Value::Object(item)) = (head, item) {
            item.insert(AUDIT_HEAD.to_owned(), head.into());
        }
    }
    operations
}

/// The hash of an audit record: the SHA-256, in hexadecimal, of its key and of all its attributes
/// except `hash`. It does not depend on the order of the attributes or on how numbers are written, so
/// it is the same before the record is stored and after it is read back.
#[must_use]
pub fn audit_hash(key: &Key, record: &Item) -> String {
    let (pk, sk) = key.parts();
    let mut text = String::new();
    canonical(&Value::from(vec![pk, sk]), &mut text);
    let mut record = record.clone();
    record.remove("hash");
    canonical(&Value::Object(record), &mut text);
    let digest = Sha256::digest(text);
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _always_written = write!(hex, "{byte:02x}");
        hex
    })
}

/// Writes a value as canonical JSON: names in order, no spaces, equal numbers as the same text.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => out.push_str(&decimal(number)),
        Value::Array(list) => {
            out.push('[');
            for (at, value) in list.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                canonical(value, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (at, (name, value)) in pairs.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// DynamoDB returns 1.0 as 1, so whole numbers are written without a fraction.
fn decimal(number: &Number) -> String {
    /// Up to this number, a float can represent every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
            format!("{:.0}", float + 0.0)
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use action::{Entity, Subject, TenantId, Version};
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    fn hash(record: Value) -> String {
        let key = Key::record("audit", "acme", "1");
        audit_hash(&key, record.as_object().unwrap())
    }

    #[derive(Serialize, Deserialize)]
    struct Thing {
        id: String,
        version: Version,
    }

    impl Entity for Thing {
        const RESOURCE: &'static str = "things";

        fn id(&self) -> &str {
            &self.id
        }

        fn version(&self) -> Version {
            self.version
        }
    }

    fn acme() -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    fn thing(version: Version) -> Thing {
        let id = "1".to_owned();
        Thing { id, version }
    }

    fn own() -> Key {
        Key::entity::<Thing>(&acme(), "1")
    }

    fn trash() -> Key {
        Key::from_parts("acme:trash".to_owned(), "1".to_owned())
    }

    fn commit() -> Commit<()> {
        Commit::new(Subject::entity::<Thing>(&acme(), "1"), ())
    }

    /// A thing with this head, found at this key.
    fn found_at(key: Key, head: &str) -> Found {
        let item = json!({ "id": "1", "version": 1, "auditHead": head });
        Found {
            items: [(key, item.as_object().unwrap().clone())].into(),
            ..Found::default()
        }
    }

    fn chained(previous: Option<&str>, head: Option<Key>) -> Option<Link> {
        let previous = previous.map(str::to_owned);
        Some(Link { previous, head })
    }

    #[test]
    fn a_chain_begins_continues_and_ends_with_its_entity() {
        let (first, second) = (thing(Version::FIRST), thing(Version::FIRST.next()));
        let created = commit().put(&acme(), &first, None);
        let nothing = Found::default();
        assert_eq!(link(&created, &nothing), Ok(chained(None, Some(own()))));
        let updated = commit().put(&acme(), &second, Some(first.version));
        assert_eq!(
            link(&updated, &found_at(own(), "h")),
            Ok(chained(Some("h"), Some(own())))
        );
        let deleted = commit().delete(&acme(), &first);
        assert_eq!(
            link(&deleted, &found_at(own(), "h")),
            Ok(chained(Some("h"), None))
        );
        assert_eq!(
            link(&commit(), &found_at(own(), "h")),
            Ok(None),
            "nothing written"
        );
        assert_eq!(link(&Commit::nothing(()), &nothing), Ok(None));
        for unread in [&updated, &deleted] {
            assert!(link(unread, &nothing).is_err());
        }
    }

    #[test]
    fn a_chain_moves_with_its_entity() {
        let first = thing(Version::FIRST);
        let removed = commit().delete(&acme(), &first).moves(own(), trash());
        let put = |expect| Operation::Put {
            key: trash(),
            item: json!({ "id": "1" }),
            expect,
            conflict: None,
        };
        // Like a commit that moves what it deletes to the trash.
        let kept = [&removed.operations()[0], &put(Expect::Absent)].map(Clone::clone);
        let link = link_of(&kept, removed.places(), &found_at(own(), "h"));
        assert_eq!(link, Ok(chained(Some("h"), Some(trash()))));
        let stored = with_heads(
            &kept,
            &found_at(own(), "h"),
            &[(trash(), "new".to_owned())].into(),
        );
        assert!(matches!(&stored[1], Operation::Put { item, .. } if item["auditHead"] == "new"));

        let restored = commit()
            .put(&acme(), &thing(Version::FIRST.next()), None)
            .delete_record(trash(), Some(first.version))
            .moves(trash(), own());
        assert_eq!(
            super::link(&restored, &found_at(trash(), "h")),
            Ok(chained(Some("h"), Some(own())))
        );
        assert!(super::link(&restored, &Found::default()).is_err());
        let purged = commit()
            .delete_record(trash(), Some(first.version))
            .moves(trash(), trash());
        assert_eq!(
            super::link(&purged, &found_at(trash(), "h")),
            Ok(chained(Some("h"), None))
        );
    }

    #[test]
    fn another_entity_in_the_commit_keeps_its_head() {
        let put = commit().put(&acme(), &thing(Version::FIRST.next()), Some(Version::FIRST));
        let in_range = {
            let Found { items, .. } = found_at(own(), "h");
            let range = items.into_values().collect();
            Found {
                ranges: [("acme:things".to_owned(), range)].into(),
                ..Found::default()
            }
        };
        for found in [found_at(own(), "h"), in_range] {
            let stored = with_heads(put.operations(), &found, &BTreeMap::new());
            assert!(matches!(&stored[0], Operation::Put { item, .. } if item["auditHead"] == "h"));
        }
        let stored = with_heads(put.operations(), &Found::default(), &BTreeMap::new());
        assert_eq!(stored, put.operations());
    }

    #[test]
    fn a_hash_does_not_depend_on_how_a_record_is_written() {
        let one: Value = serde_json::from_str(r#"{"b":{"y":1.0,"x":-0.0},"a":[1e2,2.5]}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"a":[100,2.50],"b":{"x":0,"y":1}}"#).unwrap();
        assert_eq!(hash(one), hash(other));
    }

    #[test]
    fn a_hash_covers_every_attribute_except_itself() {
        let record = json!({ "a": "x", "b": null, "hash": "1" });
        assert_eq!(hash(record.clone()), hash(json!({ "b": null, "a": "x" })));
        for other in [
            json!({ "a": "x" }),
            json!({ "a": "y", "b": null }),
            json!({ "a": "x", "b": "null" }),
            json!({ "a": "x\",\"b\":null", "c": 1 }),
        ] {
            assert_ne!(hash(record.clone()), hash(other.clone()), "{other}");
        }
        let other_key = Key::record("audit", "other", "1");
        let record = record.as_object().unwrap();
        assert_ne!(audit_hash(&other_key, record), hash(json!(record)));
    }

    #[test]
    fn the_hash_is_sha_256() {
        // printf '["#audit:acme","1"]{"a":1}' | sha256sum
        assert_eq!(
            hash(json!({ "a": 1 })),
            "71d7bada7323f19a9f2155f662dcdf8cc0edee526d471ad5c577cf8e1048b785"
        );
    }
}
