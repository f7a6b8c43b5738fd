//! The calls to AWS that each function makes, as the test of the privileges has observed them.

use crate::{Error, json, read, write};
use functions::REGISTRY;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use wrapper::Function;

/// The file with the observed calls.
pub const PATH: &str = "infra/xtask/calls.json";

/// The command that observes the calls again.
pub const OBSERVE: &str = "UPDATE=1 cargo test -p edge-crm-tests --test deployment privileges";

/// The permission to purge the edge's cache.
pub(crate) const PURGE: &str = "cloudfront:CreateInvalidation";

/// The permissions of an action that has not been observed yet.
const DEFAULT_OF_ACTIONS: [&str; 7] = [
    PURGE,
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
];

/// The permissions of a view that has not been observed yet.
const DEFAULT_OF_VIEWS: [&str; 3] = [
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

/// The permissions that each function needs for its calls, by the function's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls(pub BTreeMap<String, BTreeSet<String>>);

impl Calls {
    /// Reads the observed calls.
    ///
    /// # Errors
    /// [`Error`] if the file cannot be read or does not have the expected shape.
    pub fn read(root: &Path) -> Result<Self, Error> {
        let text = read(root, PATH)?;
        let calls = serde_json::from_str(&text)
            .map_err(|e| Error::Shape(PATH.to_owned(), e.to_string()))?;
        Ok(Self(calls))
    }

    /// Writes the observed calls.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), Error> {
        let value = serde_json::to_value(&self.0).unwrap_or(Value::Null);
        write(root, PATH, &json::pretty(value))
    }

    /// The functions of the registry that have not been observed yet.
    #[must_use]
    pub fn unobserved(&self) -> Vec<&'static str> {
        let names = REGISTRY.iter().map(|entry| entry.function.name);
        names.filter(|name| !self.0.contains_key(*name)).collect()
    }

    /// The permissions of a function. Until it has been observed, these are the default ones for an
    /// action or a view.
    pub(crate) fn permissions_of(&self, function: &Function) -> BTreeSet<String> {
        let default: &[&str] = if function.routes().iter().any(|route| route.method == "POST") {
            &DEFAULT_OF_ACTIONS
        } else {
            &DEFAULT_OF_VIEWS
        };
        match self.0.get(function.name) {
            Some(calls) => calls.clone(),
            None => default.iter().map(|&name| name.to_owned()).collect(),
        }
    }
}
