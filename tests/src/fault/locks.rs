//! Conflicts between transactions, as DynamoDB reports them: while a transaction is running, another
//! write of one of its items is refused. The embedded engine runs one request at a time, so it has none.
//!
//! Source: [conflict handling](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling).

use super::locked;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a transaction holds its items at least, as on a network.
pub(super) const HELD: Duration = Duration::from_millis(5);

/// The items of the transactions that are running.
#[derive(Debug, Default)]
pub(super) struct Locks {
    on: AtomicBool,
    held: Mutex<BTreeSet<String>>,
    attempts: Mutex<BTreeMap<String, usize>>,
}

/// A transaction's hold on its items.
#[derive(Debug)]
pub(super) struct Held<'a> {
    locks: &'a Locks,
    keys: Vec<String>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut held = locked(&self.locks.held);
        for key in &self.keys {
            held.remove(key);
        }
    }
}

impl Locks {
    pub(super) fn turn_on(&self) {
        self.on.store(true, Ordering::Relaxed);
    }

    /// How often the transaction of each idempotency record was sent, since the last call.
    pub(super) fn attempts(&self) -> Vec<usize> {
        let attempts = std::mem::take(&mut *locked(&self.attempts));
        attempts.into_values().collect()
    }

    /// Holds the items of a transaction, or of a single write. `Ok(None)` if nothing is to be held.
    ///
    /// # Errors
    /// The reason for each item, if one is held by another transaction.
    pub(super) fn hold(
        &self,
        call: &str,
        input: &Value,
    ) -> Result<Option<Held<'_>>, Vec<&'static str>> {
        if !self.on.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let keys = match call {
            "TransactWriteItems" => {
                let items = input["TransactItems"].as_array();
                items.into_iter().flatten().map(written).collect()
            }
            "UpdateItem" | "PutItem" | "DeleteItem" => vec![key(input)],
            _ => return Ok(None),
        };
        if let Some(record) = keys
            .iter()
            .find(|key: &&String| key.starts_with("#idempotency:"))
        {
            *locked(&self.attempts).entry(record.clone()).or_default() += 1;
        }
        let mut held = locked(&self.held);
        let reason = |key: &String| match held.contains(key) {
            true => "TransactionConflict",
            false => "None",
        };
        let reasons: Vec<_> = keys.iter().map(reason).collect();
        if reasons.contains(&"TransactionConflict") {
            return Err(reasons);
        }
        if call != "TransactWriteItems" {
            return Ok(None);
        }
        held.extend(keys.iter().cloned());
        Ok(Some(Held { locks: self, keys }))
    }
}

/// The key of an item of a transaction.
fn written(item: &Value) -> String {
    let operation = item.as_object().and_then(|item| item.values().next());
    operation.map(key).unwrap_or_default()
}

/// The key of a write.
fn key(write: &Value) -> String {
    let attributes = match &write["Key"] {
        Value::Null => &write["Item"],
        key => key,
    };
    let part = |name: &str| attributes[name]["S"].as_str().unwrap_or_default();
    format!("{} {}", part("pk"), part("sk"))
}
