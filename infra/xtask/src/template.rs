//! The blocks of `template.yaml` that follow from the registry.

mod routes;

use crate::calls::{Calls, PURGE};
use crate::markers::fill;
use crate::{Failure, pascal_case, read};
use functions::REGISTRY;
use functions::registry::Description;
use std::path::Path;

pub(crate) const PATH: &str = "template.yaml";

/// Lambda gives one whole processor at this much memory, in MB
/// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
const WHOLE_PROCESSOR: u32 = 1769;

/// The table, or the one that is used in its place.
const TABLE: &str = r#"{Fn::If: [OwnTable, {Fn::GetAtt: [Table, Arn]}, {Fn::Sub: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTableName}"}]}"#;

/// The template with every generated block as it should be.
pub(crate) fn generate(root: &Path) -> Result<String, Failure> {
    let calls = Calls::read(root)?;
    let uncached = routes::uncached(root)?;
    fill(PATH, &read(root, PATH)?, |name| match name {
        "functions" => Some(functions(&calls)),
        "purges" => Some(purges(&calls)),
        "origins" => Some(routes::origins()),
        "behaviours" => Some(routes::behaviours(&uncached)),
        _ => {
            let of = name.strip_prefix("calls of ")?;
            let function = functions::named(of)?;
            Some(statement(&calls, &function))
        }
    })
}

/// The logical id of a function.
fn resource(name: &str) -> String {
    pascal_case(name) + "Function"
}

/// The functions that take requests. Those that work in the background have events of their own,
/// and are written by hand.
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
            id = resource(name),
            statement = statement.trim_end(),
        )
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// What a function may do with the table.
fn statement(calls: &Calls, function: &wrapper::Function) -> String {
    let calls = calls.of(function);
    let on_table = calls.iter().filter(|call| call.starts_with("dynamodb:"));
    let on_table: Vec<_> = on_table.map(String::as_str).collect();
    let list = on_table.join(", ");
    format!("- Effect: Allow\n  Action: [{list}]\n  Resource: {TABLE}\n")
}

/// The roles of the functions that purge the edge's cache.
fn purges(calls: &Calls) -> String {
    let functions = REGISTRY.iter().map(|entry| entry.function);
    functions
        .filter(|function| calls.of(function).contains(PURGE))
        .map(|function| format!("- Ref: {}Role\n", resource(function.name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_logical_id() {
        assert_eq!(resource("sign-out-everywhere"), "SignOutEverywhereFunction");
    }
}
