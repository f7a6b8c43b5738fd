//! Measures the product over HTTP: a release build of the local stack in its own process, with its data
//! on disk.
//!
//! ```text
//! cargo bench --bench actions                        # everything
//! cargo bench --bench actions -- --write             # also writes docs/benchmarks.*
//! cargo bench --bench actions -- --only actions
//! cargo bench --bench actions -- --only growth --sizes 1000,10000
//! cargo bench --bench actions -- --only sustained
//! cargo bench --bench actions -- --against ../earlier  # this commit beside an earlier one
//! ```
//!
//! It builds the product, and prints Markdown and JSON. With `EDGE_CRM_BIN` it measures another build.
//! With `--against` it measures an earlier commit's product in turns with this one, and nothing else. The
//! earlier one is a checkout in which `cargo build --profile bench --bin edge-crm` has been run. The data are in the directory for temporary files (`TMPDIR`), which should be on a disk.

mod against;
mod bare;
mod cases;
mod chart;
mod drive;
mod growth;
mod report;
mod seed;
mod session;
mod sustained;

use clap::{Parser, ValueEnum};
use report::Part;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    /// Each action and view, with one and with sixteen requests at once
    Actions,
    /// The list and the search in organisations of growing size
    Growth,
    /// Creates for a minute, with one and with sixteen requests at once
    Sustained,
}

#[derive(Debug, Parser)]
#[command(about = "Measures the product over HTTP")]
struct Options {
    /// How often to measure each operation
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    samples: u64,
    /// Measure only this part
    #[arg(long)]
    only: Option<Only>,
    /// The sizes of the organisations, in contacts
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1000,10000,100000,1000000"
    )]
    sizes: Vec<usize>,
    /// The longest to measure an operation of a large organisation, in seconds. The table shows how many
    /// samples that gave
    #[arg(long, default_value_t = 120)]
    patience: u64,
    /// How long to create contacts for each row of the sustained part, in slices of ten seconds
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..))]
    slices: u32,
    /// Measure the product of this checkout of an earlier commit too, built with the same profile, and
    /// print how many times as fast this one is
    #[arg(long, value_name = "DIR", conflicts_with = "write")]
    against: Option<PathBuf>,
    /// Write the tables, the data and the charts into `docs`
    #[arg(long)]
    write: bool,
    /// Serve the baseline, with its data in this directory
    #[arg(long, hide = true)]
    bare: Option<PathBuf>,
    /// cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    if let Some(directory) = &options.bare {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(bare::serve(directory));
    }
    // One thread sends all requests and leaves the other processors to the server.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let parts = runtime.block_on(measure(&options));
    for part in &parts {
        println!("\n{}\n{}", part.markdown, part.json);
        if options.write {
            part.write();
        }
    }
}

async fn measure(options: &Options) -> Vec<Part> {
    let machine = report::machine(&report::load());
    let samples = usize::try_from(options.samples).expect("few");
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let earlier = options.against.as_deref().map(binary);
    let mut parts = Vec::new();
    if wanted(Only::Actions) {
        parts.push(match &earlier {
            Some(binary) => Part::of_against(&against::run(samples, binary).await, &machine),
            None => Part::of_actions(&cases::run(samples).await, &machine),
        });
    }
    if wanted(Only::Sustained) {
        let rows = sustained::run(options.slices, earlier.as_deref()).await;
        parts.push(Part::of_sustained(&rows, &machine));
    }
    if wanted(Only::Growth) && earlier.is_none() {
        let patience = Duration::from_secs(options.patience);
        let rows = growth::run(&options.sizes, samples, patience).await;
        parts.push(Part::of_growth(&rows, &machine));
    }
    parts
}

/// The binary of the product in a checkout.
fn binary(checkout: &Path) -> PathBuf {
    let binary = checkout.join("target/release/edge-crm");
    assert!(
        binary.is_file(),
        "there is no {}: run `cargo build --profile bench --bin edge-crm` in that checkout",
        binary.display()
    );
    binary
}
