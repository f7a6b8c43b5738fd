//! The caching protocol keeps its properties in every order of its steps, and needs each of its rules.
//!
//! `cargo test -p edge-crm-models -- --nocapture` prints the number of states of each run, and the
//! shortest path on which each broken variant fails.

use edge_crm_models::{Allowance, Fault, Follows, Protocol, allowance, claims, time};
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

/// Without a failure, the broken variant has a stale page that no worker will purge.
fn leaves_stale(fault: Fault) {
    let protocol = Protocol {
        failures: 0,
        ..Protocol::with(fault)
    };
    breaks(protocol, claims::CLEAN_AT_REST);
}

/// Without a failure, the broken variant tells that a change is revalidated while an old page is cached.
fn tells_too_soon(fault: Fault, two_tags: bool) {
    let protocol = Protocol {
        two_tags,
        failures: 0,
        ..Protocol::with(fault)
    };
    breaks(protocol, claims::TOLD);
}

/// Changes without end, and an allowance of items that must hold to the item.
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

/// The shortest window in which the budget holds with these settings: the life of a mark, and a sweep for
/// each failure.
const fn window(failures: u8) -> u8 {
    3 + failures
}

/// The broken variant buys more than is allowed, without a failure.
fn overspends(fault: Fault) {
    let protocol = Protocol {
        fault: Some(fault),
        ..with_allowance(3, window(0))
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
        write: 0,
        sweep: 1,
        failures: 1,
        ..Protocol::new()
    };
    holds("two tags, one failure", two);
}

#[test]
fn the_protocol_holds_in_the_background_with_any_two_failures() {
    let background = Protocol {
        inline: false,
        ..Protocol::new()
    };
    holds("in the background, two failures", background);
}

#[test]
fn the_protocol_holds_with_a_quiet_time_and_any_two_failures() {
    let quiet = Protocol {
        quiet: 1,
        ..Protocol::new()
    };
    holds("quiet time, two failures", quiet);
}

#[test]
fn a_writer_never_gets_a_page_older_than_the_write() {
    let fresh = Protocol {
        follows: Follows::FreshOfAnn,
        ..Protocol::new()
    };
    holds("the writer's key, two failures", fresh);
}

#[test]
fn every_outbox_record_is_deleted_in_time() {
    let outbox = Protocol {
        follows: Follows::Nothing,
        ..Protocol::new()
    };
    holds("the outbox alone, two failures", outbox);
}

#[test]
fn the_protocol_holds_if_pages_and_marks_expire() {
    let expiring = Protocol {
        expiry: Some(time::S_MAXAGE),
        failures: 1,
        ..Protocol::new()
    };
    holds("pages expire, one failure", expiring);
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
fn no_more_is_bought_than_allowed_with_any_two_failures() {
    let inline = Protocol {
        failures: 2,
        ..with_allowance(4, window(2))
    };
    holds("allowance, two failures", inline);
}

#[test]
fn no_more_is_bought_than_allowed_in_the_background_with_any_failure() {
    let background = Protocol {
        inline: false,
        failures: 1,
        ..with_allowance(4, window(1))
    };
    holds("allowance, in the background, one failure", background);
}

#[test]
fn no_more_is_bought_than_allowed_for_two_tags() {
    let two = Protocol {
        two_tags: true,
        ..with_allowance(6, window(0))
    };
    holds("allowance, two tags, no failure", two);
}

#[test]
fn in_short_windows_each_failure_may_cost_the_price_of_a_mark() {
    let short = Protocol {
        failures: 2,
        allowance: Some(Allowance {
            budget: 4,
            window: window(0),
            overshoot: allowance::PRICE,
        }),
        ..with_allowance(4, window(0))
    };
    holds("allowance, short windows, two failures", short);
}

#[test]
fn a_view_must_mark_before_it_reads() {
    leaves_stale(Fault::ReadsFirst);
}

#[test]
fn a_late_response_must_not_be_cached() {
    leaves_stale(Fault::LateResponseCached);
}

#[test]
fn a_view_must_open_a_closed_mark() {
    leaves_stale(Fault::KeepsClosed);
}

#[test]
fn a_quiet_commit_must_look_at_the_marks() {
    leaves_stale(Fault::QuietUnchecked);
}

#[test]
fn a_commit_must_not_be_quiet_while_a_purge_is_pending() {
    tells_too_soon(Fault::QuietWhilePending, false);
}

#[test]
fn a_renewed_mark_must_not_be_closed() {
    leaves_stale(Fault::ClosesAnyRender);
}

#[test]
fn the_outbox_record_must_be_in_the_transaction() {
    let protocol = Protocol {
        contention: false,
        failures: 1,
        ..Protocol::with(Fault::SeparateRecord)
    };
    breaks(protocol, claims::CLEAN_AT_REST);
}

#[test]
fn an_unresolved_record_must_not_be_deleted_without_the_marks() {
    leaves_stale(Fault::DeletesUnresolved);
}

#[test]
fn a_record_must_not_be_resolved_twice() {
    leaves_stale(Fault::ResolvesAgain);
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
    leaves_stale(Fault::ConcludesAnyMark);
}

#[test]
fn a_young_mark_needs_a_second_purge() {
    leaves_stale(Fault::NoSecondPurge);
}

#[test]
fn the_age_of_a_mark_must_be_judged_at_the_commit() {
    leaves_stale(Fault::YoungSinceNow);
}

#[test]
fn the_caller_reference_must_have_more_than_the_tags() {
    leaves_stale(Fault::ReferenceOfTags);
}

#[test]
fn t_must_include_the_time_to_write_a_mark() {
    leaves_stale(Fault::SettlesTooSoon);
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
    breaks(with_allowance(3, window(0) - 1), claims::BUDGET);
}
