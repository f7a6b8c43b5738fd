//! The view's part in revalidation: it opens the marks of its tags before it reads, and tells the edge
//! whether it may cache the page.
//!
//! It marks first, so that a commit that the reads miss finds the mark: see `docs/caching.md`.

use crate::App;
use crate::http::response::{Response, ResponseExt};
use crate::http::trust::{SharedKey, Trust};
use action::{Actor, Reads};
use futures_util::future::try_join_all;
use http::header::{CACHE_CONTROL, HeaderName};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use store::{KEPT_AT_EDGE, Opening, SETTLING};

/// How long after its marks a page may still be sent to the edge to be cached.
const MAX_RENDER_TIME: Duration = Duration::from_secs(5);

/// How long the response may then take to the edge.
const MAX_TRANSIT_TIME: Duration = Duration::from_secs(20);
// Twice, because a mark may have an older time than the one it replaces, by as long as its write takes:
// at most 4 s.
const _: () = assert!(
    2 * MAX_RENDER_TIME.as_secs() + MAX_TRANSIT_TIME.as_secs() <= SETTLING.as_secs(),
    "a page may reach the edge after its mark has settled"
);

/// CloudFront accepts at most this many tags of an object and silently drops the rest.
const MAX_TAGS: usize = 50;

/// A page that the edge may cache for every request with the same key.
#[derive(Debug)]
pub(crate) struct Cacheable {
    tags: BTreeSet<String>,
    since: Instant,
}

impl Cacheable {
    /// Opens the marks of these reads. `None` if the page must not be cached, because
    /// - the data changed a short time ago, or an entity does not exist,
    /// - the allowance of purges is used up, or
    /// - CloudFront would not accept all tags, or storage fails.
    pub(crate) async fn open(app: &App, distribution: &str, reads: &Reads) -> Option<Self> {
        let since = Instant::now();
        let now = jiff::Timestamp::now().as_millisecond();
        let entities = reads.entities();
        let entities = entities.filter_map(|entity| Some((entity.tag()?, Some(entity))));
        let ranges = reads.range_tags().map(|tag| (tag, None));
        let opened = entities.chain(ranges).map(|(tag, entity)| async move {
            let opening = Opening {
                tag: &tag,
                entity,
                distribution,
                quiet: app.config.quiet_time,
                now,
            };
            app.openings.open(app, opening).await
        });
        match try_join_all(opened).await {
            Ok(opened) if opened.contains(&false) => None,
            Ok(_) => Some(Self {
                tags: reads.tags(),
                since,
            }),
            Err(error) => {
                tracing::warn!(%error, "a page is not kept, because its tags could not be marked");
                None
            }
        }
    }

    /// Whether it makes sense to try [`Cacheable::open`].
    pub(crate) fn is_likely(app: &App, reads: &Reads) -> bool {
        let tags = reads.tags();
        let now = jiff::Timestamp::now().as_millisecond();
        !tags.is_empty()
            && tags.len() <= MAX_TAGS
            && tags.iter().all(|tag| !app.openings.is_refused(tag, now))
    }

    /// Lets the edge cache the response, unless it took too long.
    pub(crate) fn apply(&self, response: Response) -> Response {
        if self.since.elapsed() >= MAX_RENDER_TIME {
            return response;
        }
        let kept = KEPT_AT_EDGE.as_secs();
        let control = format!("max-age=0, must-revalidate, s-maxage={kept}, stale-if-error=0");
        let tags: Vec<_> = self.tags.iter().map(String::as_str).collect();
        response
            .with(CACHE_CONTROL, control)
            .with(HeaderName::from_static("cache-tag"), tags.join(","))
    }
}

/// Whether other requests may get the same response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing<'a> {
    /// Only this request gets it.
    Private,
    /// The edge may send it to every request with this key.
    Shared {
        /// The CloudFront distribution.
        distribution: &'a str,
        /// The key.
        key: &'a SharedKey,
    },
}

impl<'a> Sharing<'a> {
    /// What the edge's trusted headers say.
    pub(crate) fn from_trust(trust: &'a Trust) -> Self {
        let edge = trust.edge.as_ref();
        match edge.and_then(|edge| Some((edge.distribution.as_str(), edge.shared.as_ref()?))) {
            Some((distribution, key)) => Self::Shared { distribution, key },
            None => Self::Private,
        }
    }

    /// Whether other requests may get the response. Such a response sets no cookie.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Self::Shared { .. })
    }

    /// Whether the edge's key is right for the request, given its token, the organisation in its path
    /// and whether it gets JSON.
    pub(crate) fn matches(self, token: Option<&Actor>, tenant: Option<&str>, json: bool) -> bool {
        let Self::Shared { key, .. } = self else {
            return true;
        };
        token.is_some_and(|actor| actor.tenant.as_str() == key.tenant && actor.role == key.role)
            && tenant == Some(key.tenant.as_str())
            && json == key.json
    }
}
