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

/// How many faulted requests there are at least.
const ENOUGH: usize = 10_000;

/// How many lanes there are at a time: what waits for a timeout lets others work.
const LANES: usize = 20;

/// How many cases one lane tries.
const CASES: usize = 60;

/// These hash passwords, which takes a hundred times as long as all else: every so many of their
/// cases are tried.
const SLOW: [&str; 5] = [
    "sign-up",
    "sign-in",
    "accept-invite",
    "change-password",
    "reset-password",
];
const SHARE: usize = 6;

/// How many cases of an action are two faults at once.
const PAIRS: usize = 260;

/// Where the random faults begin. The same number gives the same faults.
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
    assert!(actions.len() > 20, "the samples run every action");
    actions
}

/// Every case of an action: all that is systematic, CloudFront's faults, and two faults at once.
async fn batches(prepared: &Arc<Prepared>, pairs: usize) -> Vec<Batch> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let slow = SLOW.contains(&prepared.name);
    let spared = |cases: Vec<Case>| -> Vec<Case> {
        let share = if slow { SHARE } else { 1 };
        cases.into_iter().step_by(share).collect()
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
    add(false, &calm, spared(cases));
    let live = Lane::start(prepared, true).await.expected;
    if live.calls.len() > calm.calls.len() {
        // Up to the commit the calls are the same ones.
        let after: Vec<_> = cases::systematic(&live.calls, &mut random);
        let later = after.into_iter().filter(|case| case.is_after_commit());
        add(true, &live, spared(later.collect()));
        add(true, &live, spared(cases::at_the_edge()));
    }
    batches
}

async fn run(batch: Batch) -> (Report, Vec<String>) {
    let mut lane = Lane::knowing(&batch.prepared, batch.expected, batch.live).await;
    let (mut report, mut wrong) = (Report::default(), Vec::new());
    for case in &batch.cases {
        match lane.try_case(case).await {
            Ok(outcome) if outcome.befell => {
                report.add(&case.label, outcome.first, outcome.retries, outcome.drained);
            }
            Ok(_) => {}
            Err(what) => {
                println!("{}: {case:?}: {what}", batch.prepared.name);
                wrong.push(format!("{}: {case:?}: {what}", batch.prepared.name));
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
async fn under_every_fault_at_every_call_each_action_is_done_once_or_says_to_try_again() {
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

/// Four of a kind at once, while everything goes wrong at random.
#[tokio::test(flavor = "multi_thread")]
async fn twins_under_random_faults_are_done_once() {
    let faults = Faults {
        contention: 20,
        mixture: 60,
        lost_answer: 25,
        unprocessed: 20,
    };
    let mut faulted = 0;
    for prepared in actions().await {
        // What keeps no result is done by each of them.
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
                let said = twin.expect("a twin");
                assert!(said.is_ok(), "{}: {said:?}", prepared.name);
            }
            lane.database().quiet().await;
            let written = lane.written(&lane.table().dump(), 4 * 13);
            assert_eq!(written, Ok(()), "{}", prepared.name);
        }
        faulted += lane.database().made.load(Ordering::Relaxed);
    }
    assert!(faulted > 500, "only {faulted} faults");
}
