//! Which functions there are, for what cannot read the registry.

use crate::json::pretty;
use functions::REGISTRY;
use serde_json::json;

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
