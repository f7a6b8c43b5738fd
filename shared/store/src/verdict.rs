//! What a cancelled transaction means: the reasons, weighed in a fixed order.

use crate::convert::{Attributes, item};
use aws_sdk_dynamodb::types::CancellationReason;
use commit::{ActionError, Expect, Item, Operation};
use serde_json::Value;

/// What to do about a cancelled transaction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// The idempotency key has been used: here is its record.
    Recorded(Item),
    /// Somebody else is writing: try the same again.
    Contention,
    /// What was read has changed: read and decide again.
    Moved,
    /// A value that must be unique is taken.
    Taken(ActionError),
    /// Storage found the request itself wrong.
    Bug(String),
}

const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// Weighs the reasons, which stand in the order of the request: the idempotency record first
/// where the request is `keyed`, then `operations`.
///
/// The record's own reason decides before all others, because on a replay every other condition
/// fails too. A condition that failed decides before contention, since trying again would meet it
/// again.
pub(crate) fn verdict(reasons: &[CancellationReason], keyed: bool, operations: &[Operation]) -> Verdict {
    let (record, rest) = if keyed { (reasons.first(), reasons.get(1..).unwrap_or_default()) } else { (None, reasons) };
    match record.and_then(CancellationReason::code) {
        Some(CONDITION_FAILED) => return Verdict::Recorded(old_item(record)),
        Some("TransactionConflict") => return Verdict::Contention,
        _ => {}
    }
    let failed: Vec<_> =
        operations.iter().zip(rest).filter(|(_, reason)| reason.code() == Some(CONDITION_FAILED)).collect();
    let answers: Vec<_> = failed.iter().map(|(operation, reason)| taken(operation, reason)).collect();
    match answers.into_iter().collect::<Option<Vec<_>>>() {
        None => Verdict::Moved,
        Some(mut taken) if !taken.is_empty() => Verdict::Taken(taken.remove(0)),
        Some(_) => contention_or_bug(reasons),
    }
}

/// The answer that the operation itself names for its failed condition, if it names one.
fn taken(operation: &Operation, reason: &CancellationReason) -> Option<ActionError> {
    let owner = || old_item(Some(reason)).get("owner").and_then(Value::as_str).map(str::to_owned);
    match operation {
        Operation::Claim { conflict, .. } => Some(conflict.error(owner())),
        Operation::Put { expect: Expect::Absent, conflict: Some(conflict), .. } => Some(conflict.error(None)),
        _ => None,
    }
}

/// Codes of [`CancellationReason`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html)
/// that pass by themselves.
fn contention_or_bug(reasons: &[CancellationReason]) -> Verdict {
    let bugs: Vec<_> = reasons
        .iter()
        .filter(|reason| {
            !matches!(
                reason.code(),
                None | Some("None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
            )
        })
        .map(|reason| format!("{}: {}", reason.code().unwrap_or_default(), reason.message().unwrap_or_default()))
        .collect();
    if bugs.is_empty() { Verdict::Contention } else { Verdict::Bug(bugs.join("; ")) }
}

/// The item that stood in the way (`ReturnValuesOnConditionCheckFailure: ALL_OLD`).
fn old_item(reason: Option<&CancellationReason>) -> Item {
    let attributes: Option<Attributes> = reason.and_then(|reason| reason.item.clone());
    attributes.and_then(|attributes| item(attributes).ok()).map(|(_, item)| item).unwrap_or_default()
}
