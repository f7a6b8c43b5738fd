//! Takes turns: each organisation with unindexed entities gets a small part of a run, again and again.
//! So none can hold up the others, whatever it has stored.

use super::waiting::Waiting;
use super::{END, PARTITION};
use crate::convert::{item, item_attributes};
use crate::error::{classify, is_bug};
use crate::{Store, StoreError};
use action::{Entity, Item, Key};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// The partitions of unindexed records: one for each hexadecimal digit.
const SHARDS: &str = "0123456789abcdef";

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexed {
    /// How many entities were added to an index or updated in it. An entity that changes while the
    /// first index of its collection is built is counted twice.
    pub entities: usize,
    /// The collections whose indexes could not be updated.
    pub failed: BTreeSet<String>,
}

/// The place of the last turn: the collections are in the order of their unindexed records.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Turn {
    /// The partition's digit.
    shard: char,
    /// A sort key between the collection's records and the next one's.
    behind: String,
}

impl Turn {
    const FIRST: Self = Self {
        shard: '0',
        behind: String::new(),
    };

    fn key() -> Key {
        Key::record(PARTITION, "turn", "turn")
    }

    fn from_item(item: &Item) -> Option<Self> {
        let shard = item.get("shard")?.as_str()?.chars().next()?;
        let behind = item.get("behind")?.as_str()?.to_owned();
        Some(Self { shard, behind })
    }

    /// The beginning of the next partition. The last one is followed by the first.
    fn next_shard(&self) -> Self {
        let next = SHARDS.chars().find(|shard| *shard > self.shard);
        let shard = next.unwrap_or(Self::FIRST.shard);
        Self {
            shard,
            ..Self::FIRST
        }
    }
}

impl Store {
    /// Updates the indexes of all collections of `E`, until nothing is left to do or `budget` is
    /// over. Each collection in turn gets a small part of the time. The run begins where the last one
    /// ended. What it has done by the end of the budget is saved. `now` is in milliseconds since
    /// 1970.
    ///
    /// # Errors
    /// [`StoreError`]. The next run does the rest.
    pub async fn index<E: Entity>(
        &self,
        now: i64,
        budget: Duration,
    ) -> Result<Indexed, StoreError> {
        let mut report = Indexed::default();
        // A turn can be cut off at any point, as by a crash.
        let turns = tokio::time::timeout(budget, self.take_turns::<E>(now, &mut report));
        turns.await.unwrap_or(Ok(()))?;
        Ok(report)
    }

    async fn take_turns<E: Entity>(
        &self,
        now: i64,
        report: &mut Indexed,
    ) -> Result<(), StoreError> {
        let mut turn = self.last_turn().await?;
        // The collections whose turns have achieved nothing since the last turn that has.
        let mut idle = BTreeSet::new();
        while let Some((collection, waiting)) = self.next_turn::<E>(&mut turn).await? {
            // Before the turn: if it is cut off, the next run begins with another collection.
            self.save_turn(&turn).await?;
            match self.index_some::<E>(&collection, &waiting, now).await {
                Ok(0) => {}
                Ok(entities) => {
                    report.entities += entities;
                    idle.clear();
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, collection, "an index cannot be updated");
                    report.failed.insert(collection.clone());
                }
            }
            if !idle.insert(collection) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next collection with unindexed entities, and some of their records. `None` if there is
    /// none.
    async fn next_turn<E: Entity>(
        &self,
        turn: &mut Turn,
    ) -> Result<Option<(String, Vec<Waiting>)>, StoreError> {
        let (mut shards, own) = (0, format!(":{}", E::RESOURCE));
        // The first partition twice: before the last turn there may be records, too.
        while shards <= SHARDS.len() {
            let (pk, _) = Key::record("unindexed", &turn.shard.to_string(), "").into_parts();
            let found = self.waiting(&pk, &turn.behind).await?;
            let Some((collection, waiting)) = found else {
                *turn = turn.next_shard();
                shards += 1;
                continue;
            };
            turn.behind = format!("{collection}:{END}");
            if collection.ends_with(&own) {
                return Ok(Some((collection, waiting)));
            }
        }
        Ok(None)
    }

    async fn last_turn(&self) -> Result<Turn, StoreError> {
        let (pk, _) = Turn::key().into_parts();
        let found = self.between(&pk, ("", END), true, Some(1)).await?;
        let found = found.into_iter().next().map(item).transpose()?;
        let turn = found.and_then(|(_, item)| Turn::from_item(&item));
        Ok(turn.unwrap_or(Turn::FIRST))
    }

    async fn save_turn(&self, turn: &Turn) -> Result<(), StoreError> {
        let item = json!({ "shard": turn.shard, "behind": turn.behind });
        #[expect(
            clippy::disallowed_methods,
            reason = "whose turn it was is not user data"
        )]
        let put = self.client.put_item();
        put.table_name(&self.table)
            .set_item(Some(item_attributes(&Turn::key(), &item)?))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, |e| is_bug(e.code())))
    }
}
