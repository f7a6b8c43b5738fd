//! What the edge has stored.

use super::key::Key;
use super::lifetime::Lifetime;
use super::purges::{Item, Purges, Subject};
use super::tags;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use moka::sync::Cache as Store;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// How much is stored at most, in bytes. What was not asked for lately goes first.
const CAPACITY: u64 = 64 * 1024 * 1024;

/// What an object takes beside its key, headers and body, in bytes.
const OVERHEAD: usize = 512;

/// An answer, as a viewer gets it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    fn size(&self) -> usize {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + 32);
        headers.sum::<usize>() + self.body.len()
    }
}

/// A stored answer.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) answer: Answer,
    number: u64,
    items: Box<[Item]>,
    stored: Instant,
    /// In milliseconds after it was stored.
    fresh_until: AtomicU64,
    stale_until: Instant,
}

impl Object {
    /// How old it is, in whole seconds.
    pub(crate) fn age(&self) -> u64 {
        self.stored.elapsed().as_secs()
    }

    fn is_fresh(&self) -> bool {
        self.stored.elapsed() < Duration::from_millis(self.fresh_until.load(Ordering::Relaxed))
    }

    fn is_usable(&self) -> bool {
        self.is_fresh() || Instant::now() < self.stale_until
    }

    /// Takes it for fresh for another while: the origin is failing, and is not asked again before.
    pub(crate) fn extend(&self, by: Duration) {
        let until = self.stored.elapsed() + by;
        self.fresh_until.store(millis(until), Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What a look-up found.
#[derive(Debug)]
pub(crate) enum Found {
    Fresh(Arc<Object>),
    /// Expired, but good enough while the origin fails.
    Stale(Arc<Object>),
    Nothing,
}

/// The cache, and what has been purged from it.
#[derive(Debug)]
pub(crate) struct Cache {
    objects: Store<Key, Arc<Object>>,
    purges: RwLock<Purges>,
    /// The number of the object or purge that came last.
    last: AtomicU64,
}

impl Cache {
    pub(crate) fn new() -> Self {
        let weigh = |key: &Key, object: &Arc<Object>| {
            let size = OVERHEAD + 2 * key.len() + object.answer.size();
            u32::try_from(size).unwrap_or(u32::MAX)
        };
        Self {
            objects: Store::builder()
                .max_capacity(CAPACITY)
                .weigher(weigh)
                .build(),
            purges: RwLock::default(),
            last: AtomicU64::new(0),
        }
    }

    /// What is stored under `key` and has not been purged.
    pub(crate) fn find(&self, key: &Key) -> Found {
        match self.objects.get(key) {
            Some(object) if object.is_usable() && !self.is_purged(key, &object) => {
                match object.is_fresh() {
                    true => Found::Fresh(object),
                    false => Found::Stale(object),
                }
            }
            _ => Found::Nothing,
        }
    }

    /// Stores an answer whose tags are `tags`, as the newest object there is.
    pub(crate) fn store(&self, key: Key, answer: Answer, tags: Vec<Box<str>>, lifetime: Lifetime) {
        let path = Item::Path(key.path().into());
        let items = tags.into_iter().map(Item::Tag).chain([path]).collect();
        let stored = Instant::now();
        // Purges wait until it is stored, or it could escape one that forgets.
        let _purges = self.purges.read().unwrap_or_else(PoisonError::into_inner);
        let object = Object {
            answer,
            number: self.next(),
            items,
            stored,
            fresh_until: AtomicU64::new(millis(lifetime.fresh)),
            stale_until: stored + lifetime.fresh + lifetime.stale,
        };
        self.objects.insert(key, Arc::new(object));
    }

    /// Purges what is stored by now, `delay` from now.
    pub(crate) fn purge(&self, items: &[Item], delay: Duration) {
        let mut purges = self.purges.write().unwrap_or_else(PoisonError::into_inner);
        purges.add(items, self.next(), delay);
        if purges.are_many() {
            let now = Instant::now();
            for (key, object) in &self.objects {
                if purges.cover(subject(&key, &object), now) {
                    self.objects.invalidate(&*key);
                }
            }
            purges.forget(now);
        }
    }

    fn is_purged(&self, key: &Key, object: &Object) -> bool {
        let purges = self.purges.read().unwrap_or_else(PoisonError::into_inner);
        purges.cover(subject(key, object), Instant::now())
    }

    fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }
}

fn subject<'a>(key: &'a Key, object: &'a Object) -> Subject<'a> {
    Subject {
        number: object.number,
        items: &object.items,
        path: key.path(),
    }
}

/// The tags of an answer, by the header that the distribution names.
pub(crate) fn tags_of(answer: &Answer, header: Option<&str>) -> Vec<Box<str>> {
    header
        .map(|name| tags::of(&answer.headers, name))
        .unwrap_or_default()
}
