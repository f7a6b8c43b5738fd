//! The calls to AWS that each function makes, as the test of the privileges has observed them.

use crate::{Failure, json, read, write};
use functions::REGISTRY;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use wrapper::Function;

/// Where they are.
pub const PATH: &str = "infra/xtask/calls.json";

/// The command that observes them anew.
pub const OBSERVE: &str = "UPDATE=1 cargo test -p edge-crm-tests --test deployment privileges";

/// The permission to purge the edge's cache.
pub(crate) const PURGE: &str = "cloudfront:CreateInvalidation";

/// What nearly every action needs.
const OF_ACTIONS: [&str; 7] = [
    PURGE,
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
];

/// What every view needs.
const OF_VIEWS: [&str; 3] = [
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

/// Function to the permissions that its calls need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls(pub BTreeMap<String, BTreeSet<String>>);

impl Calls {
    /// The calls observed.
    ///
    /// # Errors
    /// [`Failure`] if the file cannot be read or is not of its shape.
    pub fn read(root: &Path) -> Result<Self, Failure> {
        let text = read(root, PATH)?;
        let calls = serde_json::from_str(&text)
            .map_err(|e| Failure::Shape(PATH.to_owned(), e.to_string()))?;
        Ok(Self(calls))
    }

    /// Writes the calls observed.
    ///
    /// # Errors
    /// [`Failure::File`] if the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), Failure> {
        let value = serde_json::to_value(&self.0).unwrap_or(Value::Null);
        write(root, PATH, &json::pretty(value))
    }

    /// The functions of the registry that have not been observed.
    #[must_use]
    pub fn unobserved(&self) -> Vec<&'static str> {
        let names = REGISTRY.iter().map(|entry| entry.function.name);
        names.filter(|name| !self.0.contains_key(*name)).collect()
    }

    /// The permissions of a function: for the calls observed, or those of its kind until it has
    /// been observed.
    pub(crate) fn of(&self, function: &Function) -> BTreeSet<String> {
        let kind: &[&str] = if function.routes().iter().any(|route| route.method == "POST") {
            &OF_ACTIONS
        } else {
            &OF_VIEWS
        };
        match self.0.get(function.name) {
            Some(calls) => calls.clone(),
            None => kind.iter().map(|&name| name.to_owned()).collect(),
        }
    }
}
