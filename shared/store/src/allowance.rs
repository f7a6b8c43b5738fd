//! The allowance of purges: how many items of CloudFront's invalidations may still be bought this month.
//!
//! An item costs money beyond the first thousand a month. So a page may be cached only if the allowance
//! covers what its mark can cost. Opening a mark *reserves* that, in the current window of 15 minutes.
//! What is bought counts for the month. A mark can cost something for [`LIFE`] after it was opened or
//! renewed, and it may take some sweeps until that is counted. That is less than a window. So the
//! reservations of this window and of the one before cover everything that may still be bought.

use crate::convert::{key_attributes, number};
use crate::marks::{KEPT_AT_EDGE, SETTLING, expires_at};
use crate::transact::bug;
use crate::{Store, StoreError};
use action::{Item, Key};
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What an open mark can cost: a purge, and a second one for pages that were on their way.
pub(crate) const PRICE: u64 = 2;

/// For how long a mark can cost something after it was opened.
const LIFE: Duration = Duration::from_secs(KEPT_AT_EDGE.as_secs() + SETTLING.as_secs());

/// How long a window of reservations is, in milliseconds.
const WINDOW: i64 = 900_000;
const _: () = assert!(
    LIFE.as_millis() < WINDOW as u128,
    "a mark may outlive the window after its reservation"
);

/// One part in this many of the allowance is kept back.
const KEPT_BACK: u64 = 50;

/// How long the counts of a month are kept after it, in seconds.
const KEPT: i64 = 100 * 86_400;

/// The items that were bought for each organisation.
pub type Bought = BTreeMap<String, u64>;

/// How many items may be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The most items in a calendar month (UTC).
    pub a_month: u64,
}

impl Allowance {
    /// How many items may have been bought by `now` (in milliseconds since 1970): a quarter of the month's
    /// from its beginning, and the rest at an even pace.
    fn by(self, now: i64) -> u64 {
        // The rest is for views that are opening a mark while the window changes.
        let usable = self.a_month - self.a_month / KEPT_BACK;
        let burst = usable / 4;
        let Some(month) = month(now) else { return 0 };
        let passed = i128::from(now - month.start) * i128::from(usable - burst);
        let pace = passed / i128::from(month.length);
        usable.min(burst + u64::try_from(pace).unwrap_or(0))
    }
}

/// A calendar month, UTC.
struct Month {
    /// `2026-11`.
    name: String,
    /// When it begins, in milliseconds since 1970.
    start: i64,
    /// How long it is, in milliseconds.
    length: i64,
}

fn month(now: i64) -> Option<Month> {
    let at = Timestamp::from_millisecond(now).ok()?;
    let date = at.to_zoned(TimeZone::UTC).date();
    let millis = |date: jiff::civil::Date| {
        let start = date.to_zoned(TimeZone::UTC).ok()?;
        Some(start.timestamp().as_millisecond())
    };
    let start = millis(date.first_of_month())?;
    let end = millis(date.last_of_month().tomorrow().ok()?)?;
    Some(Month {
        name: date.strftime("%Y-%m").to_string(),
        start,
        length: end - start,
    })
}

/// Whose items are counted.
#[derive(Clone, Copy)]
enum Scope<'a> {
    All,
    Tenant(&'a str),
}

impl Scope<'_> {
    fn key(self, name: &str) -> Key {
        match self {
            Self::All => Key::record("edge", "purges", name),
            Self::Tenant(tenant) => Key::record("purges", tenant, name),
        }
    }

    fn month(self, now: i64) -> Key {
        let name = month(now).map(|month| month.name);
        self.key(&name.unwrap_or_default())
    }

    fn window(self, window: i64) -> Key {
        self.key(&format!("window:{window}"))
    }
}

/// The number of the window of a time, in milliseconds since 1970.
#[must_use]
pub fn window(now: i64) -> i64 {
    now.div_euclid(WINDOW)
}

/// What one organisation may still reserve in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// The window.
    pub window: i64,
    /// What all organisations together may reserve in the window.
    all: u64,
    /// What the organisation may reserve in the window.
    tenant: u64,
    /// How many items the organisation may still have bought at the pace of the month.
    pub left: u64,
}

impl Room {
    /// Whether the organisation may open a mark.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.all >= PRICE && self.tenant >= PRICE
    }
}

