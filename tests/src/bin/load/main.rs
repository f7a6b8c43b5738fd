//! The load test: mixed traffic at a steady rate, for as long as is asked, and the audit of the
//! whole table afterwards.
//!
//! ```text
//! cargo run --bin load -- --seconds 60 --rate 20
//! cargo run --bin load -- --seconds 1800 --rate 30
//! ```
//!
//! Requests are sent by a schedule, whether those before have been answered or not, and a latency
//! counts from the scheduled moment: so a stall shows in every request that was due meanwhile. It
//! ends with 1 where an answer was wrong, where memory or latency was not flat
//! ([`slices::Run::flaws`] says what that means), or where the audit found anything.

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

/// How long what is left in the outbox may take: a page that was just cached is purged a second
/// time after half a minute.
const DRAINED: Duration = Duration::from_secs(90);

/// How long the last answers may take.
const ANSWERED: Duration = Duration::from_secs(30);

#[derive(Debug, Parser)]
#[command(about = "Sends mixed traffic to the product at a steady rate and audits its table")]
struct Options {
    /// How long, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(20..))]
    seconds: u64,
    /// How many operations are begun in a second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// How many organisations
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

/// Begins an operation whenever one is due, and waits for all of them.
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
    // The channel closes when the last operation has ended, or has panicked.
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

/// Waits until nothing is left to be seen to, stops the product, and audits its table: what does
/// not hold, in words.
async fn audit(product: Product, scratch: &Scratch, teams: &[Arc<Team>], run: &Run) -> Vec<String> {
    let table = Table::open(scratch.path()).await;
    let late = Instant::now() + DRAINED;
    while !table.waiting().is_empty() && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let _what_it_logged_is_no_matter = product.stop();
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
        let told = &audit.successes;
        flaws.push(format!(
            "the answers tell of {done:?}, the audit records of {told:?}"
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
