//! scratch
use edge_crm_models::*;
use stateright::{Checker, HasDiscoveries, Model};
use std::time::Instant;
fn run(p: Protocol) {
    let t = Instant::now();
    let c = p
        .checker()
        .threads(1)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    println!(
        "{p:?} states {} total {} depth {} {:?}",
        c.unique_state_count(),
        c.state_count(),
        c.max_depth(),
        t.elapsed()
    );
    let mut d: Vec<_> = c.discoveries().into_iter().collect();
    d.sort_by_key(|d| d.0);
    for (name, path) in d {
        let steps = path.into_actions();
        println!("  {name}: {} {:?}", steps.len(), steps);
    }
}
#[test]
fn all() {
    run(Protocol::new());
}
#[test]
fn faults() {
    use Fault::*;
    for f in [
        ReadsFirst,
        NoSecondPurge,
        ClosesEarly,
        ClosesForRecord,
        ReferenceOfTags,
        LateAnswerCached,
        RecordApart,
        YoungSinceNow,
        ClosesAnyMark,
    ] {
        run(Protocol {
            fault: Some(f),
            ..Protocol::new()
        });
    }
}
