//! `cargo xtask`: `new-action`, `generate`, `check`.

use std::process::ExitCode;
use xtask::{Failure, calls, new_action};

const USAGE: &str = "\
usage: cargo xtask <command>

  new-action NAME --resource RESOURCE [--view]
                  writes an action, or a view: its module, its binary, its line in the registry
  generate        writes everything that follows from the registry
  check           fails if something generated is stale";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Failure> {
    let root = xtask::root();
    match arguments {
        ["new-action", rest @ ..] => {
            println!("{}", new_action::run(&root, rest)?);
            Ok(())
        }
        ["generate"] => {
            for path in xtask::generate(&root)? {
                println!("wrote {path}");
            }
            note_unobserved(&root)
        }
        ["check"] => {
            let stale = xtask::stale(&root)?;
            note_unobserved(&root)?;
            if stale.is_empty() {
                return Ok(());
            }
            let paths: Vec<_> = stale.iter().map(|output| output.path.as_str()).collect();
            Err(Failure::Usage(format!(
                "stale: {}. `cargo xtask generate` writes them anew",
                paths.join(", ")
            )))
        }
        _ => Err(Failure::Usage(USAGE.to_owned())),
    }
}

/// Says which functions get the permissions of their kind, because no test has run them yet.
fn note_unobserved(root: &std::path::Path) -> Result<(), Failure> {
    let names = calls::Calls::read(root)?.unobserved();
    if !names.is_empty() {
        eprintln!(
            "not observed yet: the calls of {}. `{}` writes them to {}",
            names.join(", "),
            calls::OBSERVE,
            calls::PATH,
        );
    }
    Ok(())
}
