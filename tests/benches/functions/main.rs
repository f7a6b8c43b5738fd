//! Checks the budgets of the functions. Runs their release binaries as processes:
//!
//! ```text
//! cargo bench --bench functions              # every function
//! cargo bench --bench functions -- sign-out  # only those named
//! cargo bench --bench functions -- --memory sign-in list-contacts
//! ```
//!
//! It builds the binaries for this machine and prints Markdown. With `--tls` the functions reach the
//! table over TLS, which the benchmark's process terminates. With `--memory` it measures warm
//! invocations with the share of a processor that Lambda assigns to each of several memory sizes. This
//! needs root. With `FUNCTIONS_DIR` it measures the binaries in that directory instead of building
//! them. `SAMPLES` and `WARM` set the number of starts and of warm invocations.

mod rig;
mod share;

use edge_crm_local::{TEMPLATE, Template};
use edge_crm_tests::bootstrap::Bootstrap;
use edge_crm_tests::building;
use edge_crm_tests::runtime_api::RuntimeApi;
use edge_crm_tests::statistics::Statistics;
use edge_crm_tests::usage::{Usage, zipped};
use rig::Rig;
use share::Share;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The budget of the zip's size, in bytes.
const ZIP: u64 = 2_600_000;
/// The budget of the median time from spawn to the first response.
const FIRST: Duration = Duration::from_millis(10);
/// The budget of peak memory, in KiB.
const PEAK: u64 = 16 * 1024;
/// The budget of processor time for a warm invocation.
const CPU: Duration = Duration::from_micros(500);

/// The memory sizes to compare, in MB: from Lambda's smallest to the one that comes with a whole
/// processor.
const MEMORY: [u32; 5] = [128, 256, 512, 1_024, 1_769];

/// The measurements of a function.
struct Measured {
    name: String,
    zip: u64,
    /// The time from fork and exec to the first response.
    first: Statistics,
    /// The time from when the process takes its first event to the response.
    cold: Statistics,
    /// The same for later events.
    warm: Statistics,
    peak: u64,
    user: Duration,
    system: Duration,
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().any(|argument| argument == name);
    let (memory, tls) = (option("--memory"), option("--tls"));
    let mut names: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .cloned()
        .collect();
    if names.is_empty() {
        names = Template::parse(TEMPLATE).expect("a template").functions;
    }
    let directory = binaries(&names);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if memory {
        println!("\n| function | memory, MB | {} |", Statistics::HEAD);
        println!("|---|---{}|", "|---".repeat(7));
        for name in &names {
            runtime.block_on(with_memory(&directory, name));
        }
        return;
    }
    let measured: Vec<_> = names
        .iter()
        .map(|name| runtime.block_on(measure(&directory, name, tls)))
        .collect();
    print(&measured);
}

/// Builds the release binaries. Returns their directory.
fn binaries(names: &[String]) -> PathBuf {
    if let Some(directory) = std::env::var_os("FUNCTIONS_DIR") {
        return directory.into();
    }
    // Build one by one, as SAM does. Built together, they would share each other's features.
    for name in names {
        building::build(&["--release", "--package", "functions", "--bin", name]);
    }
    let metadata = cargo_metadata::MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo metadata");
    metadata.target_directory.join("release").into()
}

async fn measure(directory: &Path, name: &str, tls: bool) -> Measured {
    let binary = directory.join(name);
    let rig = Rig::new(name, tls).await;
    let (mut first, mut cold, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count("SAMPLES", 100) {
        let (event, api) = (rig.event(), RuntimeApi::start().await);
        let started = Instant::now();
        let process = Bootstrap::start_at(api, &binary, rig.environment());
        let invocation = process.invoke(event).await;
        first.push(invocation.done - started);
        cold.push(invocation.worked);
        rig.expect_success(&invocation.outcome);
    }
    let process = Bootstrap::start(&binary, rig.environment()).await;
    rig.expect_success(&process.invoke(rig.event()).await.outcome);
    let before = Usage::of(process.id());
    let times = count("WARM", 1_000);
    for _ in 0..times {
        let invocation = process.invoke(rig.event()).await;
        rig.expect_success(&invocation.outcome);
        warm.push(invocation.worked);
    }
    let after = Usage::of(process.id());
    Measured {
        name: name.to_owned(),
        zip: zipped(&binary),
        first: Statistics::of(first),
        cold: Statistics::of(cold),
        warm: Statistics::of(warm),
        peak: after.peak,
        user: (after.user - before.user) / times,
        system: (after.system - before.system) / times,
    }
}

/// Prints the time of warm invocations for each memory size.
async fn with_memory(directory: &Path, name: &str) {
    let rig = Rig::new(name, false).await;
    for memory in MEMORY {
        let share = Share::of(memory);
        let process = Bootstrap::start(&directory.join(name), rig.environment()).await;
        rig.expect_success(&process.invoke(rig.event()).await.outcome);
        share.give(process.id());
        let mut times = Vec::new();
        for _ in 0..count("WARM", 300) {
            let invocation = process.invoke(rig.event()).await;
            rig.expect_success(&invocation.outcome);
            times.push(invocation.worked);
        }
        println!("| {name} | {memory} | {} |", Statistics::of(times));
    }
}

fn count(variable: &str, default: u32) -> u32 {
    let given = std::env::var(variable).ok();
    given.map_or(default, |text| text.parse().expect("a number"))
}

fn print(measured: &[Measured]) {
    println!(
        "\n| function | zip, MB | first response, median, ms | peak memory, MB \
         | CPU per warm invocation, ms | of it in the kernel |\n|---|---|---|---|---|---|"
    );
    println!(
        "| budget | {:.1} | {:.0} | {:.0} | {:.1} | |",
        megabytes(ZIP),
        millis(FIRST),
        PEAK / 1024,
        millis(CPU)
    );
    for of in measured {
        println!(
            "| {} | {:.2} {}| {:.1} {}| {:.1} {}| {:.2} {}| {:.2} |",
            of.name,
            megabytes(of.zip),
            over(of.zip > ZIP),
            millis(of.first.median),
            over(of.first.median > FIRST),
            kibibytes(of.peak),
            over(of.peak > PEAK),
            millis(of.user + of.system),
            over(of.user + of.system > CPU),
            millis(of.system),
        );
    }
    println!("\n| function | what, ms | {} |", Statistics::HEAD);
    println!("|---|---{}|", "|---".repeat(7));
    for of in measured {
        println!("| {} | spawn to first response | {} |", of.name, of.first);
        println!("| | the first event | {} |", of.cold);
        println!("| | a warm event | {} |", of.warm);
    }
}

fn over(over: bool) -> &'static str {
    if over { "(over) " } else { "" }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn kibibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
