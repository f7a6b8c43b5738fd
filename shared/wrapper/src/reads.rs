//! The one round trip of a request: its session, its rate limit, its idempotency record and its
//! reads, all at the same time.

use crate::run::account::{AccountCounter, AccountLimit};
use crate::run::limit::Counter;
use crate::session::{self, LiveSession};
use crate::{App, Failure};
use action::{Found, Item, Key, Layout, Query, RangeItems, Reads, Role};
use auth::Token;
use futures_util::future::{BoxFuture, try_join_all};
use std::collections::BTreeMap;
use store::{Store, StoreError};

/// What to read for a request.
#[derive(Debug, Default)]
pub(crate) struct RequestReads<'a> {
    pub(crate) token: Option<&'a Token>,
    /// The highest role that the response may be made for, even if the caller's role is higher now.
    pub(crate) max_role: Option<Role>,
    /// Whether the response is a page, which needs a layout.
    pub(crate) layout: bool,
    /// Counts the caller's requests.
    pub(crate) caller: Option<&'a Counter>,
    /// Counts the account's failures.
    pub(crate) account: Option<&'a AccountLimit>,
    /// The key of the idempotency record.
    pub(crate) record: Option<&'a Key>,
    pub(crate) reads: Reads,
    /// How to read ranges; a plain query if `None`.
    pub(crate) range: Option<Range>,
}

/// Reads a range. It is a pointer, so that only functions that search contain the code for it.
pub(crate) type Range =
    for<'a> fn(&'a Store, &'a Query) -> BoxFuture<'a, Result<RangeItems, StoreError>>;

/// Reads a range, with the search index if the query has a text.
pub(crate) fn search_range<'a>(
    store: &'a Store,
    query: &'a Query,
) -> BoxFuture<'a, Result<RangeItems, StoreError>> {
    Box::pin(store.find(query))
}

/// What was read for a request.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The caller's session, if it is live.
    pub(crate) live: Option<LiveSession>,
    pub(crate) layout: Option<Layout>,
    /// How many requests the caller has sent in this window, including this one.
    pub(crate) calls: u64,
    /// The counter of the account's failures in this window.
    pub(crate) account: Option<AccountCounter>,
    /// The idempotency record.
    pub(crate) record: Option<Item>,
    pub(crate) found: Found,
}

impl RequestReads<'_> {
    /// Reads everything in one round trip. A range may need more.
    pub(crate) async fn load(self, app: &App, now: i64) -> Result<Loaded, Failure> {
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
                    .max_role
                    .map_or(live.actor.role, |max| max.min(live.actor.role));
                live
            });
        let layout = live
            .as_ref()
            .filter(|_| self.layout)
            .map(|live| session::layout(&live.actor, &items));
        let item = |key: Option<&Key>| key.and_then(|key| items.get(key).cloned());
        let account = self.account.map(|limit| limit.choose(&items));
        let record = item(self.record);
        let found = Found {
            items: with_keys(&self.reads.keys, items),
            ..ranges
        };
        Ok(Loaded {
            live,
            layout,
            calls,
            account,
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
        keys.extend(self.account.map(AccountLimit::keys).unwrap_or_default());
        keys.extend(self.record.cloned());
        keys
    }
}

/// How many rounds of further reads there may be.
const MAX_ROUNDS: usize = 3;

/// Reads only these items and ranges.
pub(crate) async fn read(
    store: &Store,
    reads: &Reads,
    range: Option<Range>,
) -> Result<Found, StoreError> {
    let (items, ranges) =
        tokio::try_join!(store.items(reads.keys.clone()), ranges(store, reads, range))?;
    Ok(Found { items, ..ranges })
}

/// Reads what `more` asks for, given what was found, until it asks for nothing new. `first` was read
/// already.
///
/// # Errors
/// If storage fails, or if `more` still asks for something after [`MAX_ROUNDS`] rounds. That is a bug,
/// which an incomplete result would hide.
pub(crate) async fn read_more(
    store: &Store,
    first: &Reads,
    found: &mut Found,
    more: impl Fn(&Found) -> Reads,
) -> Result<(), StoreError> {
    let mut done = first.clone();
    for round in 0.. {
        let mut next = more(found);
        next.keys.retain(|key| !done.keys.contains(key));
        next.queries
            .retain(|query| done.queries.iter().all(|other| other.pk != query.pk));
        if next.is_empty() {
            break;
        }
        if round == MAX_ROUNDS {
            let names: Vec<_> = next.keys.iter().map(|key| key.parts().0).collect();
            return Err(StoreError::Bug(format!("reads never end: {names:?}")));
        }
        found.extend(read(store, &next, None).await?);
        done.keys.extend(next.keys);
        done.queries.extend(next.queries);
    }
    Ok(())
}

/// The items with these keys. An action sees only what it asked for.
fn with_keys(keys: &[Key], mut items: BTreeMap<Key, Item>) -> BTreeMap<Key, Item> {
    items.retain(|key, _| keys.contains(key));
    items
}

async fn ranges(store: &Store, reads: &Reads, range: Option<Range>) -> Result<Found, StoreError> {
    let ranges = reads.queries.iter().map(|query| async {
        let items = match range {
            Some(range) => range(store, query).await?,
            None => store.range(query).await?,
        };
        Ok::<_, StoreError>((query.pk.clone(), items))
    });
    let mut found = Found::default();
    for (pk, RangeItems { items, unread }) in try_join_all(ranges).await? {
        found.unread.extend(unread.map(|after| (pk.clone(), after)));
        found.ranges.insert(pk, items);
    }
    Ok(found)
}

async fn count(store: &Store, counter: Option<&Counter>) -> Result<u64, StoreError> {
    match counter {
        Some(counter) => store.count(&counter.key, counter.expires_at).await,
        None => Ok(0),
    }
}
