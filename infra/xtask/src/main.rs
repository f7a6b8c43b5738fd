//! `cargo xtask`: `new-action`, `generate`, `check`.

use std::process::ExitCode;
use xtask::{Error, calls, new_action};

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

fn run(arguments: &[&str]) -> Result<(), Error> {
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
            warn_about_unobserved(&root)
        }
        ["check"] => {
            let stale = xtask::stale(&root)?;
            warn_about_unobserved(&root)?;
            if stale.is_empty() {
                return Ok(());
            }
            let paths: Vec<_> = stale.iter().map(|output| output.path.as_str()).collect();
            Err(Error::Usage(format!(
                "stale: {}. `cargo xtask generate` updates them",
                paths.join(", ")
            )))
        }
        _ => Err(Error::Usage(USAGE.to_owned())),
    }
}

/// Warns about functions with default permissions, because no test has observed their calls yet.
fn warn_about_unobserved(root: &std::path::Path) -> Result<(), Error> {
    let names = calls::Calls::read(root)?.unobserved();
    if !names.is_empty() {
        eprintln!(
            "the calls of {} have not been observed yet. `{}` writes them to {}",
            names.join(", "),
            calls::OBSERVE,
            calls::PATH,
        );
    }
    Ok(())
}
