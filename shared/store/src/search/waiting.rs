//! The records of entities that are not indexed yet.

use super::END;
use super::index::{ENTITIES, Portion};
use crate::convert::{item, key_attributes, number};
use crate::error::classify;
use crate::transact::bug;
use crate::{Store, StoreError};
use action::{Entity, Item, Key, Search, Unindexed};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use serde_json::Value;

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
    /// The first collection of a partition whose records sort after `behind`, and the first of
    /// these records: as many as one turn indexes.
    pub(super) async fn waiting(
        &self,
        pk: &str,
        behind: &str,
    ) -> Result<Option<(String, Vec<Waiting>)>, StoreError> {
        let (range, mut portion) = ((behind, END), Portion::default());
        let mut first: Option<(String, Vec<Waiting>)> = None;
        for attributes in self.between(pk, range, true, Some(ENTITIES)).await? {
            let (key, item) = item(attributes)?;
            let (collection, id) = key.parts().1.rsplit_once(':').unwrap_or_default();
            let (collection, id) = (collection.to_owned(), id.to_owned());
            let (of, records) = first.get_or_insert_with(|| (collection.clone(), Vec::new()));
            let record = unindexed(item)?;
            if *of != collection || !portion.add(&record.texts) {
                break;
            }
            records.push(Waiting { key, id, record });
        }
        Ok(first)
    }

    /// These records with texts in the form of today. Where one has another form, or was made by a
    /// search, the texts are those of the entity itself; none if it has been removed.
    pub(super) async fn in_form<E: Entity>(
        &self,
        collection: &str,
        waiting: &[Waiting],
    ) -> Result<Vec<Waiting>, StoreError> {
        let mut waiting = waiting.to_vec();
        let is_other =
            |one: &Waiting| one.record.form != E::TEXTS_FORM || one.record.texts.is_empty();
        let key = |one: &Waiting| Key::from_parts(collection.to_owned(), one.id.clone());
        let other = waiting.iter().filter(|one| is_other(one)).map(key);
        let found = self.items(other).await?;
        for one in waiting.iter_mut().filter(|one| is_other(one)) {
            one.record.texts = found.get(&key(one)).map(E::texts).unwrap_or_default();
        }
        Ok(waiting)
    }

    /// Makes an entity wait to be indexed, unless it does already, so that its collection gets a turn:
    /// the index is missing or has texts of an earlier form. Does not return a failure, because the
    /// next search asks again.
    pub(super) async fn ask_for_index(&self, search: &Search, entity: &(String, Item)) {
        let (pk, prefix) = search.unindexed.parts();
        let (id, item) = entity;
        let Some(version) = item.get("version").and_then(Value::as_u64) else {
            return;
        };
        let key = Key::from_parts(pk.to_owned(), format!("{prefix}{id}"));
        // Without texts: the index reads those of the entity.
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&key)))
            .update_expression("SET #version = :version, texts = :texts")
            .condition_expression("attribute_not_exists(pk)")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(version))
            .expression_attribute_values(":texts", AttributeValue::L(Vec::new()))
            .send();
        if let Err(error) = write.await
            && error.code() != Some("ConditionalCheckFailedException")
        {
            let error = classify(error, |_| false);
            tracing::warn!(%error, "an index was not asked for");
        }
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
