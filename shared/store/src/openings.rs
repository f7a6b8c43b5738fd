//! Openings: a view opens the marks of its tags before it reads, so that the edge may cache its page.

use crate::allowance::Room;
use crate::convert::{Attributes, item, key_attributes, number, text};
use crate::error::{classify, is_bug};
use crate::marks::{expires_at, lapsed, mark_key, millis};
use crate::transact::bug;
use crate::verdict::has_failed;
use crate::{Store, StoreError, tenant_of};
use action::Key;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// What a view asks for: to cache a page with a tag.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// The tag.
    pub tag: &'a str,
    /// The entity whose page it is; `None` for a range of entities. Requests for random ids must not
    /// fill the table with marks.
    pub entity: Option<&'a Key>,
    /// The CloudFront distribution that caches the page.
    pub distribution: &'a str,
    /// For how long the data must not have changed.
    pub quiet: Duration,
    /// The time, in milliseconds since 1970.
    pub now: i64,
}

/// Whether the page may be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It may be cached.
    Yes,
    /// The data changed a short time ago, at this time in milliseconds since 1970.
    Changed(i64),
    /// Nothing is reserved for the mark in this window.
    Unreserved,
    /// The organisation has used its part of the allowance.
    NoRoom,
    /// The entity does not exist, or a commit is writing the mark.
    Busy,
}

/// Opens a mark.
const OPEN: &str = "SET markedAt = :now, render = :render, distribution = :distribution, \
                    reservedIn = :window, expires_at = :expires_at REMOVE closed, pending";

/// The condition that the data has been quiet.
const CHANGED_LONG_AGO: &str = "(attribute_not_exists(changedAt) OR changedAt <= :quiet)";

/// The condition that the mark is open, and that its price is reserved in this window.
const RESERVED: &str =
    "markedAt > :lapsed AND attribute_not_exists(closed) AND reservedIn = :window";

impl Opening<'_> {
    /// The latest change that is long enough ago.
    fn quiet_since(&self) -> i64 {
        self.now.saturating_sub(millis(self.quiet))
    }

    fn values(&self, window: i64) -> Attributes {
        [
            (":now", number(self.now)),
            (":render", text(&Uuid::new_v4().to_string())),
            (":distribution", text(self.distribution)),
            (":window", number(window)),
            (":expires_at", number(expires_at(self.now))),
            (":quiet", number(self.quiet_since())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Why the mark was not opened, if a change is the reason.
    fn changed(&self, mark: Option<&Attributes>) -> Option<i64> {
        let (_, mark) = item(mark?.clone()).ok()?;
        let changed_at = mark.get("changedAt").and_then(Value::as_i64)?;
        (changed_at > self.quiet_since()).then_some(changed_at)
    }
}

impl Store {
    /// Renews an open mark whose price is reserved in this window. Call it before the read that the
    /// cached page shows.
    ///
    /// # Errors
    /// [`StoreError`]. The page must then not be cached.
    pub async fn renew_mark(
        &self,
        opening: &Opening<'_>,
        window: i64,
    ) -> Result<Opened, StoreError> {
        let renewed = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&mark_key(opening.tag))))
            .update_expression(OPEN)
            .condition_expression(format!("{CHANGED_LONG_AGO} AND {RESERVED}"))
            .set_expression_attribute_values(Some(opening.values(window)))
            .expression_attribute_values(":lapsed", number(lapsed(opening.now)))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let Err(error) = renewed else {
            return Ok(Opened::Yes);
        };
        if let Some(UpdateItemError::ConditionalCheckFailedException(failed)) =
            error.as_service_error()
        {
            let changed = opening.changed(failed.item());
            return Ok(changed.map_or(Opened::Unreserved, Opened::Changed));
        }
        // A commit is writing the mark.
        if error.code() == Some("TransactionConflictException") {
            return Ok(Opened::Busy);
        }
        Err(classify(error, |e| is_bug(e.code())))
    }

    /// Opens a mark, and reserves what it can cost. Call it before the read that the cached page shows.
    ///
    /// # Errors
    /// [`StoreError`]. The page must then not be cached.
    pub async fn open_mark(
        &self,
        opening: &Opening<'_>,
        room: &Room,
    ) -> Result<Opened, StoreError> {
        let mark = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&mark_key(opening.tag))))
            .update_expression(OPEN)
            .condition_expression(CHANGED_LONG_AGO)
            .set_expression_attribute_values(Some(opening.values(room.window)))
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(bug)?;
        let mut items = vec![TransactWriteItem::builder().update(mark).build()];
        items.extend(self.reserve(tenant_of(opening.tag), room, opening.now)?);
        if let Some(entity) = opening.entity {
            items.push(self.exists(entity)?);
        }
        let Some(reasons) = self.send(items).await? else {
            return Ok(Opened::Yes);
        };
        let changed = reasons
            .first()
            .and_then(|reason| opening.changed(reason.item()));
        if let Some(changed_at) = changed {
            return Ok(Opened::Changed(changed_at));
        }
        let no_room = reasons.get(1..3).unwrap_or_default().iter().any(has_failed);
        Ok(if no_room {
            Opened::NoRoom
        } else {
            Opened::Busy
        })
    }
}
