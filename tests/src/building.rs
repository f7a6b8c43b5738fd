//! Builds the binaries that a test or a benchmark runs as processes.

use std::env;
use std::process::Command;

/// Runs `cargo build` for the workspace with these arguments.
///
/// # Panics
/// If the build fails.
pub fn build(arguments: &[&str]) {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Build from the workspace root, so that crates have the features that the test was built with.
    cargo
        .args(["build", "--quiet"])
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    // Remove the variables that cargo sets for the test itself. ring's build script reads them, so
    // cargo would rebuild ring and everything that depends on it.
    let is_set_for_the_test =
        |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_set_for_the_test) {
            cargo.env_remove(name);
        }
    }
    let status = cargo.status().expect("cargo");
    assert!(status.success(), "cargo build {arguments:?} fails");
}
