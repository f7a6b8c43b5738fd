//! Writes outside transactions: counters, and extensions of sessions. They change no data that a
//! user saved, and they must not make a transaction fail.

use crate::convert::{key_attributes, number, text};
use crate::error::{classify, is_bug, required_part};
use crate::{Store, StoreError};
use action::Key;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;

impl Store {
    /// Adds one to a counter that expires at `expires_at` (seconds since 1970). Returns its new
    /// value.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(&self, key: &Key, expires_at: i64) -> Result<u64, StoreError> {
        let response = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .update_expression("ADD #count :one SET expires_at = :expires_at")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires_at", number(expires_at))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|e| classify(e, |e| is_bug(e.code())))?;
        let attributes = required_part(response.attributes)?;
        let count = attributes.get("count");
        count
            .and_then(|value| value.as_n().ok()?.parse().ok())
            .ok_or_else(|| StoreError::Bug("a counter has no count".to_owned()))
    }

    /// Takes back one addition to a counter.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn uncount(&self, key: &Key) -> Result<(), StoreError> {
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .update_expression("ADD #count :less")
            .condition_expression("#count > :none")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":less", number(-1))
            .expression_attribute_values(":none", number(0))
            .send()
            .await;
        // If the condition fails, the counter has expired.
        unless_condition_failed(updated)
    }

    /// Adds one to a counter of events, for an event at `at`. Stores the attributes `about`, and the
    /// times of the first and the last event. The counter expires at `expires_at` (seconds since
    /// 1970).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally<const N: usize>(
        &self,
        key: &Key,
        about: [(&str, &str); N],
        at: Timestamp,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":at", text(&at.to_string()))
            .expression_attribute_values(":expires_at", number(expires_at));
        let mut set = "firstAt = if_not_exists(firstAt, :at), lastAt = :at, \
             expires_at = :expires_at"
            .to_owned();
        for (name, value) in about {
            set.push_str(&format!(", #{name} = :{name}"));
            request = request
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), text(value));
        }
        request
            .update_expression(format!("SET {set} ADD #count :one"))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, |e| is_bug(e.code())))
    }

    /// Extends a live session to `expires_at` (seconds since 1970). A session that has ended stays
    /// ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn extend(&self, session: &Key, now: i64, expires_at: i64) -> Result<(), StoreError> {
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(session)))
            .update_expression("SET expires_at = :expires_at")
            .condition_expression("attribute_exists(pk) AND expires_at > :now")
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":expires_at", number(expires_at))
            .send()
            .await;
        unless_condition_failed(updated)
    }
}

/// The result of an update that is not needed if its condition fails.
fn unless_condition_failed(
    updated: Result<UpdateItemOutput, SdkError<UpdateItemError>>,
) -> Result<(), StoreError> {
    match updated {
        Ok(_) => Ok(()),
        Err(e)
            if e.as_service_error()
                .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
        {
            Ok(())
        }
        Err(e) => Err(classify(e, |e| is_bug(e.code()))),
    }
}
