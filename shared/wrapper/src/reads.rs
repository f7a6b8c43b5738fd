//! The one parallel step: who is calling, how often, what this key gave before, and the reads.

use crate::run::limit::Counter;
use crate::session::{self, Live};
use crate::{App, Failure};
use action::{Found, Item, Key, Layout, Query, Reads, Role};
use auth::Token;
use futures_util::future::{BoxFuture, try_join_all};
use std::collections::BTreeMap;
use store::{Store, StoreError};

/// What to ask for.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) token: Option<&'a Token>,
    /// The role that the answer is for at most, whatever the caller's has become.
    pub(crate) at_most: Option<Role>,
    /// Whether a page will be shown.
    pub(crate) layout: bool,
    pub(crate) caller: Option<&'a Counter>,
    pub(crate) account: Option<&'a Counter>,
    pub(crate) record: Option<&'a Key>,
    pub(crate) reads: Reads,
    /// How to read ranges, if not plainly.
    pub(crate) range: Option<Range>,
}

/// How to read a range. A pointer, so that only a function that searches is built with what that
/// needs.
pub(crate) type Range =
    for<'a> fn(&'a Store, &'a Query) -> BoxFuture<'a, Result<Vec<Item>, StoreError>>;

/// Reads a range by the search index, where it is for a text.
pub(crate) fn searching<'a>(
    store: &'a Store,
    query: &'a Query,
) -> BoxFuture<'a, Result<Vec<Item>, StoreError>> {
    Box::pin(store.find(query))
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// The session, where it is live.
    pub(crate) live: Option<Live>,
    pub(crate) layout: Option<Layout>,
    /// How often the caller has called in this window, this time included.
    pub(crate) calls: u64,
    /// The account's failures in this window.
    pub(crate) failures: Option<Item>,
    /// The record of this key.
    pub(crate) record: Option<Item>,
    pub(crate) found: Found,
}

impl Wanted<'_> {
    /// Asks, in one round trip (a range may need more).
    pub(crate) async fn gather(self, app: &App, now: i64) -> Result<Gathered, Failure> {
        let (items, ranges, calls) = tokio::try_join!(
            app.store.items(self.keys()),
            ranges(&app.store, &self.reads, self.range),
            count(&app.store, self.caller),
        )?;
        let live = self
            .token
            .and_then(|token| session::check(token, &items, now, &app.config))
            .map(|mut live| {
                live.actor.role = self
                    .at_most
                    .map_or(live.actor.role, |most| most.min(live.actor.role));
                live
            });
        let layout = live
            .as_ref()
            .filter(|_| self.layout)
            .map(|live| session::layout(&live.actor, &items));
        let at = |key: Option<&Key>| key.and_then(|key| items.get(key).cloned());
        let failures = at(self.account.map(|counter| &counter.key));
        let record = at(self.record);
        let found = Found {
            items: only(&self.reads.keys, items),
            ranges,
        };
        Ok(Gathered {
            live,
            layout,
            calls,
            failures,
            record,
            found,
        })
    }

    fn keys(&self) -> Vec<Key> {
        let mut keys = self.reads.keys.clone();
        if let Some(token) = self.token {
            keys.extend(session::keys(token));
            keys.extend(self.layout.then(|| Key::tenant(&token.actor.tenant)));
        }
        keys.extend(self.account.map(|counter| counter.key.clone()));
        keys.extend(self.record.cloned());
        keys
    }
}

/// How often what was read may name more to read.
const FURTHER: usize = 3;

/// Runs reads on their own.
pub(crate) async fn read(
    store: &Store,
    reads: &Reads,
    range: Option<Range>,
) -> Result<Found, StoreError> {
    let (items, ranges) =
        tokio::try_join!(store.items(reads.keys.clone()), ranges(store, reads, range))?;
    Ok(Found { items, ranges })
}

/// Reads what `more` names, given what was found, until it names nothing new. `first` is what has
/// been read already.
///
/// # Errors
/// If storage fails, or `more` still names something after [`FURTHER`] rounds: that is a bug, and a
/// shorter answer would hide it.
pub(crate) async fn read_more(
    store: &Store,
    first: &Reads,
    found: &mut Found,
    more: impl Fn(&Found) -> Reads,
) -> Result<(), StoreError> {
    let mut asked = first.clone();
    for round in 0.. {
        let mut wanted = more(found);
        wanted.keys.retain(|key| !asked.keys.contains(key));
        wanted
            .queries
            .retain(|query| asked.queries.iter().all(|other| other.pk != query.pk));
        if wanted.is_empty() {
            break;
        }
        if round == FURTHER {
            let names: Vec<_> = wanted.keys.iter().map(|key| key.parts().0).collect();
            return Err(StoreError::Bug(format!("reads never end: {names:?}")));
        }
        found.extend(read(store, &wanted, None).await?);
        asked.keys.extend(wanted.keys);
        asked.queries.extend(wanted.queries);
    }
    Ok(())
}

/// An action sees only what it asked for.
fn only(keys: &[Key], mut items: BTreeMap<Key, Item>) -> BTreeMap<Key, Item> {
    items.retain(|key, _| keys.contains(key));
    items
}

async fn ranges(
    store: &Store,
    reads: &Reads,
    range: Option<Range>,
) -> Result<BTreeMap<String, Vec<Item>>, StoreError> {
    let ranges = reads.queries.iter().map(|query| async {
        let items = match range {
            Some(range) => range(store, query).await?,
            None => store.range(query).await?,
        };
        Ok((query.pk.clone(), items))
    });
    let ranges = try_join_all(ranges).await?;
    Ok(ranges.into_iter().collect())
}

async fn count(store: &Store, counter: Option<&Counter>) -> Result<u64, StoreError> {
    match counter {
        Some(counter) => store.count(&counter.key, counter.expires_at).await,
        None => Ok(0),
    }
}
