//! Reads, all strongly consistent.

use crate::convert::{Attributes, item, key_attributes, text};
use crate::error::{classify, is_bug, required_part};
use crate::transact::backoff;
use crate::verdict::lasting;
use crate::{Store, StoreError};
use action::{Item, Key, Query, RangeItems};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::types::{Get, KeysAndAttributes, TransactGetItem};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// [`BatchGetItem`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)
/// takes at most this many keys.
const BATCH: usize = 100;

/// How many items one request reads if a filter may drop some of them.
pub(crate) const FILTERED_PAGE: i32 = 500;

/// How often a read is sent if storage processes only a part of it or is busy.
const ATTEMPTS: u32 = 6;

impl Store {
    /// The items of `keys` that exist. Makes one round trip for each hundred keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn items(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<BTreeMap<Key, Item>, StoreError> {
        let keys: Vec<Key> = keys
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let keys = keys.iter().map(key_attributes).collect();
        let found = self.raw_items(keys, true).await?;
        found.into_iter().map(item).collect()
    }

    /// The items of `keys` that exist, as the SDK's attributes.
    pub(crate) async fn raw_items(
        &self,
        keys: Vec<Attributes>,
        consistent: bool,
    ) -> Result<Vec<Attributes>, StoreError> {
        let mut found = Vec::new();
        for batch in keys.chunks(BATCH) {
            self.batch(batch.to_vec(), consistent, &mut found).await?;
        }
        Ok(found)
    }

    /// Reads one batch, and repeats the read for unprocessed keys.
    async fn batch(
        &self,
        mut keys: Vec<Attributes>,
        consistent: bool,
        found: &mut Vec<Attributes>,
    ) -> Result<(), StoreError> {
        for attempt in 0..ATTEMPTS {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(consistent)
                .build()
                .map_err(|e| StoreError::Bug(e.to_string()))?;
            let response = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .send()
                .await
                .map_err(|e| classify(e, |e| is_bug(e.code())))?;
            found.extend(required_part(response.responses)?.into_values().flatten());
            let left = response
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&self.table);
            keys = left.map(|rest| rest.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(());
            }
            backoff(attempt).await;
        }
        Err(StoreError::Unavailable(
            "a read stayed unprocessed".to_owned(),
        ))
    }

    /// One item. Waits for a transaction that is writing it, so that its result is not missed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settled_item(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        for attempt in 0..ATTEMPTS {
            let get = Get::builder()
                .table_name(&self.table)
                .set_key(Some(key_attributes(key)))
                .build()
                .map_err(|e| StoreError::Bug(e.to_string()))?;
            let sent = self
                .client
                .transact_get_items()
                .transact_items(TransactGetItem::builder().get(get).build())
                .send()
                .await;
            match sent {
                Ok(response) => {
                    let responses = required_part(response.responses)?;
                    let attributes = responses.into_iter().find_map(|response| response.item);
                    return Ok(attributes.map(item).transpose()?.map(|(_, item)| item));
                }
                Err(e) if e.as_service_error().is_some_and(is_contention) => backoff(attempt).await,
                Err(e) => return Err(classify(e, is_read_bug)),
            }
        }
        Err(StoreError::Unavailable(
            "a read conflicted with a transaction at each attempt".to_owned(),
        ))
    }

    /// The items of a range that pass its filter, newest first, up to its limit. With a filter it
    /// stops after [`Query::max_read`] items, however few of them pass.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn range(&self, query: &Query) -> Result<RangeItems, StoreError> {
        let mut found = Vec::new();
        let (mut from, mut read) = (None, 0);
        loop {
            let (items, next) = self.page(query, page_size(query), from).await?;
            read += items.len();
            let last = items.last().map(|(key, _)| key.parts().1.to_owned());
            let passing = items.into_iter().map(|(_, item)| item);
            found.extend(passing.filter(|item| query.passes(item)));
            from = next;
            if found.len() >= query.limit || from.is_none() {
                found.truncate(query.limit);
                return Ok(found.into());
            }
            if query.filter.is_some() && read >= query.max_read {
                return Ok(RangeItems {
                    items: found,
                    unread: last,
                });
            }
        }
    }

    /// The next items of a range, at most `limit`, without its filter; and the key from which to
    /// read on.
    pub(crate) async fn page(
        &self,
        query: &Query,
        limit: i32,
        from: Option<Attributes>,
    ) -> Result<(Vec<(Key, Item)>, Option<Attributes>), StoreError> {
        let response = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .set_key_condition_expression(Some(condition(query).to_owned()))
            .set_expression_attribute_values(Some(bounds(query)))
            .limit(limit)
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|e| classify(e, |e| is_bug(e.code())))?;
        let items = required_part(response.items)?.into_iter().map(item);
        Ok((
            items.collect::<Result<_, _>>()?,
            response.last_evaluated_key,
        ))
    }

    /// The items of a partition with sort keys from `least` to `most`, inclusive, in ascending order
    /// if `forward`, else in descending order. Stops after about `limit` items.
    pub(crate) async fn between(
        &self,
        pk: &str,
        (least, most): (&str, &str),
        forward: bool,
        limit: Option<usize>,
    ) -> Result<Vec<Attributes>, StoreError> {
        // DynamoDB refuses an empty string in a condition on a key. No key is less than this one.
        let least = if least.is_empty() { "\u{1}" } else { least };
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let left = limit.map(|limit| limit.saturating_sub(found.len()));
            let response = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .scan_index_forward(forward)
                .key_condition_expression("pk = :pk AND sk BETWEEN :least AND :most")
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":least", text(least))
                .expression_attribute_values(":most", text(most))
                .set_limit(left.and_then(|left| i32::try_from(left).ok()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|e| classify(e, |e| is_bug(e.code())))?;
            found.extend(required_part(response.items)?);
            from = response.last_evaluated_key;
            let enough = limit.is_some_and(|limit| found.len() >= limit);
            if enough || from.is_none() {
                return Ok(found);
            }
        }
    }

    /// Reads the whole table, for a command that checks it. No function has the permission. Each item
    /// is read consistently, but not all at the same time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scan(&self, mut each: impl FnMut(Key, Item)) -> Result<(), StoreError> {
        let mut from = None;
        loop {
            let response = self
                .client
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|e| classify(e, |e| is_bug(e.code())))?;
            for attributes in required_part(response.items)? {
                let (key, item) = item(attributes)?;
                each(key, item);
            }
            from = response.last_evaluated_key;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}

