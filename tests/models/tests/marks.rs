//! The protocol holds in whatever order its steps come, and each of its rules is needed for that.
//!
//! `cargo test -p edge-crm-models -- --nocapture` prints what each run explores, and the shortest
//! way in which each broken variant fails.

use edge_crm_models::{Fault, Follows, Protocol, claims, time};
use stateright::{Checker, HasDiscoveries, Model};
use std::time::Instant;

/// Explores everything, and checks every claim, and that what is to occur does.
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

/// Looks for the shortest way to something stale that nobody is going to remove.
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
fn one_tag_and_any_two_failures() {
    holds("one tag, two failures", Protocol::new());
}

#[test]
fn two_tags_and_any_failure() {
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
fn drains_alone_and_any_failure() {
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
fn no_outbox_record_is_left() {
    let outbox = Protocol {
        follows: Follows::Nothing,
        failures: 1,
        ..Protocol::new()
    };
    holds("the outbox alone, one failure", outbox);
}

#[test]
fn pages_and_marks_expire() {
    let expiring = Protocol {
        expiry: Some(time::S_MAXAGE),
        failures: 0,
        ..Protocol::new()
    };
    holds("pages expire, no failure", expiring);
}

#[test]
fn the_edge_out_of_reach_for_good() {
    let unreachable = Protocol {
        purges: false,
        expiry: Some(time::S_MAXAGE),
        ..Protocol::new()
    };
    holds("pages expire, no purge is accepted", unreachable);
}

#[test]
fn a_view_that_reads_before_it_marks() {
    breaks(Fault::ReadsFirst, 0);
}

#[test]
fn a_late_answer_that_is_cached() {
    breaks(Fault::LateAnswerCached, 0);
}

#[test]
fn an_outbox_record_apart_from_the_commit() {
    breaks(Fault::RecordApart, 1);
}

#[test]
fn a_mark_closed_before_its_purge_is_accepted() {
    breaks(Fault::ClosesEarly, 1);
}

/// The flaw of an earlier form of the protocol.
#[test]
fn a_mark_closed_in_the_name_of_a_record() {
    breaks(Fault::ClosesForRecord, 0);
}

#[test]
fn a_mark_closed_that_was_not_seen() {
    breaks(Fault::ClosesAnyMark, 0);
}

#[test]
fn no_second_purge() {
    breaks(Fault::NoSecondPurge, 0);
}

#[test]
fn youth_judged_when_the_purge_is_accepted() {
    breaks(Fault::YoungSinceNow, 0);
}

#[test]
fn a_caller_reference_of_tags_only() {
    breaks(Fault::ReferenceOfTags, 0);
}

#[test]
fn a_t_without_the_time_of_a_marks_write() {
    breaks(Fault::SettlesTooSoon, 0);
}
