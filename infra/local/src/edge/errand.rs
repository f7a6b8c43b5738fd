//! What becomes of an origin's answer.

use super::cache::{Answer, Found, Object, tags_of};
use super::distribution::State;
use super::flights::Flight;
use super::key::Key;
use super::lifetime;
use super::origin::has_failed;
use super::response::Source;
use super::route::Route;
use std::sync::Arc;

/// What is to be done with an origin's answer.
#[derive(Default)]
pub(super) struct Errand {
    /// Where to store it, if it can be.
    pub(super) key: Option<Key>,
    /// What may stand in for it.
    pub(super) stale: Option<Arc<Object>>,
    /// Who waits for it.
    pub(super) flight: Option<Flight>,
}

impl Errand {
    /// Stores the answer where it may be, lets something stored stand in for a failure, and
    /// tells who waits. Gives what the viewer gets, and where it comes from.
    pub(super) fn finish(
        self,
        mut answer: Answer,
        route: &Route,
        state: &State,
        is_head: bool,
    ) -> (Answer, Source) {
        let tags = tags_of(&answer, route.tag_header.as_deref());
        for name in &route.removed {
            answer.headers.remove(name);
        }
        let mut source = Source::Miss;
        match (self.key, self.stale) {
            // Purged meanwhile is purged.
            (Some(key), Some(object))
                if has_failed(&answer) && !matches!(state.cache.find(&key), Found::Nothing) =>
            {
                object.extend(lifetime::minimum(answer.status, &route.errors));
                source = Source::RefreshHit(object.age());
                answer = object.answer.clone();
            }
            // HEAD has no body that a GET could be answered with.
            (Some(key), _) if !is_head => {
                let ttl = &route.behavior.cache.ttl;
                let lifetime = lifetime::of(answer.status, &answer.headers, ttl, &route.errors);
                if let Some(lifetime) = lifetime {
                    state.cache.store(key, answer.clone(), tags, lifetime);
                }
            }
            _ => {}
        }
        if let Some(flight) = self.flight {
            flight.land(&answer);
        }
        (answer, source)
    }
}
