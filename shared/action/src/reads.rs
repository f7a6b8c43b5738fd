//! What an action or view needs to read, as a value, and what was found.

use crate::{ActionError, Entity, Key, Record, TenantId};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// One item as stored, without its key attributes.
pub type Item = Map<String, Value>;

/// The reads of a request. All are made at the same time and are strongly consistent.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    /// Single items.
    pub keys: Vec<Key>,
    /// Ranges, newest first, each of its own partition.
    pub queries: Vec<Query>,
}

impl Reads {
    /// No reads.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds an item.
    #[must_use]
    pub fn item(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds a range. It replaces an earlier range of the same partition.
    #[must_use]
    pub fn query(mut self, query: Query) -> Self {
        self.queries.retain(|other| other.pk != query.pk);
        self.queries.push(query);
        self
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.queries.is_empty()
    }

    /// Only the reads without a cache tag: those of records.
    #[must_use]
    pub fn untagged(mut self) -> Self {
        self.keys.retain(|key| key.tag().is_none());
        self.queries.retain(|query| query.tag().is_none());
        self
    }

    /// The entities that are read by themselves.
    pub fn entities(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| key.tag().is_some())
    }

    /// The tags of the ranges of entities.
    pub fn range_tags(&self) -> impl Iterator<Item = String> {
        self.queries.iter().filter_map(Query::tag)
    }

    /// The cache tags of a page that is made from these reads: the partition's tag for a range of entities,
    /// and its own tag for an entity. Every write to an entity that they read makes one of them stale.
    #[must_use]
    pub fn tags(&self) -> BTreeSet<String> {
        let items = self.keys.iter().filter_map(Key::tag);
        let ranges = self.queries.iter().filter_map(Query::tag);
        items.chain(ranges).collect()
    }
}

/// Whether an item is in the result of a query.
pub type Filter = Arc<dyn Fn(&Item) -> bool + Send + Sync>;

/// A query for items of one partition, newest first: entities of one kind in one tenant, or records.
#[derive(Clone)]
pub struct Query {
    /// The partition key.
    pub pk: String,
    /// Start after this sort key.
    pub after: Option<String>,
    /// Stop after this many items that pass the filter.
    pub limit: usize,
    /// Which items to return; all if `None`.
    pub filter: Option<Filter>,
    /// Finds the items with an index, so that not all need to be read. The filter still applies.
    pub search: Option<Search>,
    /// The most items to look at, if there is a filter.
    pub max_read: usize,
}

/// The words that a search looks for. Each has one or several spellings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<Vec<String>>);

impl Words {
    /// These words, each as its spellings, in the form of the [texts](Entity::texts). Leaves out what
    /// is empty or there twice.
    #[must_use]
    pub fn new(words: impl IntoIterator<Item = Vec<String>>) -> Self {
        let (mut known, mut all) = (BTreeSet::new(), Vec::new());
        for spellings in words {
            let mut seen = BTreeSet::new();
            let own: Vec<_> = spellings
                .into_iter()
                .filter(|spelling| !spelling.is_empty() && seen.insert(spelling.clone()))
                .collect();
            if !own.is_empty() && known.insert(own.clone()) {
                all.push(own);
            }
        }
        Self(all)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The spellings of each word.
    pub fn iter(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// Whether each word is in one of the texts, in one of its spellings.
    #[must_use]
    pub fn are_in(&self, texts: &[String]) -> bool {
        let is_in = |spelling: &String| texts.iter().any(|text| text.contains(spelling));
        self.iter().all(|word| word.iter().any(is_in))
    }
}

/// A search for entities by the words in their texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The words that must be in an entity's [texts](Entity::texts).
    pub words: Words,
    /// The [form](Entity::TEXTS_FORM) of the texts and the words.
    pub form: u64,
    /// The partition of the records of entities that the index may not have yet, and the prefix of
    /// their sort keys before the entity's id.
    pub unindexed: Key,
}

impl Query {
    /// The most items that a query with a filter looks at, however few of them pass.
    pub const MAX_READ: usize = 2_000;

    /// The newest `limit` entities `E` of `tenant`.
    #[must_use]
    pub fn newest<E: Entity>(tenant: &TenantId, limit: usize) -> Self {
        Self {
            pk: Key::collection::<E>(tenant),
            after: None,
            limit,
            filter: None,
            search: None,
            max_read: Self::MAX_READ,
        }
    }

    /// The records of this kind and name with the `limit` highest sort keys.
    #[must_use]
    pub fn records(kind: &str, name: &str, limit: usize) -> Self {
        let (pk, _) = Key::record(kind, name, "").into_parts();
        Self {
            pk,
            after: None,
            limit,
            filter: None,
            search: None,
            max_read: Self::MAX_READ,
        }
    }

    /// The cache tag of a page that is made from it; `None` for records.
    fn tag(&self) -> Option<String> {
        (!self.pk.starts_with('#')).then(|| self.pk.clone())
    }

    /// Only the items after this sort key, which is the id of an entity: the older ones.
    #[must_use]
    pub fn after(mut self, id: Option<String>) -> Self {
        self.after = id;
        self
    }

    /// Only the entities with these words in their [texts](Entity::texts).
    #[must_use]
    pub fn holding<E: Entity>(self, words: Words) -> Self {
        let unindexed = Key::unindexed(&self.pk, "");
        let search = Search {
            words: words.clone(),
            form: E::TEXTS_FORM,
            unindexed,
        };
        Self {
            search: Some(search),
            ..self.filter(move |item| words.are_in(&E::texts(item)))
        }
    }

