//! What a cancelled transaction means: its reasons, checked in a fixed order.

use crate::convert::{Attributes, item};
use action::{ActionError, Expect, Item, Operation};
use aws_sdk_dynamodb::types::CancellationReason;
use serde_json::Value;

/// What to do about a cancelled transaction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// The idempotency key has been used. Contains its record.
    Recorded(Item),
    /// It conflicted with other writes: send it again.
    Contention,
    /// An item that was read has changed: rerun on fresh reads.
    Moved,
    /// A value that must be unique is taken.
    Taken(ActionError),
    /// The request itself is wrong.
    Bug(String),
}

const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// Another transaction is writing the item.
pub(crate) const CONFLICT: &str = "TransactionConflict";

/// Decides what a cancelled transaction means. The reasons are in the order of the request: first
/// the idempotency record if the request is `keyed`, then `operations`.
///
/// The record's reason decides before all others, because on a replay every other condition fails
/// too. A failed condition decides before contention, because it would fail again on the next
/// attempt.
pub(crate) fn verdict(
    reasons: &[CancellationReason],
    keyed: bool,
    operations: &[Operation],
) -> Verdict {
    let (record, rest) = if keyed {
        (reasons.first(), reasons.get(1..).unwrap_or_default())
    } else {
        (None, reasons)
    };
    match record.and_then(CancellationReason::code) {
        Some(CONDITION_FAILED) => return Verdict::Recorded(old_item(record)),
        Some(CONFLICT) => return Verdict::Contention,
        _ => {}
    }
    let failed: Vec<_> = operations
        .iter()
        .zip(rest)
        .filter(|(_, reason)| has_failed(reason))
        .collect();
    let errors: Vec<_> = failed
        .iter()
        .map(|(operation, reason)| taken(operation, reason))
        .collect();
    match errors.into_iter().collect::<Option<Vec<_>>>() {
        None => Verdict::Moved,
        Some(mut taken) if !taken.is_empty() => Verdict::Taken(taken.remove(0)),
        Some(_) => contention_or_bug(reasons),
    }
}

