//! The blocks of `template.yaml` that follow from the registry.

mod routes;

use crate::calls::{Calls, PURGE};
use crate::markers::fill;
use crate::{Error, pascal_case, read};
use functions::REGISTRY;
use functions::registry::Description;
use std::path::Path;

pub(crate) const PATH: &str = "template.yaml";

/// With this much memory, in MB, Lambda gives a function one whole processor
/// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
const WHOLE_PROCESSOR: u32 = 1769;

/// The ARN of the stack's own table, or of the existing one that replaces it.
const TABLE: &str = r#"{Fn::If: [OwnTable, {Fn::GetAtt: [Table, Arn]}, {Fn::Sub: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTableName}"}]}"#;

/// The template with every generated block up to date.
pub(crate) fn generate(root: &Path) -> Result<String, Error> {
    let calls = Calls::read(root)?;
    let uncached = routes::uncached(root)?;
    fill(PATH, &read(root, PATH)?, |name| match name {
        "functions" => Some(functions(&calls)),
        "purges" => Some(purges(&calls)),
        "origins" => Some(routes::origins()),
        "behaviours" => Some(routes::behaviours(&uncached)),
        _ => {
            let function = name.strip_prefix("calls of ")?;
            let function = functions::named(function)?;
            Some(statement(&calls, &function))
        }
    })
}

/// The logical id of a function in the template.
fn logical_id(name: &str) -> String {
    pascal_case(name) + "Function"
}

/// The functions that take requests. The background functions have other events, and are written by
/// hand.
fn functions(calls: &Calls) -> String {
    let served = REGISTRY.iter().filter(|e| !e.function.is_background());
    let blocks = served.map(|entry| {
        let name = entry.function.name;
        let hashes = match (entry.describe)() {
            Description::Action(action) => action.hashes_password,
            _ => false,
        };
        let memory = if hashes {
            format!("\n    MemorySize: {WHOLE_PROCESSOR}")
        } else {
            String::new()
        };
        let statement = statement(calls, &entry.function).replace('\n', "\n          ");
        format!(
            "{id}:
  Type: AWS::Serverless::Function
  Metadata: {{BuildMethod: rust-cargolambda, BuildProperties: {{Binary: {name}}}}}
  Properties:
    CodeUri: functions{memory}
    FunctionUrlConfig: {{AuthType: NONE}}
    Policies:
      - Version: \"2012-10-17\"
        Statement:
          {statement}
",
            id = logical_id(name),
            statement = statement.trim_end(),
        )
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// The statement of a policy with what the function may do with the table.
fn statement(calls: &Calls, function: &wrapper::Function) -> String {
    let permissions = calls.permissions_of(function);
    let on_table = permissions
        .iter()
        .filter(|name| name.starts_with("dynamodb:"));
    let on_table: Vec<_> = on_table.map(String::as_str).collect();
    let list = on_table.join(", ");
    format!("- Effect: Allow\n  Action: [{list}]\n  Resource: {TABLE}\n")
}

/// The roles of the functions that purge the CDN.
fn purges(calls: &Calls) -> String {
    let functions = REGISTRY.iter().map(|entry| entry.function);
    functions
        .filter(|function| calls.permissions_of(function).contains(PURGE))
        .map(|function| format!("- Ref: {}Role\n", logical_id(function.name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logical_id_is_in_pascal_case() {
        assert_eq!(
            logical_id("sign-out-everywhere"),
            "SignOutEverywhereFunction"
        );
    }
}
