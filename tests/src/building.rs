//! Builds what is tested as a process, from within a test or a benchmark.

use std::env;
use std::process::Command;

/// Runs `cargo build` for the workspace with these arguments.
///
/// # Panics
/// Where it fails.
pub fn build(arguments: &[&str]) {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // From the root, for the features that the test has been built with.
    cargo
        .args(["build", "--quiet"])
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    // What cargo says of a test to the test itself; ring, which reads it, would be built again, and
    // with it whatever depends on it.
    let is_said =
        |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_said) {
            cargo.env_remove(name);
        }
    }
    let status = cargo.status().expect("cargo");
    assert!(status.success(), "cargo build {arguments:?} fails");
}
