//! The properties that must hold in every state, and the events that must happen in some state.

use crate::state::{Job, Page, Record, Stage, State, Writer};
use crate::time::{NETWORK, S_MAXAGE};
use crate::{Follows, Protocol};
use stateright::Property;

/// No cached page is stale for longer than [`bound`].
pub const BOUNDED: &str = "no page is stale beyond its bound";
/// If no record is left and no worker is active, no stale page is cached or on its way to the cache.
pub const CLEAN_AT_REST: &str = "without pending work nothing is stale";
/// Every outbox record is deleted in time.
pub const DRAINED: &str = "no outbox record outlives its bound";
/// A writer's own changes are always visible to that writer.
pub const OWN_WRITES: &str = "the writer's key never yields a page older than the write";

/// The longest that a cached page may be stale, in ticks: from the commit until a purge is accepted.
pub fn bound(p: &Protocol, s: &State) -> u8 {
    let failures = s.failures * p.sweep;
    let first = if p.inline { p.patience } else { p.sweep };
    match s.page {
        Page::Cached { .. } if !p.purges => S_MAXAGE + NETWORK,
        Page::Cached { missed: true, .. } => first + p.settling() + p.sweep + failures,
        Page::Cached { .. } if p.inline => first.max(failures),
        Page::Cached { .. } => first + failures,
        _ => u8::MAX,
    }
}

/// The time since the oldest commit that the followed page does not show.
pub fn stale_since(s: &State) -> Option<u8> {
    let stale = Writer::ALL.into_iter().filter(|&w| s.is_stale_for(w));
    stale.filter_map(|w| s.of(w).commit).max()
}

fn bounded(p: &Protocol, s: &State) -> bool {
    let cached = matches!(s.page, Page::Cached { .. });
    !cached || stale_since(s).is_none_or(|age| age <= bound(p, s))
}

fn clean_at_rest(_: &Protocol, s: &State) -> bool {
    Writer::ALL.into_iter().any(|w| s.has_pending_work(w)) || stale_since(s).is_none()
}

fn drained(p: &Protocol, s: &State) -> bool {
    let limit = p.settling() + p.patience + (2 + s.failures) * p.sweep;
    // If no purge is accepted, a record stays as long as its tags have live marks.
    let in_time = |age: u8| age <= limit || !p.purges;
    s.work
        .iter()
        .all(|work| !work.is_recorded() || work.commit.is_some_and(in_time))
}

fn own_writes(p: &Protocol, s: &State) -> bool {
    p.follows != Follows::FreshOfAnn || s.page_shows().is_none_or(|shown| shown.has(Writer::Ann))
}

fn is_stale_hit(s: &State, as_missed: bool) -> bool {
    matches!(s.page, Page::Cached { missed, .. } if missed == as_missed) && stale_since(s).is_some()
}

fn is_purging(s: &State, first: bool) -> bool {
    let purges = |job: &Job| matches!(job.stage, Stage::MustPurge(_));
    let mut jobs = s.jobs.iter().flatten();
    jobs.any(|job| purges(job) && (job.record == Record::First) == first)
}

/// The properties that hold in every state.
pub(crate) fn claims() -> Vec<Property<Protocol>> {
    vec![
        Property::always(BOUNDED, bounded),
        Property::always(CLEAN_AT_REST, clean_at_rest),
        Property::always(DRAINED, drained),
        Property::always(OWN_WRITES, own_writes),
    ]
}

/// Events that must happen in some state when a page under the shared key is followed and purges are
/// accepted. Otherwise the claims would hold trivially.
pub(crate) fn occurrences() -> Vec<Property<Protocol>> {
    vec![
        Property::sometimes("a cached page shows a change", |_, s: &State| {
            matches!(s.page, Page::Cached { .. })
                && s.page_shows().is_some_and(|shown| shown.0 != 0)
        }),
        Property::sometimes("a purge removes a stale page", |_, s: &State| {
            is_stale_hit(s, false) && is_purging(s, true)
        }),
        Property::sometimes("a page is cached after its purge", |_, s: &State| {
            let second = |w: Writer| s.of(w).second.iter().any(Option::is_some);
            is_stale_hit(s, true) && Writer::ALL.into_iter().any(second)
        }),
        Property::sometimes("the second purge removes that page", |_, s: &State| {
            is_stale_hit(s, true) && is_purging(s, false)
        }),
        Property::sometimes("a second change relies on a closed mark", |_, s: &State| {
            let done = s.of(Writer::Ben).commit == Some(0) && !s.has_pending_work(Writer::Ben);
            done && s.is_stale_for(Writer::Ben) && is_stale_hit(s, true)
        }),
        Property::sometimes(
            "a mark is renewed while its purge is accepted",
            |_, s: &State| {
                let renewed = |stage: Stage| match stage {
                    Stage::Purged(seen) => seen.iter().flatten().any(|seen| seen.replaced),
                    _ => false,
                };
                let mut jobs = s.jobs.iter().flatten();
                jobs.any(|job| job.record == Record::First && renewed(job.stage))
            },
        ),
        Property::sometimes("two workers have the same record", |_, s: &State| {
            let mut front = s.jobs[..2].iter().flatten();
            front.any(|job| {
                s.jobs[2]
                    .is_some_and(|other| (other.writer, other.record) == (job.writer, job.record))
            })
        }),
    ]
}
