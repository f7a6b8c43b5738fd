//! The edge's cache.

use super::key::Key;
use super::lifetime::Lifetime;
use super::purges::{EntryInfo, PurgeItem, Purges};
use super::tags;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HeaderMap;
use hyper::{Response, StatusCode};
use moka::Expiry;
use moka::sync::Cache as Store;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// The cache's capacity, in bytes. Entries that were not used recently are evicted first.
const CAPACITY: u64 = 64 * 1024 * 1024;

/// The memory of an entry without its key, headers and body, in bytes.
const ENTRY_OVERHEAD: usize = 1024;

/// The memory of a header without its name and value, in bytes.
const HEADER_OVERHEAD: usize = 160;

/// A response with its whole body in memory.
#[derive(Debug, Clone)]
pub(crate) struct BufferedResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl BufferedResponse {
    fn size(&self) -> usize {
        let headers = self.headers.iter();
        let headers =
            headers.map(|(name, value)| name.as_str().len() + value.len() + HEADER_OVERHEAD);
        headers.sum::<usize>() + self.body.len()
    }
}

impl From<BufferedResponse> for Response<Full<Bytes>> {
    fn from(buffered: BufferedResponse) -> Self {
        let mut response = Response::new(Full::new(buffered.body));
        *response.status_mut() = buffered.status;
        *response.headers_mut() = buffered.headers;
        response
    }
}

/// A stored response.
#[derive(Debug)]
pub(crate) struct CacheEntry {
    pub(crate) response: BufferedResponse,
    number: u64,
    items: Box<[PurgeItem]>,
    stored_at: Instant,
    /// In milliseconds after `stored_at`.
    fresh_until: AtomicU64,
    stale_until: Instant,
}

impl CacheEntry {
    /// The age, in whole seconds.
    pub(crate) fn age(&self) -> u64 {
        self.stored_at.elapsed().as_secs()
    }

    fn is_fresh(&self) -> bool {
        self.stored_at.elapsed() < Duration::from_millis(self.fresh_until.load(Ordering::Relaxed))
    }

    fn is_usable(&self) -> bool {
        self.is_fresh() || Instant::now() < self.stale_until
    }

    /// Makes the entry fresh for `by` longer, because the origin is failing. Until then the origin is
    /// not tried again.
    pub(crate) fn extend(&self, by: Duration) {
        let until = self.stored_at.elapsed() + by;
        self.fresh_until.store(millis(until), Ordering::Relaxed);
    }
}

/// Evicts an entry when it can no longer be served, even if the cache is not full.
struct EvictUnusable;

impl Expiry<Key, Arc<CacheEntry>> for EvictUnusable {
    fn expire_after_create(
        &self,
        _: &Key,
        entry: &Arc<CacheEntry>,
        _: std::time::Instant,
    ) -> Option<Duration> {
        Some(entry.stale_until - entry.stored_at)
    }

    fn expire_after_update(
        &self,
        key: &Key,
        entry: &Arc<CacheEntry>,
        updated: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, updated)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The result of a look-up.
#[derive(Debug)]
pub(crate) enum Found {
    Fresh(Arc<CacheEntry>),
    /// Expired, but may be served while the origin fails.
    Stale(Arc<CacheEntry>),
    Nothing,
}

/// The cache entries and the purges.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: Store<Key, Arc<CacheEntry>>,
    purges: RwLock<Purges>,
    /// The number of the latest entry or purge. Both share one sequence.
    latest: AtomicU64,
}

impl Cache {
    pub(crate) fn new() -> Self {
        let weigh = |key: &Key, entry: &Arc<CacheEntry>| {
            let size = ENTRY_OVERHEAD + 2 * key.len() + entry.response.size();
            u32::try_from(size).unwrap_or(u32::MAX)
        };
        Self {
            entries: Store::builder()
                .max_capacity(CAPACITY)
                .weigher(weigh)
                .expire_after(EvictUnusable)
                .build(),
            purges: RwLock::default(),
            latest: AtomicU64::new(0),
        }
    }

    /// The entry under `key`, unless it has been purged.
    pub(crate) fn find(&self, key: &Key) -> Found {
        match self.entries.get(key) {
            Some(entry) if entry.is_usable() && !self.is_purged(key, &entry) => {
                match entry.is_fresh() {
                    true => Found::Fresh(entry),
                    false => Found::Stale(entry),
                }
            }
            _ => Found::Nothing,
        }
    }

    /// Stores a response with its tags, as the newest entry.
    pub(crate) fn store(
        &self,
        key: Key,
        response: BufferedResponse,
        tags: Vec<Box<str>>,
        lifetime: Lifetime,
    ) {
        let path = PurgeItem::Path(key.path().into());
        let items = tags.into_iter().map(PurgeItem::Tag).chain([path]).collect();
        let stored_at = Instant::now();
        // Hold off purges until the entry is stored. Otherwise a purge could finish, and be
        // forgotten, without seeing it.
        let _purges_wait = self.purges.read().unwrap_or_else(PoisonError::into_inner);
        let entry = CacheEntry {
            response,
            number: self.next_number(),
            items,
            stored_at,
            fresh_until: AtomicU64::new(millis(lifetime.fresh)),
            stale_until: stored_at + lifetime.fresh + lifetime.stale,
        };
        self.entries.insert(key, Arc::new(entry));
    }

    /// Purges the entries stored so far. The purge takes effect after `delay`.
    pub(crate) fn purge(&self, items: &[PurgeItem], delay: Duration) {
        let mut purges = self.purges.write().unwrap_or_else(PoisonError::into_inner);
        purges.add(items, self.next_number(), delay);
        if purges.are_many() {
            let now = Instant::now();
            for (key, entry) in &self.entries {
                if purges.cover(entry_info(&key, &entry), now) {
                    self.entries.invalidate(&*key);
                }
            }
            purges.forget(now);
        }
    }

    fn is_purged(&self, key: &Key, entry: &CacheEntry) -> bool {
        let purges = self.purges.read().unwrap_or_else(PoisonError::into_inner);
        purges.cover(entry_info(key, entry), Instant::now())
    }

    fn next_number(&self) -> u64 {
        self.latest.fetch_add(1, Ordering::Relaxed) + 1
    }
}

fn entry_info<'a>(key: &'a Key, entry: &'a CacheEntry) -> EntryInfo<'a> {
    EntryInfo {
        number: entry.number,
        items: &entry.items,
        path: key.path(),
    }
}

/// The tags of a response, from the header that the distribution names.
pub(crate) fn tags_of(response: &BufferedResponse, header: Option<&str>) -> Vec<Box<str>> {
    header
        .map(|name| tags::of(&response.headers, name))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::policy::CachePolicy;
    use super::*;

    #[test]
    fn an_unusable_entry_is_evicted_before_the_cache_is_full() {
        let cache = Cache::new();
        let lifetimes = [("/a", 5, 0), ("/b", 0, 5), ("/c", 60_000, 0)];
        for (path, fresh, stale) in lifetimes {
            let key = Key::of(1, &CachePolicy::default(), path, "", &HeaderMap::new());
            let response = BufferedResponse {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Bytes::from_static(b"page"),
            };
            let lifetime = Lifetime {
                fresh: Duration::from_millis(fresh),
                stale: Duration::from_millis(stale),
            };
            cache.store(key, response, Vec::new(), lifetime);
        }
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while cache.entries.entry_count() != 1 || cache.entries.iter().count() != 1 {
            assert!(std::time::Instant::now() < deadline, "{:?}", cache.entries);
            std::thread::sleep(Duration::from_millis(20));
            cache.entries.run_pending_tasks();
        }
    }
}
