//! What must hold in every state, and what must happen in some.

use crate::Protocol;
use crate::state::{Key, Mark, Page, Record, State, Writer};
use crate::time::{ACTION, PURGE, S_MAXAGE, SETTLING, SWEEP};
use stateright::Property;

/// No cached page is older than a commit to its tag for longer than [`bound`] says.
pub const BOUNDED: &str = "no page is stale beyond its bound";
/// Where no record is left and nobody is at work, nothing stale is cached or on its way there.
pub const CLEAN_AT_REST: &str = "at rest nothing is stale";
/// Every outbox record is done with in time.
pub const DRAINED: &str = "no outbox record outlives its bound";
/// Who has changed something sees it.
pub const OWN_WRITES: &str = "the writer's key never yields a page older than the write";

/// The longest that a cached page may be older than a commit to its tag, in ticks.
pub fn bound(s: &State) -> u8 {
    let Page::Cached { met, .. } = s.page else {
        return u8::MAX;
    };
    let first = 2 * ACTION + s.failures * SWEEP + PURGE;
    if met { first + SETTLING + SWEEP } else { first }
}

fn stale_since(s: &State) -> Option<u8> {
    let stale = Writer::ALL.into_iter().filter(|&w| s.is_stale_for(w));
    stale.filter_map(|w| s.work[w as usize].commit).max()
}

fn bounded(p: &Protocol, s: &State) -> bool {
    let limit = match p.purges {
        true => bound(s),
        false => S_MAXAGE + SETTLING,
    };
    !matches!(s.page, Page::Cached { .. }) || stale_since(s).is_none_or(|age| age <= limit)
}

fn clean_at_rest(_: &Protocol, s: &State) -> bool {
    let leaves = matches!(
        s.page,
        Page::Cached {
            leaving: Some(_),
            ..
        }
    );
    Writer::ALL.into_iter().any(|w| s.is_owed(w)) || leaves || stale_since(s).is_none()
}

fn drained(p: &Protocol, s: &State) -> bool {
    let failures = match p.purges {
        true => s.failures * SWEEP,
        // Nothing helps but that the marks lapse.
        false => S_MAXAGE + SETTLING,
    };
    let limit = ACTION + SETTLING + 2 * SWEEP + failures;
    let in_time = |age: u8| age <= limit;
    s.work
        .iter()
        .all(|work| work.record.is_none() || work.commit.is_some_and(in_time))
}

fn own_writes(_: &Protocol, s: &State) -> bool {
    s.key == Key::Shared || s.page_shows().is_none_or(|shown| shown.has(Writer::Ann))
}

/// What is claimed of the protocol.
pub(crate) fn properties(_: &Protocol) -> Vec<Property<Protocol>> {
    vec![
        Property::always(BOUNDED, bounded),
        Property::always(CLEAN_AT_REST, clean_at_rest),
        Property::always(DRAINED, drained),
        Property::always(OWN_WRITES, own_writes),
        Property::sometimes("a page is hit that shows both changes", |_, s: &State| {
            matches!(s.page, Page::Cached { .. })
                && s.page_shows().is_some_and(|shown| shown.0 == 3)
        }),
        Property::sometimes("a stale page waits for the second purge", |_, s: &State| {
            matches!(s.page, Page::Cached { leaving: None, .. })
                && stale_since(s).is_some()
                && s.work
                    .iter()
                    .any(|work| matches!(work.record, Some(Record::Second { .. })))
        }),
        Property::sometimes("the second purge removes a stale page", |_, s: &State| {
            matches!(
                s.page,
                Page::Cached {
                    leaving: Some(_),
                    ..
                }
            ) && stale_since(s).is_some()
                && s.drain
                    .is_some_and(|(_, owed)| owed.second && owed.accepted)
        }),
        Property::sometimes(
            "a second change leaves its stale page to the purges of the first",
            |_, s: &State| {
                let [ann, ben] = &s.work;
                let closed = |m: Mark| m.closed_by == Some(Writer::Ann);
                let done = ben.record.is_none() && ben.call.is_none();
                ben.commit == Some(0)
                    && done
                    && s.is_stale_for(Writer::Ben)
                    && matches!(s.page, Page::Cached { leaving: None, .. })
                    && ann.record.is_some()
                    && s.marks[0].is_some_and(closed)
                    && s.failures == 0
            },
        ),
        Property::sometimes("the fresh page of a writer is cached", |_, s: &State| {
            s.key == Key::FreshOfAnn && matches!(s.page, Page::Cached { .. })
        }),
    ]
}
