//! The caching protocol keeps its properties in every order of its steps, and needs each of its rules.
//!
//! `cargo test -p edge-crm-models -- --nocapture` prints the number of states of each run, and the
//! shortest path on which each broken variant fails.

use edge_crm_models::{Allowance, Fault, Follows, Protocol, claims, time};
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

/// Asserts that a broken variant violates a claim. Prints the shortest path to that.
fn breaks(protocol: Protocol, claim: &'static str) {
    let shortest = (1..30).find_map(|depth| {
        let checker = protocol.checker().target_max_depth(depth).spawn_bfs();
        checker.join().discovery(claim)
    });
    let path = shortest.map(stateright::Path::into_actions);
    let length = path.as_ref().map(Vec::len);
    let Protocol {
        fault, failures, ..
    } = protocol;
    println!("{fault:?}, {failures} failures: {length:?} steps to {claim:?}, {path:?}");
    assert!(path.is_some(), "{fault:?} breaks nothing");
}

/// The broken variant has a stale page that no worker will purge.
fn leaves_stale(fault: Fault, failures: u8) {
    let protocol = Protocol {
        failures,
        ..Protocol::with(fault)
    };
    breaks(protocol, claims::CLEAN_AT_REST);
}

/// The broken variant tells that a change is revalidated while an old page is cached.
fn tells_too_soon(fault: Fault, two_tags: bool) {
    let protocol = Protocol {
        two_tags,
        failures: 0,
        ..Protocol::with(fault)
    };
    breaks(protocol, claims::TOLD);
}

/// Changes without end, and an allowance of items.
fn with_allowance(budget: u8, window: u8) -> Protocol {
    Protocol {
        follows: Follows::Nothing,
        write: 0,
        sweep: 1,
        failures: 0,
        expiry: Some(1),
        allowance: Some(Allowance {
            budget,
            window,
            overshoot: 0,
        }),
        repeats: true,
        ..Protocol::new()
    }
}

/// The broken variant buys more than is allowed, without a failure.
fn overspends(fault: Fault) {
    let protocol = Protocol {
        fault: Some(fault),
        ..with_allowance(3, 4)
    };
    breaks(protocol, claims::BUDGET);
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
fn the_protocol_holds_with_a_quiet_time_and_any_failure() {
    let quiet = Protocol {
        quiet: 1,
        failures: 1,
        ..Protocol::new()
    };
    holds("quiet time, one failure", quiet);
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
fn no_more_is_bought_than_allowed() {
    holds("allowance, no failure", with_allowance(4, 4));
}

#[test]
fn no_more_is_bought_than_allowed_in_the_background() {
    let background = Protocol {
        inline: false,
        ..with_allowance(4, 4)
    };
    holds("allowance, in the background, no failure", background);
}

#[test]
fn a_view_must_mark_before_it_reads() {
    leaves_stale(Fault::ReadsFirst, 0);
}

#[test]
fn a_late_response_must_not_be_cached() {
    leaves_stale(Fault::LateResponseCached, 0);
}

#[test]
fn a_view_must_open_a_closed_mark() {
    leaves_stale(Fault::KeepsClosed, 0);
}

#[test]
fn a_quiet_commit_must_look_at_the_marks() {
    leaves_stale(Fault::QuietUnchecked, 0);
}

#[test]
fn a_commit_must_not_be_quiet_while_a_purge_is_pending() {
    tells_too_soon(Fault::QuietWhilePending, false);
}

#[test]
fn a_renewed_mark_must_not_be_closed() {
    leaves_stale(Fault::ClosesAnyRender, 0);
}

#[test]
fn the_outbox_record_must_be_in_the_transaction() {
    leaves_stale(Fault::SeparateRecord, 1);
}

#[test]
fn an_unresolved_record_must_not_be_deleted_without_the_marks() {
    leaves_stale(Fault::DeletesUnresolved, 0);
}

#[test]
fn a_record_must_not_be_resolved_twice() {
    leaves_stale(Fault::ResolvesAgain, 0);
}

#[test]
fn a_resolved_record_must_not_be_deleted_as_unresolved() {
    let protocol = Protocol {
        failures: 0,
        ..Protocol::with(Fault::DeletesResolved)
    };
    breaks(protocol, claims::BOUNDED);
}

#[test]
fn a_resolved_record_must_keep_the_tags_that_wait() {
    tells_too_soon(Fault::ForgetsRest, true);
}

#[test]
fn a_mark_that_was_opened_again_is_not_purged() {
    leaves_stale(Fault::ConcludesAnyMark, 0);
}

#[test]
fn a_young_mark_needs_a_second_purge() {
    leaves_stale(Fault::NoSecondPurge, 0);
}

#[test]
fn the_age_of_a_mark_must_be_judged_at_the_commit() {
    leaves_stale(Fault::YoungSinceNow, 0);
}

#[test]
fn the_caller_reference_must_have_more_than_the_tags() {
    leaves_stale(Fault::ReferenceOfTags, 0);
}

#[test]
fn t_must_include_the_time_to_write_a_mark() {
    leaves_stale(Fault::SettlesTooSoon, 0);
}

#[test]
fn opening_a_mark_must_reserve_both_purges() {
    overspends(Fault::ReservesOne);
}

#[test]
fn a_reservation_must_outlive_its_mark() {
    overspends(Fault::TakesBack);
}

#[test]
fn reservations_of_the_window_before_must_count() {
    overspends(Fault::CountsThisWindowOnly);
}

#[test]
fn a_closed_mark_needs_a_new_reservation() {
    overspends(Fault::ReopensUnreserved);
}

#[test]
fn a_record_must_be_concluded_once() {
    overspends(Fault::ConcludesTwice);
}

#[test]
fn the_caller_reference_must_not_depend_on_other_records() {
    overspends(Fault::ReferenceOfCall);
}

#[test]
fn a_window_must_outlast_a_mark() {
    breaks(with_allowance(3, 2), claims::BUDGET);
}
