//! The properties that must hold in every state, and the events that must happen in some state.

use crate::state::{First, Job, Page, Record, Stage, State, Status, Tag, Writer};
use crate::time::NETWORK;
use crate::{Allowance, Follows, Protocol};
use stateright::Property;

/// No cached page is stale for longer than [`bound`].
pub const BOUNDED: &str = "no page is stale beyond its bound";
/// If no record is left and no worker is active, no stale page is cached or on its way to the cache.
pub const CLEAN_AT_REST: &str = "without pending work nothing is stale";
/// Once a commit's own record is done with a tag, or if there never was one, a page with this tag that the
/// commit made stale is cached or on its way only if a second record will purge it.
pub const TOLD: &str = "what is told as revalidated is left to second records at most";
/// A pending mark has a record that will purge its pages.
pub const PENDING: &str = "a pending mark has its record";
/// Every outbox record is deleted in time. Not claimed for changes without end: a record whose commit
/// touched no mark then waits as long as its tags are pending by others.
pub const DRAINED: &str = "no outbox record outlives its bound";
/// A writer's own changes are always visible to that writer.
pub const OWN_WRITES: &str = "the writer's key never yields a page older than the write";
/// No more items are bought than the allowance.
pub const BUDGET: &str = "no more items are bought than allowed";

