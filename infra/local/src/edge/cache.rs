//! What the edge has stored.

use super::key::Key;
use super::lifetime::Lifetime;
use super::purges::{Item, Purges, Subject};
use super::tags;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use moka::Expiry;
use moka::sync::Cache as Store;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// How much is stored at most, in bytes. What was not asked for lately goes first.
const CAPACITY: u64 = 64 * 1024 * 1024;

/// What an object takes beside its key, headers and body, in bytes, and a header beside its name
/// and value.
const OVERHEAD: usize = 1024;
const HEADER: usize = 160;

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
        let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + HEADER);
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

/// How long what is stored can be of use: it need not wait to be pushed out.
struct Usable;

impl Expiry<Key, Arc<Object>> for Usable {
    fn expire_after_create(
        &self,
        _: &Key,
        object: &Arc<Object>,
        _: std::time::Instant,
    ) -> Option<Duration> {
        Some(object.stale_until - object.stored)
    }

    fn expire_after_update(
        &self,
        key: &Key,
        object: &Arc<Object>,
        updated: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, object, updated)
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
                .expire_after(Usable)
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

#[cfg(test)]
mod tests {
    use super::super::policy::CachePolicy;
    use super::*;

    /// What has expired must not wait until the cache is full.
    #[test]
    fn what_is_of_no_more_use_is_given_up() {
        let cache = Cache::new();
        let lifetimes = [("/a", 5, 0), ("/b", 0, 5), ("/c", 60_000, 0)];
        for (path, fresh, stale) in lifetimes {
            let key = Key::of(1, &CachePolicy::default(), path, "", &HeaderMap::new());
            let answer = Answer {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Bytes::from_static(b"page"),
            };
            let lifetime = Lifetime {
                fresh: Duration::from_millis(fresh),
                stale: Duration::from_millis(stale),
            };
            cache.store(key, answer, Vec::new(), lifetime);
        }
        let late = std::time::Instant::now() + Duration::from_secs(30);
        while cache.objects.entry_count() != 1 || cache.objects.iter().count() != 1 {
            assert!(std::time::Instant::now() < late, "{:?}", cache.objects);
            std::thread::sleep(Duration::from_millis(20));
            cache.objects.run_pending_tasks();
        }
    }
}
