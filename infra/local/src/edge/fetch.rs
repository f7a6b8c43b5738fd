//! A fetch from the origin: who may use its response, and where the response is stored.

use super::cache::{BufferedResponse, CacheEntry, Found, tags_of};
use super::in_flight::Leader;
use super::key::Key;
use super::lifetime;
use super::origin::has_failed;
use super::response::Source;
use super::route::Route;
use super::state::State;
use std::sync::Arc;

/// What to do with the origin's response. The default is a response that is only passed on.
#[derive(Default)]
pub(super) struct Fetch {
    /// The key to store the response under, if it may be cached.
    pub(super) key: Option<Key>,
    /// An expired cache entry, which is served if the origin fails.
    pub(super) stale: Option<Arc<CacheEntry>>,
    /// Shares the response with the requests that wait for it.
    pub(super) leader: Option<Leader>,
}

impl Fetch {
    /// Stores the response if it may be cached, replaces a failure by the stale entry, and shares
    /// the result with the waiting requests. Returns the viewer's response and its source.
    pub(super) fn finish(
        self,
        mut response: BufferedResponse,
        route: &Route,
        state: &State,
        is_head: bool,
    ) -> (BufferedResponse, Source) {
        let tags = tags_of(&response, route.tag_header.as_deref());
        for name in &route.removed {
            response.headers.remove(name);
        }
        let mut source = Source::Miss;
        match (self.key, self.stale) {
            // Look up again: the stale entry may have been purged while the origin ran.
            (Some(key), Some(entry))
                if has_failed(&response) && !matches!(state.cache.find(&key), Found::Nothing) =>
            {
                entry.extend(lifetime::minimum(response.status, &route.errors));
                source = Source::RefreshHit(entry.age());
                response = entry.response.clone();
            }
            // The response to a HEAD has no body, so it cannot be served to a later GET.
            (Some(key), _) if !is_head => {
                let ttl = &route.behavior.cache.ttl;
                let lifetime = lifetime::of(response.status, &response.headers, ttl, &route.errors);
                if let Some(lifetime) = lifetime {
                    state.cache.store(key, response.clone(), tags, lifetime);
                }
            }
            _ => {}
        }
        if let Some(leader) = self.leader {
            leader.share(&response);
        }
        (response, source)
    }
}
