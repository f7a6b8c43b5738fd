//! Which functions there are, for what cannot read the registry.

use crate::json::pretty;
use crate::markers::fill;
use crate::{Failure, read};
use functions::REGISTRY;
use serde_json::json;
use std::path::Path;

/// The functions by what starts them; those that take requests in the order of samples.
pub(crate) fn functions() -> String {
    let names = |background: bool| -> Vec<&str> {
        let functions = REGISTRY.iter().map(|entry| entry.function);
        functions
            .filter(|function| function.is_background() == background)
            .map(|function| function.name)
            .collect()
    };
    pretty(json!({ "requests": names(false), "background": names(true) }))
}

/// Where the binaries are listed.
pub(crate) const BINARIES: &str = "functions/Cargo.toml";

/// The manifest of the functions with the list of their binaries as it should be.
pub(crate) fn binaries(root: &Path) -> Result<String, Failure> {
    fill(BINARIES, &read(root, BINARIES)?, |name| {
        let functions = REGISTRY.iter().map(|entry| entry.function.name);
        let mut names: Vec<_> = functions.collect();
        names.sort_unstable();
        let lines = names.iter();
        let lines = lines.map(|name| format!("{{ name = \"{name}\", test = false }},\n"));
        (name == "binaries").then(|| lines.collect())
    })
}