fn condition(query: &Query) -> &'static str {
    if query.after.is_some() {
        "pk = :pk AND sk < :after"
    } else {
        "pk = :pk"
    }
}

fn bounds(query: &Query) -> Attributes {
    let mut bounds = HashMap::from([(":pk".to_owned(), text(&query.pk))]);
    if let Some(after) = &query.after {
        bounds.insert(":after".to_owned(), text(after));
    }
    bounds
}

fn page_size(query: &Query) -> i32 {
    match query.filter {
        Some(_) => FILTERED_PAGE,
        None => i32::try_from(query.limit).unwrap_or(i32::MAX),
    }
}

/// Whether the read met other transactions or throttling, so that a retry may succeed.
fn is_contention(error: &TransactGetItemsError) -> bool {
    match error {
        TransactGetItemsError::TransactionCanceledException(cancelled) => {
            lasting(cancelled.cancellation_reasons()).is_empty()
        }
        _ => error.is_provisioned_throughput_exceeded_exception(),
    }
}

/// Whether the read itself is wrong. A cancellation by contention was retried before.
fn is_read_bug(error: &TransactGetItemsError) -> bool {
    error.is_transaction_canceled_exception() || is_bug(error.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;

    #[test]
    fn a_read_is_retried_after_contention_but_not_after_a_bug() {
        let cancelled = |code: &str| {
            let reason = CancellationReason::builder().code(code).build();
            let exception = TransactionCanceledException::builder();
            let exception = exception.cancellation_reasons(reason).build();
            TransactGetItemsError::TransactionCanceledException(exception)
        };
        assert!(is_contention(&cancelled("TransactionConflict")));
        let bug = cancelled("ValidationError");
        assert!(!is_contention(&bug) && is_read_bug(&bug));
    }
}
