//! The load test: sends mixed traffic at a steady rate for a given time, then audits the whole table.
//!
//! ```text
//! cargo run --bin load -- --seconds 60 --rate 20
//! cargo run --bin load -- --seconds 1800 --rate 30
//! ```
//!
//! It sends requests on a schedule, without waiting for earlier responses, and measures latency from
//! the scheduled time. So a stall shows in every request that was due during it. The exit code is 1 if
//! a response was wrong, if memory or latency was not flat ([`slices::Run::flaws`] defines that), or if
//! the audit found a flaw.

mod slices;
mod team;

use clap::Parser;
use edge_crm_tests::usage::Usage;
use edge_crm_tests::{Launch, Product, Scratch, Table};
use futures_util::future::join_all;
use slices::{Run, Sample};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use team::Team;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::sleep_until;

/// The longest that the outbox may take to empty: a page that was cached just before a change is
/// purged a second time after half a minute.
const DRAINED: Duration = Duration::from_secs(90);

/// The longest that the last responses may take.
const ANSWERED: Duration = Duration::from_secs(30);

#[derive(Debug, Parser)]
#[command(about = "Sends mixed traffic to the product at a steady rate and audits its table")]
struct Options {
    /// How long to send traffic, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(20..))]
    seconds: u64,
    /// How many operations to start each second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// How many organisations to sign up
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    organizations: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let scratch = Scratch::new();
    let product = Launch::new().data(scratch.path()).start();
    let numbers = 0..options.organizations;
    let teams = join_all(numbers.map(|number| Team::found(&product, number))).await;
    println!(
        "{} operations a second for {} s",
        options.rate, options.seconds
    );
    let run = drive(&options, &product, &teams).await;
    println!("\n{run}");
    let mut flaws = run.flaws();
    flaws.extend(audit(product, &scratch, &teams, &run).await);
    for flaw in &flaws {
        println!("FAILED: {flaw}");
    }
    match flaws.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Starts each operation when it is due, and waits for all of them.
async fn drive(options: &Options, product: &Product, teams: &[Arc<Team>]) -> Run {
    let (sender, mut receiver) = unbounded_channel();
    let begin = Instant::now();
    let mut run = Run::new(begin, Duration::from_secs(options.seconds));
    let mut memory_due = begin;
    for number in 0..options.seconds * options.rate {
        let due = begin + Duration::from_nanos(number * 1_000_000_000 / options.rate);
        sleep_until(due.into()).await;
        let team = &teams[number as usize % teams.len()];
        tokio::spawn(operate(Arc::clone(team), due, sender.clone()));
        if due >= memory_due {
            run.memory(Usage::of(product.id()).resident);
            memory_due += Duration::from_secs(1);
        }
        while let Ok(sample) = receiver.try_recv() {
            run.take(sample);
        }
    }
    drop(sender);
    let late = tokio::time::Instant::now() + ANSWERED;
    // The channel closes when the last operation has ended or panicked.
    while let Ok(Some(sample)) = tokio::time::timeout_at(late, receiver.recv()).await {
        run.take(sample);
    }
    run.expect(options.seconds * options.rate);
    run
}

async fn operate(team: Arc<Team>, due: Instant, sender: UnboundedSender<Sample>) {
    let kind = team.choose();
    let outcome = team.run(kind).await;
    let sample = Sample {
        kind,
        due,
        latency: due.elapsed(),
        outcome,
    };
    let _the_run_has_given_up = sender.send(sample);
}

/// Waits until no work is pending, stops the product and audits its table. Returns descriptions of the
/// flaws.
async fn audit(product: Product, scratch: &Scratch, teams: &[Arc<Team>], run: &Run) -> Vec<String> {
    let table = Table::open(scratch.path()).await;
    let late = Instant::now() + DRAINED;
    while !table.waiting().is_empty() && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let _output = product.stop();
    let audit = table.audit().await;
    let mut flaws: Vec<_> = audit.flaws.into_iter().collect();
    let mut done: BTreeMap<String, usize> = BTreeMap::new();
    for (action, count) in teams
        .iter()
        .flat_map(|team| team.founded())
        .chain(run.done())
    {
        *done.entry(action.to_owned()).or_default() += count;
    }
    if done != audit.successes {
        let audited = &audit.successes;
        flaws.push(format!(
            "the responses report {done:?}, the audit records {audited:?}"
        ));
    }
    println!(
        "audit: {} items, {} contacts and {} in the trash, {} successes, {} flaws",
        audit.items,
        audit.contacts,
        audit.trashed,
        audit.successes.values().sum::<usize>(),
        flaws.len()
    );
    flaws
}