impl Store {
    /// What an organisation may still reserve in the window of `now` (in milliseconds since 1970). All
    /// together have what is left of the allowance. An organisation leaves at least as much to the others as
    /// it has used itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn room(
        &self,
        allowance: Allowance,
        tenant: &str,
        now: i64,
    ) -> Result<Room, StoreError> {
        let window = window(now);
        let scopes = [Scope::All, Scope::Tenant(tenant)];
        let keys = scopes.map(|scope| {
            let windows = [scope.window(window - 1), scope.window(window)];
            (scope.month(now), windows)
        });
        let wanted = keys.iter().cloned();
        let found = self
            .items(wanted.flat_map(|(month, [before, this])| [month, before, this]))
            .await?;
        let count = |key: &Key, name: &str| {
            let count = found.get(key).and_then(|item: &Item| item.get(name));
            count.and_then(Value::as_u64).unwrap_or(0)
        };
        let [all, own] = keys.map(|(month, [before, this])| Used {
            bought: count(&month, "bought"),
            before: count(&before, "reserved"),
            this: count(&this, "reserved"),
        });
        Ok(room(allowance.by(now), &all, &own, window))
    }

    /// The writes that reserve [`PRICE`] for an organisation, on condition that there is room: one for all
    /// organisations, and one for this.
    pub(crate) fn reserve(
        &self,
        tenant: &str,
        room: &Room,
        now: i64,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let write = |scope: Scope<'_>, limit: u64| {
            let addition = Addition {
                attribute: "reserved",
                number: PRICE,
                expires_at: expires_at(now),
                most: Some(limit.saturating_sub(PRICE)),
            };
            self.add_to(&scope.window(room.window), &addition)
        };
        Ok([
            write(Scope::All, room.all)?,
            write(Scope::Tenant(tenant), room.tenant)?,
        ])
    }

    /// The writes that count what was bought at `now` (in milliseconds since 1970).
    pub(crate) fn count_bought(
        &self,
        bought: &Bought,
        now: i64,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let total = bought.values().sum();
        let tenants = bought.iter();
        let tenants = tenants.map(|(tenant, number)| (Scope::Tenant(tenant), *number));
        let all = (total > 0).then_some((Scope::All, total));
        let write = |(scope, number): (Scope<'_>, u64)| {
            let addition = Addition {
                attribute: "bought",
                number,
                expires_at: now / 1000 + KEPT,
                most: None,
            };
            self.add_to(&scope.month(now), &addition)
        };
        all.into_iter().chain(tenants).map(write).collect()
    }

    fn add_to(&self, key: &Key, addition: &Addition) -> Result<TransactWriteItem, StoreError> {
        let condition = "attribute_not_exists(#sum) OR #sum <= :most";
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .update_expression("ADD #sum :number SET expires_at = :expires_at")
            .expression_attribute_names("#sum", addition.attribute)
            .expression_attribute_values(":number", number(addition.number))
            .expression_attribute_values(":expires_at", number(addition.expires_at))
            .set_condition_expression(addition.most.map(|_| condition.to_owned()));
        let update = match addition.most {
            Some(most) => update.expression_attribute_values(":most", number(most)),
            None => update,
        };
        let update = update.build().map_err(bug)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// An addition to a number of an item.
struct Addition {
    attribute: &'static str,
    number: u64,
    /// In seconds since 1970.
    expires_at: i64,
    /// The condition that the number is at most this before.
    most: Option<u64>,
}

/// What the stored counts say.
struct Used {
    /// Bought in this month.
    bought: u64,
    /// Reserved in the window before.
    before: u64,
    /// Reserved in this window.
    this: u64,
}

/// The room of an organisation that has used `own`, of an allowance of which `all` is used.
fn room(allowed: u64, all: &Used, own: &Used, window: i64) -> Room {
    let left = allowed.saturating_sub(all.bought + all.before);
    let of_others = all.this.saturating_sub(own.this);
    let shared = left.saturating_sub(of_others + own.bought + own.before);
    Room {
        window,
        all: left,
        tenant: shared / 2,
        left: (shared / 2).min(left).saturating_sub(own.this),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        let at: Timestamp = text.parse().unwrap();
        at.as_millisecond()
    }

    #[test]
    fn the_allowance_is_a_quarter_at_first_and_nearly_all_of_it_at_the_end_of_the_month() {
        let by = |text: &str| Allowance { a_month: 1_000 }.by(at(text));
        assert_eq!(by("2026-02-01T00:00:00Z"), 245);
        assert_eq!(by("2026-02-15T00:00:00Z"), 612);
        assert_eq!(by("2026-02-28T23:59:59Z"), 979);
        assert_eq!(by("2026-03-01T00:00:00Z"), 245);
        for a_month in [0, 1, 3, u64::MAX] {
            let allowance = Allowance { a_month };
            assert!(allowance.by(at("2026-02-20T00:00:00Z")) <= a_month);
        }
    }

    #[test]
    fn an_organisation_leaves_as_much_to_the_others_as_it_has_used() {
        let used = |bought, before, this| Used {
            bought,
            before,
            this,
        };
        let (nothing, half) = (used(0, 0, 0), used(50, 0, 0));
        assert_eq!(room(100, &nothing, &nothing, 1).tenant, 50);
        assert_eq!(room(100, &half, &half, 1).tenant, 0);
        assert_eq!(room(100, &half, &nothing, 1).tenant, 25);
        let reserved = used(0, 20, 10);
        let room = room(100, &reserved, &reserved, 1);
        assert_eq!((room.all, room.tenant, room.left), (80, 30, 20));
    }
}
