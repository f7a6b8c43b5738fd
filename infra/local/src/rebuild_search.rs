//! `rebuild-search`: rebuilds search indexes.

use clap::Parser;
use edge_crm_local::{RebuildOptions, rebuild_search};
use std::io::{self, Write};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let options = RebuildOptions::parse();
    let built = match rebuild_search(&options).await {
        Ok(built) => built,
        Err(error) => {
            let _unwritable = writeln!(io::stderr(), "rebuild-search: {error}");
            return ExitCode::from(2);
        }
    };
    let mut out = io::stdout().lock();
    for (collection, built) in &built {
        let _unwritable = match built {
            Some(built) => writeln!(
                out,
                "{collection}: {} in the index, {} pages of posting lists",
                built.entities, built.lists
            ),
            None => writeln!(
                out,
                "{collection}: another process was rebuilding it; try again"
            ),
        };
    }
    ExitCode::from(u8::from(built.iter().any(|(_, built)| built.is_none())))
}