    /// Whether the item is in the result.
    #[must_use]
    pub fn passes(&self, item: &Item) -> bool {
        self.filter.as_ref().is_none_or(|passes| passes(item))
    }

    /// Looks at this many items at most, if there is a filter.
    #[must_use]
    pub fn reading_at_most(mut self, items: usize) -> Self {
        self.max_read = items;
        self
    }

    /// Only the items that pass this filter.
    #[must_use]
    pub fn filter(mut self, filter: impl Fn(&Item) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("pk", &self.pk)
            .field("after", &self.after)
            .field("limit", &self.limit)
            .field("filtered", &self.filter.is_some())
            .field("search", &self.search)
            .finish()
    }
}

/// Cuts a list to a page, if it was read with one item more. Returns the last item of the page if there is
/// a next page.
pub fn cut_page<T>(items: &mut Vec<T>, size: usize) -> Option<&T> {
    let has_next = items.len() > size;
    items.truncate(size);
    items.last().filter(|_| has_next)
}

/// What the reads returned.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The single items that exist.
    pub items: BTreeMap<Key, Item>,
    /// The ranges by partition key, each in order.
    pub ranges: BTreeMap<String, Vec<Item>>,
    /// Where to read on, by partition key, in the ranges that were read only in part: after this sort key.
    pub unread: BTreeMap<String, String>,
}

/// A range as it was read.
#[derive(Debug, Clone, Default)]
pub struct RangeItems {
    /// The items that pass the query's filter, in order.
    pub items: Vec<Item>,
    /// The sort key after which to read on, if the read stopped before the end of the range and before the
    /// query's limit: a filter may let only few items of many pass.
    pub unread: Option<String>,
}

impl From<Vec<Item>> for RangeItems {
    fn from(items: Vec<Item>) -> Self {
        Self {
            items,
            unread: None,
        }
    }
}

impl Found {
    /// The entity with this id.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if the stored item is not an `E`.
    pub fn entity<E: Entity>(&self, tenant: &TenantId, id: &str) -> Result<Option<E>, ActionError> {
        self.decode(&Key::entity::<E>(tenant, id))
    }

    /// The record at this key.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if the stored item is not an `R`.
    pub fn record<R: Record>(&self, key: &Key) -> Result<Option<R>, ActionError> {
        self.decode(key)
    }

    /// The range of entities, decoded; empty if it was not read.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if a stored item is not an `E`.
    pub fn range<E: Entity>(&self, tenant: &TenantId) -> Result<Vec<E>, ActionError> {
        self.decode_range(&Key::collection::<E>(tenant))
    }

    /// The range of records of this kind and name, decoded; empty if it was not read.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if a stored item is not a `T`.
    pub fn records<T: DeserializeOwned>(
        &self,
        kind: &str,
        name: &str,
    ) -> Result<Vec<T>, ActionError> {
        let (pk, _) = Key::record(kind, name, "").into_parts();
        self.decode_range(&pk)
    }

    /// The range of records of this kind and name; an item that cannot be read as a `T` is itself.
    #[must_use]
    pub fn each_record<T: DeserializeOwned>(
        &self,
        kind: &str,
        name: &str,
    ) -> Vec<Result<T, &Item>> {
        let (pk, _) = Key::record(kind, name, "").into_parts();
        let items = self.ranges.get(&pk).map(Vec::as_slice).unwrap_or_default();
        let record = |item| decode(item).map_err(|_| item);
        items.iter().map(record).collect()
    }

    /// Where to read on in the range of entities, if it was read only in part: after this sort key.
    #[must_use]
    pub fn unread<E: Entity>(&self, tenant: &TenantId) -> Option<&str> {
        let pk = Key::collection::<E>(tenant);
        self.unread.get(&pk).map(String::as_str)
    }

    /// Where to read on in the range of records, if it was read only in part: after this sort key.
    #[must_use]
    pub fn unread_records(&self, kind: &str, name: &str) -> Option<&str> {
        let (pk, _) = Key::record(kind, name, "").into_parts();
        self.unread.get(&pk).map(String::as_str)
    }

    /// The item at this key, read by itself or in a range of entities, with all stored attributes.
    #[must_use]
    pub fn stored(&self, key: &Key) -> Option<&Item> {
        let (pk, sk) = key.parts();
        let is_this = |item: &&Item| item.get("id").and_then(Value::as_str) == Some(sk);
        let in_range = || self.ranges.get(pk)?.iter().find(is_this);
        self.items.get(key).or_else(in_range)
    }

    /// Adds what further reads found.
    pub fn extend(&mut self, more: Self) {
        self.items.extend(more.items);
        self.ranges.extend(more.ranges);
        self.unread.extend(more.unread);
    }

    fn decode_range<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<T>, ActionError> {
        let items = self.ranges.get(pk).map(Vec::as_slice).unwrap_or_default();
        items.iter().map(decode).collect()
    }

    fn decode<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, ActionError> {
        self.items.get(key).map(decode).transpose()
    }
}

fn decode<T: DeserializeOwned>(item: &Item) -> Result<T, ActionError> {
    T::deserialize(Value::Object(item.clone()))
        .map_err(|e| ActionError::Internal(format!("a stored item cannot be read: {e}")))
}
