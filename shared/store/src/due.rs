//! The records that background functions work through: each is due at a time, and they are in 16
//! partitions, sorted by that time.

use crate::convert::{Attributes, item, text};
use crate::error::{classify, is_bug, required_part};
use crate::{Store, StoreError};
use action::{Item, Key};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use futures_util::future::try_join_all;
use std::collections::HashMap;

/// The partitions: one for each hexadecimal digit.
const SHARDS: [&str; 16] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f",
];

/// How many records of one organisation are taken from each partition.
const EACH: usize = 16;

/// How many records are taken from each partition.
const MOST: usize = 512;

/// How many records one request reads.
const PAGE: i32 = 500;

impl Store {
    /// Records of `kind` that are due at `now` (in milliseconds since 1970). Of each organisation it
    /// returns only a few, first the oldest records of all organisations, then the second oldest, and
    /// so on, however many another organisation has. `parse` reads a record, or skips it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_records<T>(
        &self,
        kind: &str,
        now: i64,
        parse: impl Fn(Key, Item) -> Option<T>,
        tenant: impl Fn(&T) -> String,
    ) -> Result<Vec<T>, StoreError> {
        let shards = SHARDS.iter();
        let shards = shards.map(|shard| self.due_in(kind, shard, now, &parse, &tenant));
        let due = try_join_all(shards).await?;
        let mut due: Vec<_> = due.into_iter().flatten().collect();
        // Stable, so of the same rank and time the partitions keep their order.
        due.sort_by(|one, other| (one.rank, &one.sk).cmp(&(other.rank, &other.sk)));
        Ok(due.into_iter().map(|due| due.record).collect())
    }

    /// The due records of one partition. It reads past the records of an organisation that has many.
    async fn due_in<T>(
        &self,
        kind: &str,
        shard: &str,
        now: i64,
        parse: impl Fn(Key, Item) -> Option<T>,
        tenant: impl Fn(&T) -> String,
    ) -> Result<Vec<Due<T>>, StoreError> {
        let (mut due, mut ranks, mut from) = (Vec::new(), HashMap::new(), None);
        loop {
            let (read, next) = self.due_page(kind, shard, now, from).await?;
            for attributes in read {
                let (key, item) = item(attributes)?;
                let sk = key.parts().1.to_owned();
                let Some(record) = parse(key, item) else {
                    continue;
                };
                let rank: &mut usize = ranks.entry(tenant(&record)).or_default();
                if *rank < EACH && due.len() < MOST {
                    due.push(Due {
                        rank: *rank,
                        sk,
                        record,
                    });
                }
                *rank += 1;
            }
            if next.is_none() || due.len() >= MOST {
                return Ok(due);
            }
            from = next;
        }
    }

    /// The next due records of a partition, and the key from which to read on.
    async fn due_page(
        &self,
        kind: &str,
        shard: &str,
        now: i64,
        from: Option<Attributes>,
    ) -> Result<(Vec<Attributes>, Option<Attributes>), StoreError> {
        let response = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk < :now")
            .expression_attribute_values(":pk", text(&format!("#{kind}:{shard}")))
            .expression_attribute_values(":now", text(&format!("{:013}", now + 1)))
            .limit(PAGE)
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|e| classify(e, |e| is_bug(e.code())))?;
        Ok((required_part(response.items)?, response.last_evaluated_key))
    }
}

/// A due record.
struct Due<T> {
    /// How many older records its organisation has in the partition.
    rank: usize,
    /// Its sort key, which begins with when it is due.
    sk: String,
    record: T,
}
