//! Lists of the functions, for files that cannot read the registry.

use crate::json::pretty;
use crate::markers::fill;
use crate::{Error, read};
use functions::REGISTRY;
use serde_json::json;
use std::path::Path;

/// The functions by what starts them: requests, in the order of the samples, or background events.
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

/// The file that lists the binaries.
pub(crate) const BINARIES: &str = "functions/Cargo.toml";

/// The manifest of the crate `functions` with its list of binaries up to date.
pub(crate) fn binaries(root: &Path) -> Result<String, Error> {
    fill(BINARIES, &read(root, BINARIES)?, |name| {
        let functions = REGISTRY.iter().map(|entry| entry.function.name);
        let mut names: Vec<_> = functions.collect();
        names.sort_unstable();
        let lines = names.iter();
        let lines = lines.map(|name| format!("{{ name = \"{name}\", test = false }},\n"));
        (name == "binaries").then(|| lines.collect())
    })
}
