//! Every action under every fault.

use crate::cases::{self, Case};
use crate::lane::{Expected, Lane, UNRECORDED};
use crate::report::Report;
use edge_crm_tests::fault::Faults;
use edge_crm_tests::prepared::Prepared;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The least number of faulted requests.
const ENOUGH: usize = 10_000;

/// How many lanes run concurrently. Most of the time they wait for timeouts.
const LANES: usize = 20;

/// How many cases one lane tries.
const CASES: usize = 60;

/// These actions hash passwords, which takes a hundred times as long as everything else. Only every
/// [`SHARE`]th of their cases is tried.
const SLOW: [&str; 7] = [
    "sign-up",
    "sign-in",
    "accept-invite",
    "change-password",
    "change-email",
    "delete-account",
    "reset-password",
];
const SHARE: usize = 6;

/// How many cases of each action have two faults.
const PAIRS: usize = 260;

/// The seed of the random faults.
const SEED: u64 = 20_261_121;

struct Batch {
    prepared: Arc<Prepared>,
    expected: Arc<Expected>,
    live: bool,
    cases: Vec<Case>,
}

async fn actions() -> Vec<Arc<Prepared>> {
    let all = Prepared::all().await.into_iter();
    let actions: Vec<_> = all.filter(Prepared::is_action).map(Arc::new).collect();
    assert!(actions.len() > 20, "there is a sample of every action");
    actions
}

/// All cases of an action: the systematic ones, CloudFront's faults, and pairs of faults.
async fn batches(prepared: &Arc<Prepared>, pairs: usize) -> Vec<Batch> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let slow = SLOW.contains(&prepared.name);
    let share = |cases: Vec<Case>| -> Vec<Case> {
        let step = if slow { SHARE } else { 1 };
        cases.into_iter().step_by(step).collect()
    };
    let mut batches = Vec::new();
    let mut add = |live: bool, expected: &Arc<Expected>, cases: Vec<Case>| {
        batches.extend(cases.chunks(CASES).map(|cases| Batch {
            prepared: Arc::clone(prepared),
            expected: Arc::clone(expected),
            live,
            cases: cases.to_vec(),
        }));
    };
    let calm = Lane::start(prepared, false).await.expected;
    let mut cases = cases::systematic(&calm.calls, &mut random);
    let pairs = (0..pairs).map(|_| cases::pair(&calm.calls, &mut random));
    if !slow {
        cases.extend(pairs);
    }
    add(false, &calm, share(cases));
    let live = Lane::start(prepared, true).await.expected;
    if live.calls.len() > calm.calls.len() {
        // Up to the commit the calls are the same.
        let after: Vec<_> = cases::systematic(&live.calls, &mut random);
        let later = after.into_iter().filter(|case| case.is_after_commit());
        add(true, &live, share(later.collect()));
        add(true, &live, share(cases::of_invalidations()));
    }
    batches
}

async fn run(batch: Batch) -> (Report, Vec<String>) {
    let mut lane = Lane::knowing(&batch.prepared, batch.expected, batch.live).await;
    let (mut report, mut wrong) = (Report::default(), Vec::new());
    for case in &batch.cases {
        match lane.try_case(case).await {
            Ok(outcome) if outcome.struck => {
                report.add(&case.label, outcome.first, outcome.retries, outcome.drained);
            }
            Ok(_) => {}
            Err(error) => {
                println!("{}: {case:?}: {error}", batch.prepared.name);
                wrong.push(format!("{}: {case:?}: {error}", batch.prepared.name));
            }
        }
    }
    let chains = lane.broken_chains().await;
    wrong.extend(
        chains
            .into_iter()
            .map(|flaw| format!("{}: {flaw}", batch.prepared.name)),
    );
    (report, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn under_every_fault_each_action_is_done_once_or_says_to_try_again() {
    let mut all = Vec::new();
    for prepared in actions().await {
        all.extend(batches(&prepared, PAIRS).await);
    }
    let tasks = iter(all.into_iter().map(|batch| tokio::spawn(run(batch))));
    let mut done = tasks.buffer_unordered(LANES);
    let (mut report, mut wrong) = (Report::default(), Vec::new());
    while let Some(ended) = done.next().await {
        let (counted, failed) = ended.expect("a lane");
        report.merge(counted);
        wrong.extend(failed);
    }
    report.print("fault");
    let shown: Vec<_> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} are wrong: {shown:#?}", wrong.len());
    let total = report.total();
    assert!(total >= ENOUGH, "only {total} requests were faulted");
}

/// Four processes get the same request at once, under random faults.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_four_times_at_once_is_done_once() {
    let faults = Faults {
        contention: 20,
        mixture: 60,
        lost_answer: 25,
        unprocessed: 20,
    };
    let mut faulted = 0;
    for prepared in actions().await {
        // Without an idempotency record, each of the four is done.
        if SLOW.contains(&prepared.name) || UNRECORDED.contains(&prepared.name) {
            continue;
        }
        let lane = Arc::new(Lane::start(&prepared, false).await);
        for _ in 0..10 {
            lane.reset();
            lane.database().make(faults);
            let twins = join_all((0..4).map(|_| tokio::spawn(Arc::clone(&lane).twin()))).await;
            lane.database().make(Faults::default());
            for twin in twins {
                let outcome = twin.expect("a twin");
                assert!(outcome.is_ok(), "{}: {outcome:?}", prepared.name);
            }
            lane.database().quiet().await;
            let written = lane.written(&lane.table().dump(), 4 * 13);
            assert_eq!(written, Ok(()), "{}", prepared.name);
        }
        faulted += lane.database().made.load(Ordering::Relaxed);
    }
    assert!(faulted > 500, "only {faulted} faults");
}
