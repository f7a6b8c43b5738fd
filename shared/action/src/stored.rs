//! Reading stored items that another version of the product, or a bug, may have written.

use crate::Item;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The item as a `T`; `None` if it cannot be read as one.
pub(crate) fn read<T: DeserializeOwned>(item: &Item) -> Option<T> {
    T::deserialize(Value::Object(item.clone())).ok()
}

/// For `deserialize_with`: an attribute of another type counts as missing.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// For `deserialize_with`: whether the attribute is there, whatever its value.
pub(crate) fn is_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|IgnoredAny| true)
}

/// The item with these attributes written over. All others stay as they are.
pub(crate) fn with_changes(item: &Item, changes: &impl Serialize) -> Value {
    let mut item = item.clone();
    if let Ok(Value::Object(changes)) = serde_json::to_value(changes) {
        item.extend(changes);
    }
    Value::Object(item)
}
