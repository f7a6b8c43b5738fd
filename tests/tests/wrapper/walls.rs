//! The dependency rules of the workspace: which crate may depend on what.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The packages for this platform. Those for others may not be downloaded.
fn metadata() -> Metadata {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("-vV").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let options = ["--locked", "--filter-platform", host].map(str::to_owned);
    MetadataCommand::new()
        .other_options(options)
        .exec()
        .unwrap()
}

/// The normal and build dependencies of each package, without those of its tests.
fn dependencies(metadata: &Metadata) -> BTreeMap<&PackageId, Vec<&PackageId>> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let built_with = |dep: &&cargo_metadata::NodeDep| {
        dep.dep_kinds
            .iter()
            .any(|kind| kind.kind != DependencyKind::Development)
    };
    nodes
        .iter()
        .map(|node| {
            (
                &node.id,
                node.deps
                    .iter()
                    .filter(built_with)
                    .map(|dep| &dep.pkg)
                    .collect(),
            )
        })
        .collect()
}

/// The names of all packages that `package` depends on, directly or not.
fn reach(metadata: &Metadata, package: &str) -> BTreeSet<String> {
    let edges = dependencies(metadata);
    let start = metadata
        .workspace_packages()
        .into_iter()
        .find(|p| p.name == package)
        .unwrap();
    let mut seen = BTreeSet::new();
    let mut next = vec![&start.id];
    while let Some(id) = next.pop() {
        if seen.insert(id) {
            next.extend(&edges[id]);
        }
    }
    seen.into_iter()
        .map(|id| metadata[id].name.to_string())
        .collect()
}

#[test]
fn the_domain_depends_on_no_aws_and_no_http_crate() {
    let metadata = metadata();
    for package in ["action", "crm", "pages"] {
        let foreign: Vec<_> = reach(&metadata, package)
            .into_iter()
            .filter(|name| {
                name.starts_with("aws-")
                    || name.starts_with("lambda")
                    || ["http", "hyper", "tokio"].contains(&&**name)
            })
            .collect();
        assert!(foreign.is_empty(), "{package} reaches {foreign:?}");
    }
}

/// The packages that depend directly on `client`.
fn direct_dependents(metadata: &Metadata, client: &str) -> Vec<String> {
    let packages = metadata.workspace_packages().into_iter();
    let built_with = |dep: &cargo_metadata::Dependency| {
        dep.name == client && dep.kind != DependencyKind::Development
    };
    packages
        .filter(|package| package.dependencies.iter().any(built_with))
        .map(|package| package.name.to_string())
        .collect()
}

#[test]
fn one_crate_calls_each_service() {
    let metadata = metadata();
    assert_eq!(direct_dependents(&metadata, "aws-sdk-dynamodb"), ["store"]);
    assert_eq!(direct_dependents(&metadata, "aws-sdk-cloudfront"), ["cdn"]);
    assert_eq!(direct_dependents(&metadata, "aws-sdk-sesv2"), ["mail"]);
}

#[test]
fn the_wrapper_does_not_depend_on_the_domain() {
    let metadata = metadata();
    for package in [
        "action", "auth", "cdn", "mail", "store", "worker", "wrapper",
    ] {
        let reached = reach(&metadata, package);
        assert!(
            !reached.contains("crm") && !reached.contains("pages"),
            "{package} reaches the domain"
        );
    }
}

#[test]
fn no_function_contains_the_local_stack() {
    let metadata = metadata();
    let reached = reach(&metadata, "functions");
    for unwanted in ["dynoxide-rs", "axum"] {
        assert!(!reached.contains(unwanted), "a function reaches {unwanted}");
    }
}

/// validator depends on it for rules that no input uses, so nothing of it may be left in a binary.
/// Here it must have come in by validator alone.
#[test]
fn only_validator_uses_regex() {
    let metadata = metadata();
    let edges = dependencies(&metadata);
    let reached = reach(&metadata, "functions");
    let uses = |id: &&PackageId| {
        let names = edges[*id].iter().map(|on| metadata[*on].name.as_str());
        reached.contains(metadata[*id].name.as_str()) && names.into_iter().any(|on| on == "regex")
    };
    let users: BTreeSet<_> = edges
        .keys()
        .copied()
        .filter(uses)
        .map(|id| metadata[id].name.as_str())
        .collect();
    assert_eq!(users, BTreeSet::from(["validator"]));
}

/// A feature enabled by accident would add a second TLS stack or HTTP client.
#[test]
fn a_function_has_one_tls_stack() {
    let reached = reach(&metadata(), "functions");
    for unwanted in [
        "aws-lc-rs",
        "aws-lc-sys",
        "openssl",
        "native-tls",
        "aws-config",
        "hyper-tls",
        // Large crates that nothing here uses.
        "aws-smithy-http-client",
        "h2",
        "rustls-native-certs",
    ] {
        assert!(!reached.contains(unwanted), "a function reaches {unwanted}");
    }
}
