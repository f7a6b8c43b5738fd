//! The template matches the registry: the functions, CloudFront's routes to them, and what it
//! caches.

use edge_crm_local::{TEMPLATE, Template};
use functions::REGISTRY;
use functions::registry::Description;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

fn names(background: bool) -> BTreeSet<String> {
    let functions = REGISTRY.iter().map(|entry| entry.function);
    functions
        .filter(|function| background || !function.is_background())
        .map(|function| function.name.to_owned())
        .collect()
}

fn resources() -> Value {
    let template: Value = serde_saphyr::from_str(TEMPLATE).expect("YAML");
    template["Resources"].clone()
}

#[test]
fn every_function_is_deployed_and_has_a_url_if_it_takes_requests() {
    let template = Template::parse(TEMPLATE).expect("a template");
    let deployed: BTreeSet<_> = template.functions.iter().cloned().collect();
    assert_eq!(deployed, names(true));
    let served: BTreeSet<_> = template.served.iter().cloned().collect();
    assert_eq!(served, names(false));
}

#[test]
fn every_path_leads_to_the_function_that_serves_it() {
    let template = Template::parse(TEMPLATE).expect("a template");
    for function in REGISTRY.iter().map(|entry| entry.function) {
        for route in function.routes() {
            let path = match route.method {
                "POST" => format!("/actions/{}", route.path),
                _ => route
                    .path
                    .replace("{tenant}", "acme")
                    .replace("{id}", "0198c5d2-7a00-7000-8000-000000000001"),
            };
            assert_eq!(template.routes.target(&path).function(), function.name);
        }
    }
}

#[test]
fn a_view_names_the_function_that_serves_it() {
    for entry in REGISTRY {
        if let Description::Views(views) = (entry.describe)() {
            let routes = entry.function.routes();
            let served: Vec<_> = routes.iter().map(|route| route.path).collect();
            let described: Vec<_> = views.iter().map(|view| view.path).collect();
            assert_eq!(served, described);
            for view in views {
                assert_eq!(view.function, entry.function.name, "{}", view.path);
            }
        }
    }
}

#[test]
fn a_function_that_hashes_passwords_has_a_full_vcpu() {
    let resources = resources();
    let resources = resources.as_object().expect("resources");
    for entry in REGISTRY {
        let Description::Action(action) = (entry.describe)() else {
            continue;
        };
        let function = resources
            .values()
            .find(|resource| resource["Metadata"]["BuildProperties"]["Binary"] == action.name);
        let memory = function.expect("a function")["Properties"]["MemorySize"].as_u64();
        let expected = action.hashes_password.then_some(1769);
        assert_eq!(memory, expected, "{}", action.name);
    }
}

#[test]
fn a_background_function_ends_its_run_well_before_its_timeout() {
    let resources = resources();
    let resources = resources.as_object().expect("resources");
    for name in names(true).difference(&names(false)) {
        let function = resources
            .values()
            .find(|resource| resource["Metadata"]["BuildProperties"]["Binary"] == name.as_str());
        let timeout = function.expect("a function")["Properties"]["Timeout"].as_u64();
        let needed = worker::BUDGET + Duration::from_secs(15);
        assert!(timeout >= Some(needed.as_secs()), "{name}");
    }
}
