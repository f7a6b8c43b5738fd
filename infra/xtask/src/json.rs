//! JSON as it is committed to the repository: with sorted keys, so that it does not depend on the
//! order in which it was made.

use serde_json::Value;

/// The value with the keys of every object sorted.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().collect();
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
            let pairs = pairs.into_iter();
            Value::Object(pairs.map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The text of a JSON file with this value.
pub(crate) fn pretty(value: Value) -> String {
    format!("{:#}\n", sorted(value))
}
