//! The caching protocol keeps its properties in every order of its steps, and needs each of its rules.
//!
//! `cargo test -p edge-crm-models -- --nocapture` prints the number of states of each run, and the
//! shortest path on which each broken variant fails.

use edge_crm_models::{Fault, Follows, Protocol, claims, time};
use stateright::{Checker, HasDiscoveries, Model};
use std::time::Instant;

/// Explores all states. Checks that every claim holds and that every expected event happens.
fn holds(name: &str, protocol: Protocol) {
    let start = Instant::now();
    let checker = protocol
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    println!(
        "{name}: {} states, {:.1} s",
        checker.unique_state_count(),
        start.elapsed().as_secs_f32()
    );
    checker.assert_properties();
}

/// Asserts that the broken variant has a stale page that no worker will purge. Prints the shortest path
/// to it.
fn breaks(fault: Fault, failures: u8) {
    let protocol = Protocol {
        failures,
        ..Protocol::with(fault)
    };
    let shortest = (1..30).find_map(|depth| {
        let checker = protocol.checker().target_max_depth(depth).spawn_bfs();
        checker.join().discovery(claims::CLEAN_AT_REST)
    });
    let path = shortest.map(stateright::Path::into_actions);
    let length = path.as_ref().map(Vec::len);
    println!("{fault:?}, {failures} failures: {length:?} steps, {path:?}");
    assert!(path.is_some(), "{fault:?} breaks nothing");
}

#[test]
fn the_protocol_holds_with_one_tag_and_any_two_failures() {
    holds("one tag, two failures", Protocol::new());
}

#[test]
fn the_protocol_holds_with_two_tags_and_any_failure() {
    let two = Protocol {
        two_tags: true,
        patience: 0,
        write: 0,
        sweep: 1,
        failures: 1,
        ..Protocol::new()
    };
    holds("two tags, one failure", two);
}

#[test]
fn the_protocol_holds_in_the_background_with_any_failure() {
    let background = Protocol {
        inline: false,
        failures: 1,
        ..Protocol::new()
    };
    holds("in the background, one failure", background);
}

#[test]
fn a_writer_never_gets_a_page_older_than_the_write() {
    let fresh = Protocol {
        follows: Follows::FreshOfAnn,
        failures: 1,
        ..Protocol::new()
    };
    holds("the writer's key, one failure", fresh);
}

#[test]
fn every_outbox_record_is_deleted_in_time() {
    let outbox = Protocol {
        follows: Follows::Nothing,
        failures: 1,
        ..Protocol::new()
    };
    holds("the outbox alone, one failure", outbox);
}

#[test]
fn the_protocol_holds_if_pages_and_marks_expire() {
    let expiring = Protocol {
        expiry: Some(time::S_MAXAGE),
        failures: 0,
        ..Protocol::new()
    };
    holds("pages expire, no failure", expiring);
}

#[test]
fn pages_expire_if_no_purge_is_ever_accepted() {
    let unreachable = Protocol {
        purges: false,
        expiry: Some(time::S_MAXAGE),
        ..Protocol::new()
    };
    holds("pages expire, no purge is accepted", unreachable);
}

#[test]
fn a_view_must_mark_before_it_reads() {
    breaks(Fault::ReadsFirst, 0);
}

#[test]
fn a_late_response_must_not_be_cached() {
    breaks(Fault::LateResponseCached, 0);
}

#[test]
fn the_outbox_record_must_be_in_the_transaction() {
    breaks(Fault::SeparateRecord, 1);
}

#[test]
fn a_mark_must_stay_open_until_its_purge_is_accepted() {
    breaks(Fault::ClosesEarly, 1);
}

/// An earlier version of the protocol had this flaw.
#[test]
fn a_mark_must_not_be_closed_for_a_record() {
    breaks(Fault::ClosesForRecord, 0);
}

#[test]
fn a_replaced_mark_must_not_be_closed() {
    breaks(Fault::ClosesAnyMark, 0);
}

#[test]
fn a_young_mark_needs_a_second_purge() {
    breaks(Fault::NoSecondPurge, 0);
}

#[test]
fn the_age_of_a_mark_must_be_judged_at_the_commit() {
    breaks(Fault::YoungSinceNow, 0);
}

#[test]
fn the_caller_reference_must_have_more_than_the_tags() {
    breaks(Fault::ReferenceOfTags, 0);
}

#[test]
fn t_must_include_the_time_to_write_a_mark() {
    breaks(Fault::SettlesTooSoon, 0);
}