/// The error that the operation defines for its failed condition, if it defines one.
fn taken(operation: &Operation, reason: &CancellationReason) -> Option<ActionError> {
    let owner = || {
        old_item(Some(reason))
            .get("owner")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    match operation {
        Operation::Claim { conflict, .. } => Some(conflict.error(owner())),
        Operation::Put {
            expect: Expect::Absent,
            conflict: Some(conflict),
            ..
        } => Some(conflict.error(None)),
        _ => None,
    }
}

/// Whether a transaction conflicted with other writes or was throttled, so that a retry may succeed.
pub(crate) fn is_contended(reasons: &[CancellationReason]) -> bool {
    reasons.iter().any(is_transient)
}

/// Whether the item's condition failed.
pub(crate) fn has_failed(reason: &CancellationReason) -> bool {
    reason.code() == Some(CONDITION_FAILED)
}

/// Removes the writes whose conditions failed, given the reasons for them in the same order.
/// Returns whether it removed any.
pub(crate) fn leave_out_failed<T>(writes: &mut Vec<T>, reasons: &[CancellationReason]) -> bool {
    let before = writes.len();
    let mut reasons = reasons.iter();
    writes.retain(|_| reasons.next().is_none_or(|reason| !has_failed(reason)));
    writes.len() < before
}

/// Whether the same transaction may succeed if it is sent again. Source:
/// [`CancellationReason`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
fn is_transient(reason: &CancellationReason) -> bool {
    matches!(
        reason.code(),
        Some(CONFLICT | "ThrottlingError" | "ProvisionedThroughputExceeded")
    )
}

fn contention_or_bug(reasons: &[CancellationReason]) -> Verdict {
    match lasting(reasons) {
        text if text.is_empty() => Verdict::Contention,
        text => Verdict::Bug(text),
    }
}

/// The codes and messages of the reasons for which a retry would fail again, without the items.
/// Empty if there are none.
pub(crate) fn lasting(reasons: &[CancellationReason]) -> String {
    let lasting = reasons
        .iter()
        .filter(|reason| !is_transient(reason) && !matches!(reason.code(), None | Some("None")));
    let texts: Vec<_> = lasting
        .map(|reason| {
            let (code, message) = (reason.code(), reason.message());
            format!(
                "{}: {}",
                code.unwrap_or_default(),
                message.unwrap_or_default()
            )
        })
        .collect();
    texts.join("; ")
}

/// The stored item that made the condition fail (`ReturnValuesOnConditionCheckFailure: ALL_OLD`).
fn old_item(reason: Option<&CancellationReason>) -> Item {
    let attributes: Option<Attributes> = reason.and_then(|reason| reason.item.clone());
    attributes
        .and_then(|attributes| item(attributes).ok())
        .map(|(_, item)| item)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use action::{Conflict, Key, Version};
    use aws_sdk_dynamodb::types::AttributeValue;
    use serde_json::json;
    use std::collections::HashMap;

    const EMAIL: Conflict = Conflict {
        field: "email",
        message: "taken",
        reveal: true,
    };

    fn key(name: &str) -> Key {
        Key::record("test", name, "x")
    }

    /// A put that expects a version, a claim and a release: an update that changes an email.
    fn operations() -> Vec<Operation> {
        let owner = "me".to_owned();
        vec![
            Operation::Put {
                key: key("item"),
                item: json!({}),
                expect: Expect::Version(Version::FIRST),
                conflict: None,
            },
            Operation::Claim {
                guard: key("new"),
                owner: owner.clone(),
                conflict: EMAIL,
            },
            Operation::Release {
                guard: key("old"),
                owner,
            },
        ]
    }

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    fn with_old(code: &str, name: &str, value: &str) -> CancellationReason {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let item = HashMap::from([
            ("pk".to_owned(), text("p")),
            ("sk".to_owned(), text("s")),
            (name.to_owned(), text(value)),
        ]);
        CancellationReason::builder()
            .code(code)
            .set_item(Some(item))
            .build()
    }

    const TRANSIENT: [&str; 4] = [
        "None",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];

    /// Every combination of these codes for the record and the three operations.
    fn combinations() -> impl Iterator<Item = [&'static str; 4]> {
        let codes = [
            "None",
            "ConditionalCheckFailed",
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
        ];
        (0..625).map(move |n| [n % 5, n / 5 % 5, n / 25 % 5, n / 125].map(|i| codes[i]))
    }

    #[test]
    fn every_combination_of_reasons_is_checked_in_the_fixed_order() {
        for codes in combinations() {
            let reasons = codes.map(reason);
            let [record, put, claim, release] = codes.map(|code| code == CONDITION_FAILED);
            let expected = |verdict: &Verdict| match verdict {
                Verdict::Recorded(_) => record,
                Verdict::Moved => !record && codes[0] != "TransactionConflict" && (put || release),
                Verdict::Taken(_) => {
                    !record && codes[0] != "TransactionConflict" && claim && !put && !release
                }
                Verdict::Contention => {
                    !record && (codes[0] == "TransactionConflict" || !(put || claim || release))
                }
                Verdict::Bug(_) => false,
            };
            let verdict = verdict(&reasons, true, &operations());
            assert!(expected(&verdict), "{codes:?} gave {verdict:?}");
        }
    }

    #[test]
    fn without_a_key_the_first_reason_belongs_to_the_first_operation() {
        let reasons = [CONDITION_FAILED, "None", "None"].map(reason);
        assert_eq!(verdict(&reasons, false, &operations()), Verdict::Moved);
    }

    #[test]
    fn a_used_key_returns_its_record() {
        let reasons = [
            with_old(CONDITION_FAILED, "fingerprint", "f"),
            reason(CONDITION_FAILED),
            reason("None"),
            reason("None"),
        ];
        let Verdict::Recorded(item) = verdict(&reasons, true, &operations()) else {
            panic!("the key counts as unused")
        };
        assert_eq!(item["fingerprint"], "f");
    }

    #[test]
    fn a_taken_value_names_its_owner() {
        let reasons = [
            reason("None"),
            reason("None"),
            with_old(CONDITION_FAILED, "owner", "you"),
            reason("ThrottlingError"),
        ];
        assert_eq!(
            verdict(&reasons, true, &operations()),
            Verdict::Taken(EMAIL.error(Some("you".to_owned())))
        );
    }

    #[test]
    fn a_reason_that_lasts_is_a_bug() {
        for code in [
            "ValidationError",
            "ItemCollectionSizeLimitExceeded",
            "NewInTwoYears",
        ] {
            let reasons = [TRANSIENT[0], code, TRANSIENT[1], TRANSIENT[2]].map(reason);
            assert!(
                matches!(verdict(&reasons, true, &operations()), Verdict::Bug(_)),
                "{code}"
            );
        }
    }
}
