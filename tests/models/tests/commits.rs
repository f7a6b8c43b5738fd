//! Every order of the steps of two clients, with and without each rule.
//!
//! `cargo test -p edge-crm-models --test commits -- --nocapture` prints how many states each run
//! has, and the steps in which each broken variant fails.

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
        failures,
        without: None,
    };
    kinds.map(kind).into()
}

#[test]
fn a_form_is_done_once_and_its_clients_are_told_the_truth() {
    let two_failures = Commits {
        failures: 2,
        ..every_kind(1).remove(0)
    };
    for commits in every_kind(1).into_iter().chain([two_failures]) {
        let checker = check(&commits);
        checker.assert_no_discovery("no form is done twice");
        checker.assert_no_discovery("no change overwrites another");
        checker.assert_no_discovery("a success is true");
        checker.assert_no_discovery("a conflict is true, and stays so");
        checker.assert_no_discovery("what is stale is seen to");
        checker.assert_no_discovery("everybody is told, however much goes wrong");
        // An edit of a version that is gone is a conflict, a day later too.
        if !commits.versioned {
            checker.assert_any_discovery("a key is used again after a day");
        }
    }
}

#[test]
fn each_rule_is_needed() {
    for (rule, property) in [
        (Rule::RecordInTransaction, "no form is done twice"),
        (Rule::OutboxInTransaction, "what is stale is seen to"),
        (Rule::RecordMustBeAbsent, "no form is done twice"),
        (Rule::VersionMustMatch, "no change overwrites another"),
        (Rule::LookBeforeFailing, "a conflict is true, and stays so"),
        (Rule::ExpiredIsAbsent, "a success is true"),
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
