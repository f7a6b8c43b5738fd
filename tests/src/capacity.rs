//! The cost of calls to DynamoDB in capacity units: what the engine reports, and what the documented
//! rule gives.

use bytes::Bytes;
use serde_json::{Value, json};

/// The bytes of items that one read unit reads with strong consistency. One write unit writes 1,024
/// ([the rule](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html)).
const READ_UNIT: u64 = 4_096;

/// A call and its cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    /// The operation, such as `Query`.
    pub call: String,
    /// The first partition key in the call. Empty if it has none.
    pub pk: String,
    /// The start of the range that the call reads. Empty if it reads no range.
    pub least: String,
    /// The consumed units that the engine reports.
    pub units: f64,
    /// How many items the response has.
    pub items: usize,
    /// The cost of a consistent query of these items by the rule. `None` for other operations.
    pub by_rule: Option<f64>,
}

/// The input of the same call, which also asks DynamoDB to report the consumed capacity.
pub(crate) fn metered(input: &Value) -> Bytes {
    let mut input = input.clone();
    input["ReturnConsumedCapacity"] = json!("TOTAL");
    input.to_string().into()
}

impl Spent {
    pub(crate) fn of(call: &str, input: &Value, output: &[u8]) -> Self {
        let output: Value = serde_json::from_slice(output).unwrap_or_default();
        let consumed = &output["ConsumedCapacity"];
        let of_table = |of: &Value| of["CapacityUnits"].as_f64().unwrap_or_default();
        let units = match consumed.as_array() {
            Some(tables) => tables.iter().map(of_table).sum(),
            None => of_table(consumed),
        };
        let items = output["Items"].as_array();
        let read = |items: &Vec<Value>| {
            let bytes: u64 = items.iter().map(size).sum();
            bytes.div_ceil(READ_UNIT).max(1) as f64
        };
        Self {
            call: call.to_owned(),
            pk: pk(input).unwrap_or_default().to_owned(),
            least: input["ExpressionAttributeValues"][":least"]["S"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            units,
            items: items.map_or(0, Vec::len),
            by_rule: items.filter(|_| call == "Query").map(read),
        }
    }

    /// Whether the call is a background poll of the outbox, of emails to send or of records to index,
    /// which belongs to no request. A search's own query for unindexed records of its organisation does
    /// not count.
    #[must_use]
    pub fn is_sweep(&self) -> bool {
        let is_poll = ["#outbox:", "#mail:", "#search:turn"]
            .iter()
            .any(|kind| self.pk.starts_with(kind));
        // A poll begins with a partition, or behind the last collection that had a turn.
        let begins = !self.least.contains(':') || self.least.ends_with('\u{10ffff}');
        let to_index = self.pk.starts_with("#unindexed:") && begins;
        self.call == "Query" && (is_poll || to_index)
    }

    /// Whether the call writes.
    #[must_use]
    pub fn is_write(&self) -> bool {
        ["TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"].contains(&&*self.call)
    }
}

fn pk(input: &Value) -> Option<&str> {
    let places = [
        &input["ExpressionAttributeValues"][":pk"],
        &input["Key"]["pk"],
        &input["Item"]["pk"],
    ];
    places.into_iter().find_map(|place| place["S"].as_str())
}

/// The size of an item in bytes: its names and values in UTF-8. A number takes one byte for every two
/// digits and one more. A list or map takes 3 bytes and one for each member
/// ([sizes](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)).
fn size(item: &Value) -> u64 {
    let attributes = item.as_object().into_iter().flatten();
    attributes
        .map(|(name, value)| name.len() as u64 + of_value(value))
        .sum()
}

fn of_value(value: &Value) -> u64 {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), value) {
        ("N", Value::String(digits)) => of_number(digits),
        ("NS", Value::Array(set)) => set.iter().filter_map(Value::as_str).map(of_number).sum(),
        (_, Value::String(text)) => text.len() as u64,
        ("L", Value::Array(list)) => 3 + list.iter().map(|value| 1 + of_value(value)).sum::<u64>(),
        ("M", map) => 3 + map.as_object().map_or(0, |map| map.len() as u64) + size(map),
        _ => 1,
    }
}

fn of_number(digits: &str) -> u64 {
    let digits = digits.bytes().filter(u8::is_ascii_digit).count() as u64;
    digits.div_ceil(2) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_item_counts_names_and_values() {
        let item = json!({
            "pk": { "S": "acme" }, "é": { "S": "é" }, "n": { "N": "-123" }, "no": { "NULL": true },
            "l": { "L": [{ "S": "ab" }] }, "m": { "M": { "x": { "BOOL": false } } },
        });
        assert_eq!(
            size(&item),
            (2 + 4) + (2 + 2) + (1 + 3) + (2 + 1) + (1 + 3 + 3) + (1 + 3 + 1 + 2)
        );
    }

    #[test]
    fn a_metered_call_reports_its_cost() {
        let output = json!({ "Items": [{ "pk": { "S": "x".repeat(5_000) } }], "ConsumedCapacity": { "CapacityUnits": 2.0 } });
        let input = json!({ "ExpressionAttributeValues": { ":pk": { "S": "#outbox:0" } } });
        let spent = Spent::of("Query", &input, output.to_string().as_bytes());
        assert_eq!(
            (spent.units, spent.by_rule, spent.items),
            (2.0, Some(2.0), 1)
        );
        assert!(spent.is_sweep() && !spent.is_write());
        let unindexed = |least: &str| {
            let values = json!({ ":pk": { "S": "#unindexed:0" }, ":least": { "S": least } });
            let input = json!({ "ExpressionAttributeValues": values });
            Spent::of("Query", &input, b"{}").is_sweep()
        };
        assert!(unindexed(" ") && !unindexed("acme:contacts:"));
        let batch =
            json!({ "ConsumedCapacity": [{ "CapacityUnits": 1.5 }, { "CapacityUnits": 2 }] });
        let spent = Spent::of("BatchGetItem", &Value::Null, batch.to_string().as_bytes());
        assert_eq!((spent.units, spent.by_rule), (3.5, None));
    }
}
