//! Checks the commit protocol in every order of the steps of two clients, with and without each rule.
//!
//! `cargo test -p edge-crm-models --test commits -- --nocapture` prints the number of states of each
//! run, and the steps on which each broken variant fails.

use edge_crm_models::commits::{Commits, Rule};
use stateright::{Checker, HasDiscoveries, Model};

fn check(commits: &Commits) -> impl Checker<Commits> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = commits
        .clone()
        .checker()
        .threads(threads)
        .spawn_bfs()
        .join();
    println!("{commits:?}: {} states", checker.unique_state_count());
    checker
}

fn every_kind(failures: u8) -> Vec<Commits> {
    let kinds = [(true, true), (true, false), (false, true), (false, false)];
    let kind = |(twins, versioned)| Commits {
        twins,
        versioned,
        revokes: false,
        failures,
        without: None,
    };
    let mut kinds: Vec<_> = kinds.map(kind).into();
    let revoking = kinds.clone().into_iter().filter(|kind| kind.twins);
    kinds.extend(revoking.map(|kind| Commits {
        revokes: true,
        ..kind
    }));
    kinds
}

#[test]
fn a_form_takes_effect_once_and_every_response_is_true() {
    let two_failures = Commits {
        failures: 2,
        ..every_kind(1).remove(0)
    };
    for commits in every_kind(1).into_iter().chain([two_failures]) {
        let checker = check(&commits);
        checker.assert_no_discovery("no form takes effect twice");
        checker.assert_no_discovery("no change overwrites another");
        checker.assert_no_discovery("a success is true");
        checker.assert_no_discovery("a conflict is true and stays true");
        checker.assert_no_discovery("every stale page is purged");
        checker.assert_no_discovery("nothing takes effect after the membership has ended");
        checker.assert_no_discovery("every client gets a response in the end");
        // An edit of an old version is a conflict even if its key is reused a day later.
        if !commits.versioned {
            checker.assert_any_discovery("a key is reused after a day");
        }
    }
}

#[test]
fn each_rule_is_needed() {
    for (rule, property) in [
        (Rule::RecordInTransaction, "no form takes effect twice"),
        (Rule::OutboxInTransaction, "every stale page is purged"),
        (Rule::RecordMustBeAbsent, "no form takes effect twice"),
        (Rule::VersionMustMatch, "no change overwrites another"),
        (
            Rule::CheckBeforeFailing,
            "a conflict is true and stays true",
        ),
        (Rule::ExpiredIsAbsent, "a success is true"),
        (
            Rule::MembershipMustHold,
            "nothing takes effect after the membership has ended",
        ),
    ] {
        let broken = every_kind(1).into_iter().find_map(|commits| {
            let commits = Commits {
                without: Some(rule),
                ..commits
            };
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            let checker = commits.clone().checker().threads(threads);
            let found = HasDiscoveries::AnyOf([property].into());
            let path = checker
                .finish_when(found)
                .spawn_bfs()
                .join()
                .discovery(property);
            path.map(|path| (commits, path))
        });
        let (commits, path) = broken.unwrap_or_else(|| panic!("{rule:?} is not needed"));
        println!(
            "{commits:?}: {property}\n{}",
            path.into_actions()
                .iter()
                .map(|step| format!("  {step:?}\n"))
                .collect::<String>()
        );
    }
}
