//! What an action changed in the table, in a form in which two runs compare equal.

use edge_crm_tests::Record;
use serde_json::Value;
use std::collections::BTreeMap;

/// How often each change was made, and how many sessions were opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) changes: BTreeMap<String, usize>,
    pub(crate) sessions: usize,
}

impl Effect {
    /// The changes from `before` to `after`, both sorted. Ignores counters, marks and the outbox.
    pub(crate) fn between(before: &[Record], after: &[Record]) -> Self {
        let not_in = |others: &[Record], record: &Record| others.binary_search(record).is_err();
        let gone = before.iter().filter(|record| not_in(after, record));
        let new = after.iter().filter(|record| not_in(before, record));
        let (before, after) = (essences(gone), essences(new));
        let mut effect = Self::default();
        for (key, now) in &after {
            match before.get(key) {
                Some(old) if old == now => {}
                Some(_) => effect.add("changed", key, now),
                None if key.0.starts_with("#session:") => effect.sessions += 1,
                None => effect.add("added", key, now),
            }
        }
        for (key, old) in &before {
            if !after.contains_key(key) {
                effect.add("removed", key, old);
            }
        }
        effect
    }

    fn add(&mut self, what: &str, (pk, sk): &(String, String), item: &str) {
        let line = format!("{what} {} {} {item}", masked(pk), masked(sk));
        *self.changes.entry(line).or_default() += 1;
    }

    /// Whether it is `once` at least once and at most `most` times.
    pub(crate) fn is_of(&self, once: &Self, most: usize) -> bool {
        let kinds = |effect: &Self| effect.changes.keys().cloned().collect::<Vec<_>>();
        kinds(self) == kinds(once)
            && self.changes.iter().all(|(change, count)| {
                let once = once.changes[change];
                (once..=once * most).contains(count)
            })
    }
}

type Essences = BTreeMap<(String, String), String>;

fn essences<'a>(records: impl Iterator<Item = &'a Record>) -> Essences {
    let ignored = [
        "#rate:",
        "#refused:",
        "#mark:",
        "#purges:",
        "#outbox:",
        "#edge:",
    ];
    let kept = records.filter(|record| ignored.iter().all(|kind| !record.pk.starts_with(kind)));
    kept.map(|record| {
        let essence = essence(&Value::Object(record.whole()));
        ((record.pk.clone(), record.sk.clone()), essence.to_string())
    })
    .collect()
}

/// A value without the parts that differ from run to run: ids, hashes and times.
pub(crate) fn essence(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(masked(text)),
        Value::Number(number) if number.as_f64() > Some(1e9) => Value::from("*"),
        Value::Array(list) => list.iter().map(essence).collect(),
        Value::Object(map) => {
            // A commit has an outbox record only if a mark was open or busy.
            let fields = map.iter().filter(|(name, _)| *name != "outbox");
            Value::Object(fields.map(|(k, v)| (masked(k), essence(v))).collect())
        }
        other => other.clone(),
    }
}

fn masked(text: &str) -> String {
    if text.parse::<jiff::Timestamp>().is_ok() {
        return "*".to_owned();
    }
    if text.starts_with("$argon2") {
        return "a hash".to_owned();
    }
    // The rest of the key names one of sixteen partitions.
    if text.starts_with("#mail:") || text.starts_with("#outbox:") {
        return text[..5].to_owned();
    }
    let is_long = |word: &str| {
        word.len() >= 22 || word.len() >= 10 && word.bytes().all(|b| b.is_ascii_digit())
    };
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .map(|word| if is_long(word) { "*" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}
