//! A commit as one transaction.

use crate::convert::{Attributes, item_attributes, key_attributes, number, text};
use crate::error::{classify, is_bug};
use crate::verdict::{CONFLICT, Verdict, said, verdict};
use crate::{Store, StoreError};
use action::{ActionError, Expect, Item, Key, Operation};
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld,
    TransactWriteItem,
};
use serde_json::Value;
use std::time::Duration;

/// The record of a keyed request's result.
#[derive(Debug, Clone, PartialEq)]
pub struct IdempotencyRecord {
    /// Where it is kept: the same for every request with the same key in the same scope.
    pub key: Key,
    /// The result, with its `expires_at`.
    pub item: Value,
    /// The time of the request, in seconds since 1970: a record that expired before counts as
    /// absent.
    pub now: i64,
}

/// Why nothing was written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Rejected {
    /// The idempotency key has been used: here is its record.
    #[error("the idempotency key has been used")]
    Recorded(Item),
    /// What was read has changed: read and decide again.
    #[error("what was read has changed")]
    Moved,
    /// A value that must be unique is taken.
    #[error("a unique value is taken: {0}")]
    Taken(ActionError),
    /// Storage failed; after [`StoreError::Timeout`] the commit may have been written.
    #[error(transparent)]
    Storage(#[from] StoreError),
}

/// How often a transaction is sent while others get in its way: waits of 10 ms and more, up to
/// about a second in all.
const ATTEMPTS: u32 = 8;

impl Store {
    /// Writes the record, at index 0 where there is one, and all operations, or nothing.
    ///
    /// # Errors
    /// [`Rejected`] where nothing was written, or that is not known.
    pub async fn transact(
        &self,
        saved: Option<&IdempotencyRecord>,
        operations: &[Operation],
    ) -> Result<(), Rejected> {
        let record = saved.map(|saved| self.record(saved)).transpose()?;
        let writes = operations.iter().map(|operation| self.write(operation));
        let items: Vec<_> = record
            .into_iter()
            .map(Ok)
            .chain(writes)
            .collect::<Result<_, _>>()?;
        for attempt in 0..ATTEMPTS {
            let Some(reasons) = self.send(items.clone()).await? else {
                return Ok(());
            };
            match verdict(&reasons, saved.is_some(), operations) {
                Verdict::Recorded(item) => return Err(Rejected::Recorded(item)),
                Verdict::Moved => return Err(Rejected::Moved),
                Verdict::Taken(error) => return Err(Rejected::Taken(error)),
                // Nothing was written, so the same may be sent again.
                Verdict::Bug(text) => return Err(StoreError::Unavailable(text).into()),
                Verdict::Contention => backoff(attempt).await,
            }
        }
        Err(StoreError::Unavailable("a transaction met others each time".to_owned()).into())
    }

    /// Sends the writes as one transaction, once. Gives the reasons why it was cancelled, one for
    /// each write, and none where all has been written.
    ///
    /// # Errors
    /// Where it is not known, or nothing that another attempt could change.
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
            // The same transaction, sent before, is under way: as if another were.
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                let conflict = CancellationReason::builder().code(CONFLICT).build();
                Ok(Some(vec![conflict]))
            }
            _ => Err(classify(error, |e| is_bug(e.code()))),
        }
    }

    fn record(&self, saved: &IdempotencyRecord) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item_attributes(&saved.key, &saved.item)?))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", number(saved.now))
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn write(&self, operation: &Operation) -> Result<TransactWriteItem, StoreError> {
        match operation {
            Operation::Put {
                key, item, expect, ..
            } => self.put(item_attributes(key, item)?, expectation(*expect)),
            Operation::Delete { key, expect } => self.delete(key, expectation(*expect)),
            Operation::Claim { guard, owner, .. } => {
                let free = "attribute_not_exists(pk) OR #owner = :owner";
                self.put(guard_attributes(guard, owner), Some(owned_by(free, owner)))
            }
            Operation::Release { guard, owner } => {
                self.delete(guard, Some(owned_by("#owner = :owner", owner)))
            }
            Operation::HandOver { guard, from, to } => {
                let passes_on = Some(owned_by("#owner = :owner", from));
                self.put(guard_attributes(guard, to), passes_on)
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

    fn check(&self, key: &Key, condition: Condition) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .build()
            .map_err(bug)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

#[derive(Default)]
struct Condition {
    expression: Option<String>,
    names: Option<std::collections::HashMap<String, String>>,
    values: Option<Attributes>,
}

fn expectation(expect: Expect) -> Option<Condition> {
    match expect {
        Expect::Anything => None,
        Expect::Absent => Some(Condition {
            expression: Some("attribute_not_exists(pk)".to_owned()),
            ..Condition::default()
        }),
        Expect::Present => Some(Condition {
            expression: Some("attribute_exists(pk)".to_owned()),
            ..Condition::default()
        }),
        Expect::Version(version) => Some(Condition {
            expression: Some("#version = :version".to_owned()),
            names: Some([("#version".to_owned(), "version".to_owned())].into()),
            values: Some([(":version".to_owned(), number(version))].into()),
        }),
    }
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

/// Where a transaction was cancelled for what does not pass by itself.
pub(crate) fn cancelled(reasons: &[CancellationReason]) -> StoreError {
    StoreError::Unavailable(format!("a transaction was cancelled: {}", said(reasons)))
}

pub(crate) fn bug(error: BuildError) -> StoreError {
    StoreError::Bug(error.to_string())
}

/// Waits before another attempt: a random time that doubles with each, at most 320 ms
/// ([full jitter](https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/)).
pub(crate) async fn backoff(attempt: u32) {
    let most = 10u64 << attempt.min(5);
    let random = getrandom::u64().unwrap_or(most);
    tokio::time::sleep(Duration::from_millis(random % most + 1)).await;
}
