//! Measures `index-search` as the process that Lambda starts, while one organisation floods the index:
//!
//! ```text
//! cargo build --bin index-search && cargo run --bin index-memory
//! ```
//!
//! Prints the most memory that the process has used, and when another organisation's contact is
//! indexed. The exit code is 1 if either is over its limit. tests/index-memory.sh runs it.

use action::{Actor, Key, Role, TenantId};
use crm::{Contact, ContactFields};
use edge_crm_tests::bootstrap::{Bootstrap, environment};
use edge_crm_tests::runtime_api::Outcome;
use edge_crm_tests::world::scheduled_event;
use edge_crm_tests::{Table, hostile, inside::unhurried};
use jiff::Timestamp;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use store::Store;
use uuid::Uuid;

/// How many contacts the organisation has that floods the index.
const FLOOD: usize = 3_000;

/// The memory of the function in the template, in KiB.
const MEMORY: u64 = 256 * 1_024;

/// The timeout of the function in the template.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How many runs may pass until everything is indexed.
const RUNS: usize = 30;

fn actor(tenant: &str) -> Actor {
    Actor {
        tenant: TenantId::parse(tenant).expect("a slug"),
        user: Uuid::now_v7().into(),
        role: Role::Owner,
    }
}

/// Where the records of an organisation's unindexed contacts are.
fn unindexed(tenant: &TenantId) -> Key {
    Key::unindexed(&Key::collection::<Contact>(tenant), "")
}

/// Stores contacts of an organisation.
async fn fill(store: &Store, actor: &Actor, fields: impl Iterator<Item = ContactFields>) {
    let mut operations = Vec::new();
    for fields in fields {
        let details = fields.details().expect("valid fields");
        let contact = Contact::new(Uuid::now_v7().into(), actor, details, Timestamp::now());
        operations.extend_from_slice(contact.create(&actor.tenant).operations());
    }
    for some in operations.chunks(99) {
        store.transact(None, some).await.expect("a transaction");
    }
}

/// How many contacts of an organisation are not indexed.
fn waiting(table: &Table, tenant: &TenantId) -> usize {
    let (partition, prefix) = unindexed(tenant).into_parts();
    let records = table.under(&partition);
    let own = records
        .iter()
        .filter(|record| record.sk.starts_with(&prefix));
    own.count()
}

/// The most memory that a process has used, in KiB
/// ([VmHWM](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html)).
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number
        .and_then(|number| number.parse().ok())
        .expect("a size")
}

#[tokio::main]
async fn main() -> ExitCode {
    let table = Table::start().await;
    let store = Store::connect(unhurried(table.url()));
    store.create_table_if_missing().await.expect("a table");
    let other = actor("zoo");
    // Its turn comes before that of the other organisation.
    let same =
        |tenant: &Actor| unindexed(&tenant.tenant).parts().0 == unindexed(&other.tenant).parts().0;
    let flood = ('a'..='z').map(|last| actor(&format!("flood-{last}")));
    let flood = flood.into_iter().find(same).expect("16 partitions");
    let fields = (0..FLOOD).map(|n| match n % 3 {
        0 => hostile::costliest(),
        _ => hostile::longest(),
    });
    fill(&store, &flood, fields).await;
    fill(&store, &other, [hostile::costliest()].into_iter()).await;

    let binary = std::env::current_exe().expect("this program's path");
    let binary = binary.with_file_name("index-search");
    let process = Bootstrap::start(&binary, environment("index-search", table.url())).await;
    let (start, mut indexed, mut runs) = (Instant::now(), None, 0);
    while runs < RUNS && waiting(&table, &flood.tenant) > 0 {
        let run = process.invoke(scheduled_event().to_string());
        tokio::pin!(run);
        let run = loop {
            tokio::select! {
                run = &mut run => break run,
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
            if indexed.is_none() && waiting(&table, &other.tenant) == 0 {
                indexed = Some(start.elapsed());
            }
        };
        runs += 1;
        let left = waiting(&table, &flood.tenant);
        println!(
            "run {runs}: {:.1} s, {left} contacts left",
            run.worked.as_secs_f64()
        );
        if let Outcome::Error(error) = run.outcome {
            eprintln!("the run failed: {error}");
            return ExitCode::FAILURE;
        }
    }
    let left = waiting(&table, &flood.tenant) + waiting(&table, &other.tenant);
    let indexed = indexed.unwrap_or_else(|| start.elapsed()).as_secs_f64();
    let memory = peak(process.id());
    let took = start.elapsed().as_secs_f64();
    println!("{FLOOD} contacts: {took:.1} s, {left} left");
    let timeout = TIMEOUT.as_secs_f64();
    println!("the other organisation's contact: {indexed:.1} s, at most {timeout:.0} s");
    let [used, most] = [memory, MEMORY].map(|size| size / 1_024);
    println!("peak memory: {used} MiB, at most {most} MiB");
    let holds = memory <= MEMORY && left == 0 && indexed < timeout;
    match holds {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
