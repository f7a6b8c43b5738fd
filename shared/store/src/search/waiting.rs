//! The records of entities that are not indexed yet.

use super::END;
use crate::convert::{item, key_attributes, number};
use crate::transact::bug;
use crate::{Store, StoreError};
use action::{Item, Key, Unindexed};
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many records of each partition one run reads.
pub(super) const RECORDS: usize = 2_000;

/// The record of an entity that waits to be indexed.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    key: Key,
    /// The entity's id.
    pub(super) id: String,
    pub(super) record: Unindexed,
}

/// Parses the content of such a record.
pub(super) fn unindexed(item: Item) -> Result<Unindexed, StoreError> {
    serde_json::from_value(Value::Object(item))
        .map_err(|e| StoreError::Bug(format!("an unindexed record cannot be read: {e}")))
}

impl Store {
    /// The records of one partition from this sort key on, by collection.
    pub(super) async fn waiting(
        &self,
        pk: &str,
        from: &str,
    ) -> Result<BTreeMap<String, Vec<Waiting>>, StoreError> {
        let mut all: BTreeMap<String, Vec<Waiting>> = BTreeMap::new();
        for attributes in self.between(pk, (from, END), true, Some(RECORDS)).await? {
            let (key, item) = item(attributes)?;
            let (collection, id) = key.parts().1.rsplit_once(':').unwrap_or_default();
            let (collection, id) = (collection.to_owned(), id.to_owned());
            let record = unindexed(item)?;
            let waiting = Waiting { key, id, record };
            all.entry(collection).or_default().push(waiting);
        }
        Ok(all)
    }

    /// Removes the record, unless it has been written again.
    pub(super) fn remove_unchanged(
        &self,
        waiting: &Waiting,
    ) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&waiting.key)))
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(waiting.record.version))
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
