//! Prints what the local stack reads from `template.yaml`, as JSON, for tests that compare it with the
//! deployed template.
//!
//! `cargo run -p edge-crm-local --example template -- /t/acme/contacts` prints the functions, those
//! that have a URL, and the function that each path is routed to.

use edge_crm_local::{TEMPLATE, Template};
use serde_json::{Map, json};
use std::error::Error;
use std::io::{self, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let template = Template::parse(TEMPLATE)?;
    let routes: Map<_, _> = std::env::args()
        .skip(1)
        .map(|path| {
            let function = template.routes.target(&path).function();
            let function = json!(function);
            (path, function)
        })
        .collect();
    let summary = json!({
        "functions": template.functions,
        "served": template.served,
        "routes": routes,
    });
    writeln!(io::stdout(), "{summary}")?;
    Ok(())
}
