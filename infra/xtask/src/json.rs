//! JSON as it is committed: keys in order, so that it does not depend on how it was made.

use serde_json::Value;

/// The value with the keys of every object in order.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().collect();
            pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
            let pairs = pairs.into_iter();
            Value::Object(pairs.map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The text of a file that holds the value.
pub(crate) fn pretty(value: Value) -> String {
    format!("{:#}\n", sorted(value))
}
