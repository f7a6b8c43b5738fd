//! Transactions, and the writes that they consist of.

use crate::convert::{Attributes, attribute, item_attributes, key_attributes, number, text};
use crate::error::{classify, is_bug};
use crate::verdict::{CONFLICT, lasting};
use crate::{IdempotencyRecord, Store, StoreError};
use action::{Expect, Key, Operation};
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld,
    TransactWriteItem,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// A transaction takes at most this many items.
pub(crate) const TRANSACTION: usize = 100;

impl Store {
    /// Sends the writes as one transaction, once. Returns `None` if they were written. If DynamoDB
    /// cancelled the transaction, returns its reasons, one for each write.
    ///
    /// # Errors
    /// [`StoreError`] for any other failure.
    pub(crate) async fn send(
        &self,
        items: Vec<TransactWriteItem>,
    ) -> Result<Option<Vec<CancellationReason>>, StoreError> {
        let transaction = self.client.transact_write_items();
        let sent = transaction.set_transact_items(Some(items)).send().await;
        let Err(error) = sent else { return Ok(None) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                Ok(Some(cancelled.cancellation_reasons().to_vec()))
            }
            // The SDK sent the same transaction before, and it is still running: a conflict.
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                let conflict = CancellationReason::builder().code(CONFLICT).build();
                Ok(Some(vec![conflict]))
            }
            _ => Err(classify(error, |e| is_bug(e.code()))),
        }
    }

    pub(crate) fn put_record(
        &self,
        record: &IdempotencyRecord,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item_attributes(&record.key, &record.item)?))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", number(record.now))
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The write of one operation.
    pub(crate) fn write(&self, operation: &Operation) -> Result<TransactWriteItem, StoreError> {
        match operation {
            Operation::Put {
                key, item, expect, ..
            } => self.put(item_attributes(key, item)?, expectation(expect)?),
            Operation::Delete { key, expect } => self.delete(key, expectation(expect)?),
            Operation::Check { key, expect } => {
                self.check(key, expectation(expect)?.unwrap_or_default())
            }
            Operation::Claim { guard, owner, .. } => {
                let free = "attribute_not_exists(pk) OR #owner = :owner";
                self.put(guard_attributes(guard, owner), Some(owned_by(free, owner)))
            }
            Operation::Release { guard, owner } => {
                self.delete(guard, Some(owned_by("#owner = :owner", owner)))
            }
            Operation::HandOver { guard, from, to } => {
                let owned = Some(owned_by("#owner = :owner", from));
                self.put(guard_attributes(guard, to), owned)
            }
            Operation::Keep { guard, owner } => {
                self.check(guard, owned_by("#owner = :owner", owner))
            }
        }
    }

    fn put(
        &self,
        item: Attributes,
        condition: Option<Condition>,
    ) -> Result<TransactWriteItem, StoreError> {
        let condition = condition.unwrap_or_default();
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn delete(
        &self,
        key: &Key,
        condition: Option<Condition>,
    ) -> Result<TransactWriteItem, StoreError> {
        let condition = condition.unwrap_or_default();
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// The condition that an item exists.
    pub(crate) fn exists(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        self.check(key, expectation(&Expect::Present)?.unwrap_or_default())
    }

    /// The condition on an item that the transaction does not write. If it fails, the cancellation has
    /// the item.
    pub(crate) fn check(
        &self,
        key: &Key,
        condition: Condition,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// The condition of a write.
#[derive(Default)]
pub(crate) struct Condition {
    pub(crate) expression: Option<String>,
    pub(crate) names: Option<HashMap<String, String>>,
    pub(crate) values: Option<Attributes>,
}

fn expectation(expect: &Expect) -> Result<Option<Condition>, StoreError> {
    let simple = |expression: &str| Condition {
        expression: Some(expression.to_owned()),
        ..Condition::default()
    };
    Ok(match expect {
        Expect::Anything => None,
        Expect::Absent => Some(simple("attribute_not_exists(pk)")),
        Expect::Present => Some(simple("attribute_exists(pk)")),
        Expect::Version(version) => Some(Condition {
            expression: Some("#version = :version".to_owned()),
            names: Some([("#version".to_owned(), "version".to_owned())].into()),
            values: Some([(":version".to_owned(), number(version))].into()),
        }),
        Expect::Attributes(attributes) => Some(unchanged(attributes)?),
    })
}

/// The condition that the attributes have these values, or are missing.
fn unchanged(attributes: &BTreeMap<&'static str, Option<Value>>) -> Result<Condition, StoreError> {
    let (mut terms, mut names, mut values) = (Vec::new(), HashMap::new(), HashMap::new());
    for (name, value) in attributes {
        names.insert(format!("#{name}"), (*name).to_owned());
        match value {
            Some(value) => {
                terms.push(format!("#{name} = :{name}"));
                values.insert(format!(":{name}"), attribute(value)?);
            }
            None => terms.push(format!("attribute_not_exists(#{name})")),
        }
    }
    Ok(Condition {
        expression: Some(terms.join(" AND ")),
        names: Some(names),
        // DynamoDB refuses an empty map.
        values: Some(values).filter(|values| !values.is_empty()),
    })
}

fn owned_by(expression: &str, owner: &str) -> Condition {
    Condition {
        expression: Some(expression.to_owned()),
        names: Some([("#owner".to_owned(), "owner".to_owned())].into()),
        values: Some([(":owner".to_owned(), text(owner))].into()),
    }
}

fn guard_attributes(guard: &Key, owner: &str) -> Attributes {
    let mut attributes = key_attributes(guard);
    attributes.insert("owner".to_owned(), text(owner));
    attributes
}

/// The error for a cancelled transaction that must not be sent again: a bug, unless the response
/// gives no lasting reason.
pub(crate) fn cancelled(reasons: &[CancellationReason]) -> StoreError {
    match lasting(reasons) {
        text if text.is_empty() => {
            StoreError::Unavailable("a transaction was cancelled without a reason".to_owned())
        }
        text => StoreError::Bug(format!("a transaction was cancelled: {text}")),
    }
}

pub(crate) fn bug(error: BuildError) -> StoreError {
    StoreError::Bug(error.to_string())
}

/// Waits before the next attempt: a random time whose limit doubles with each attempt, up to 320 ms
/// ([full jitter](https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/)).
pub(crate) async fn backoff(attempt: u32) {
    let longest = 10u64 << attempt.min(5);
    let random = getrandom::u64().unwrap_or(longest);
    tokio::time::sleep(Duration::from_millis(random % longest + 1)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_for(code: Option<&str>) -> StoreError {
        let reason = CancellationReason::builder();
        cancelled(&[reason.set_code(code.map(str::to_owned)).build()])
    }

    #[test]
    fn a_cancellation_is_a_bug_only_for_a_reason_that_lasts() {
        for code in ["ValidationError", "ItemCollectionSizeLimitExceeded"] {
            let error = error_for(Some(code));
            assert!(
                matches!(&error, StoreError::Bug(text) if text.contains(code)),
                "{error}"
            );
        }
        for code in [None, Some("None"), Some("ThrottlingError")] {
            let error = error_for(code);
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        }
    }
}