/// The longest that a cached page may be stale, in ticks: from the commit until a purge is accepted.
pub fn bound(p: &Protocol, s: &State) -> u8 {
    let failures = s.failures * p.sweep;
    let first = if p.inline { p.patience } else { p.sweep };
    let one = first + failures;
    let misses_both = Writer::ALL.into_iter().all(|w| s.is_stale_for(w));
    match s.page {
        Page::Cached { .. } if !p.purges => p.expiry.unwrap_or(0) + NETWORK,
        Page::Cached { missed: true, .. } => one + p.settling() + p.sweep,
        Page::Cached { .. } if misses_both => first + one,
        Page::Cached { .. } => one,
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

fn told(_: &Protocol, s: &State) -> bool {
    let is_unrecorded = |job: &Job| matches!(job.stage, Stage::Unrecorded(_));
    let unrecorded = s.jobs.iter().flatten().any(is_unrecorded);
    let stale = |w: Writer| s.is_stale_for(w) && !s.of(w).first.has(Tag::List);
    unrecorded || !Writer::ALL.into_iter().any(stale) || has_second(s)
}

/// Whether a second record will purge the followed page.
fn has_second(s: &State) -> bool {
    let mut second = s.work.iter().flat_map(|work| work.second).flatten();
    second.any(|second| second.tags.has(Tag::List))
}

fn pending(_: &Protocol, s: &State) -> bool {
    Tag::ALL.into_iter().all(|tag| match s.mark(tag).status {
        Status::Pending(w) => {
            let closed = s.of(w).first.closed();
            closed.is_some_and(|closed| closed.tags.has(tag))
        }
        _ => true,
    })
}

fn drained(p: &Protocol, s: &State) -> bool {
    let limit = p.settling() + p.patience + (2 + s.failures) * p.sweep;
    // If no purge is accepted, records stay.
    let in_time = |age: u8| age <= limit || !p.purges || p.repeats;
    s.work
        .iter()
        .all(|work| !work.is_recorded() || work.commit.is_some_and(in_time))
}

fn own_writes(p: &Protocol, s: &State) -> bool {
    p.follows != Follows::FreshOfAnn || s.page_shows().is_none_or(|shown| shown.has(Writer::Ann))
}

fn budget(p: &Protocol, s: &State) -> bool {
    let most = |allowance: Allowance| allowance.budget + s.failures * allowance.overshoot;
    p.allowance
        .is_none_or(|allowance| s.account.bought <= most(allowance))
}

/// The properties that hold in every state.
pub(crate) fn claims() -> Vec<Property<Protocol>> {
    vec![
        Property::always(BOUNDED, bounded),
        Property::always(CLEAN_AT_REST, clean_at_rest),
        Property::always(TOLD, told),
        Property::always(PENDING, pending),
        Property::always(DRAINED, drained),
        Property::always(OWN_WRITES, own_writes),
        Property::always(BUDGET, budget),
    ]
}

fn is_stale_hit(s: &State, as_missed: bool) -> bool {
    matches!(s.page, Page::Cached { missed, .. } if missed == as_missed) && stale_since(s).is_some()
}

fn is_purging(s: &State, first: bool) -> bool {
    let purges = |job: &Job| matches!(job.stage, Stage::MustPurge(_));
    let mut jobs = s.jobs.iter().flatten();
    jobs.any(|job| purges(job) && (job.record == Record::First) == first)
}

/// Events that must happen in some state of a run. Otherwise the claims would hold trivially.
pub(crate) fn occurrences(p: &Protocol) -> Vec<Property<Protocol>> {
    let mut all = changes();
    if p.follows == Follows::Shared && p.purges {
        all.extend(pages());
    }
    if p.allowance.is_some() {
        all.extend(purchases());
    }
    all
}

/// What happens to changes.
fn changes() -> Vec<Property<Protocol>> {
    vec![
        Property::sometimes("a change closes a mark", |_, s: &State| {
            s.work
                .iter()
                .any(|work| work.commit == Some(0) && work.first.closed().is_some())
        }),
        Property::sometimes(
            "a contended change is left to be resolved",
            |_, s: &State| {
                s.mark(Tag::List).status == Status::Open
                    && s.work
                        .iter()
                        .any(|work| matches!(work.first, First::Unresolved(_)))
            },
        ),
        Property::sometimes("a change waits for another's purge", |_, s: &State| {
            let waits = |first| matches!(first, First::Unresolved(tags) if s.is_waiting(tags));
            s.work.iter().any(|work| waits(work.first))
        }),
    ]
}

/// What happens to a page under the shared key if purges are accepted.
fn pages() -> Vec<Property<Protocol>> {
    vec![
        Property::sometimes("a cached page shows a change", |_, s: &State| {
            matches!(s.page, Page::Cached { .. })
                && s.page_shows().is_some_and(|shown| shown.0 != 0)
        }),
        Property::sometimes("a purge removes a stale page", |_, s: &State| {
            is_stale_hit(s, false) && is_purging(s, true)
        }),
        Property::sometimes("a page is cached after its purge", |_, s: &State| {
            is_stale_hit(s, true) && has_second(s)
        }),
        Property::sometimes("the second purge removes that page", |_, s: &State| {
            is_stale_hit(s, true) && is_purging(s, false)
        }),
        Property::sometimes(
            "a change is quiet and leaves a page to a second record",
            |_, s: &State| {
                let ben = s.of(Writer::Ben);
                let quiet = ben.commit == Some(0) && ben.first == First::Absent;
                quiet && s.is_stale_for(Writer::Ben) && is_stale_hit(s, true)
            },
        ),
        Property::sometimes(
            "a mark is opened again before its purge is accepted",
            |_, s: &State| {
                let waits = |job: &Job| match job.stage {
                    Stage::MustPurge(closed) => {
                        job.record == Record::First
                            && closed.tags.has(Tag::List)
                            && s.mark(Tag::List).status == Status::Open
                    }
                    _ => false,
                };
                s.jobs.iter().flatten().any(waits)
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

/// What happens to the allowance.
fn purchases() -> Vec<Property<Protocol>> {
    vec![
        Property::sometimes("the allowance is bought up", |p: &Protocol, s: &State| {
            let allowance = p.allowance;
            allowance.is_some_and(|allowance| s.account.bought == allowance.budget)
        }),
        Property::sometimes(
            "a mark is open with the reservation of the window before",
            |_, s: &State| {
                let mark = s.mark(Tag::List);
                mark.status == Status::Open && !mark.reserved
            },
        ),
        Property::sometimes(
            "a window begins before what was bought in the last one is counted",
            |_, s: &State| s.account.window == 0 && s.account.bought > s.account.spent,
        ),
    ]
}
