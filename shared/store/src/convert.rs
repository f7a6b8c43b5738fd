//! Conversions between JSON values and DynamoDB's attributes.

use crate::StoreError;
use action::{Item, Key};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use std::collections::HashMap;

/// An item as the SDK's type.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// The key attributes of `key`.
pub(crate) fn key_attributes(key: &Key) -> Attributes {
    let (pk, sk) = key.parts();
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// An item to write. Fails if `value` is not an object.
pub(crate) fn item_attributes(key: &Key, value: &Value) -> Result<Attributes, StoreError> {
    let mut attributes: Attributes = serde_dynamo::to_item(value)
        .map_err(|e| StoreError::Bug(format!("an item cannot be written: {e}")))?;
    attributes.extend(key_attributes(key));
    Ok(attributes)
}

/// A value of an item.
pub(crate) fn attribute(value: &Value) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value)
        .map_err(|e| StoreError::Bug(format!("a value cannot be written: {e}")))
}

/// Splits an item that was read into its key and its other attributes.
pub(crate) fn item(attributes: Attributes) -> Result<(Key, Item), StoreError> {
    let mut item: Item = serde_dynamo::from_item(attributes)
        .map_err(|e| StoreError::Bug(format!("an item cannot be read: {e}")))?;
    match (item.remove("pk"), item.remove("sk")) {
        (Some(Value::String(pk)), Some(Value::String(sk))) => Ok((Key::from_parts(pk, sk), item)),
        _ => Err(StoreError::Bug("an item has no key".to_owned())),
    }
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
