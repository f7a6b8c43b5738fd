//! The blocks of `template.yaml` that follow from the registry, each between `# generated: NAME`
//! and `# end of generated`.

mod routes;

use crate::calls::{Calls, PURGE};
use crate::{Failure, read};
use functions::REGISTRY;
use functions::registry::Description;
use std::fmt::Write;
use std::path::Path;

pub(crate) const PATH: &str = "template.yaml";

const BEGIN: &str = "# generated: ";
const END: &str = "# end of generated";

/// Lambda gives one whole processor at this much memory, in MB
/// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
const WHOLE_PROCESSOR: u32 = 1769;

/// The table, or the one that is used in its place.
const TABLE: &str = r#"{Fn::If: [OwnTable, {Fn::GetAtt: [Table, Arn]}, {Fn::Sub: "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTableName}"}]}"#;

/// The template with every generated block as it should be.
pub(crate) fn generate(root: &Path) -> Result<String, Failure> {
    let calls = Calls::read(root)?;
    let uncached = routes::uncached(root)?;
    fill(&read(root, PATH)?, |name| match name {
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

/// The text with what `block` returns for each marker, indented as the marker is.
fn fill(text: &str, block: impl Fn(&str) -> Option<String>) -> Result<String, Failure> {
    let shape = |problem: String| Failure::Shape(PATH.to_owned(), problem);
    let mut filled = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        filled.push_str(line);
        filled.push('\n');
        let Some((indent, name)) = line.split_once(BEGIN) else {
            continue;
        };
        let made = block(name).ok_or_else(|| shape(format!("nothing is generated as {name}")))?;
        for line in made.lines() {
            let indent = if line.is_empty() { "" } else { indent };
            let _infallible = writeln!(filled, "{indent}{line}");
        }
        let end = lines.find(|line| line.trim() == END);
        let end = end.ok_or_else(|| shape(format!("no end of {name}")))?;
        filled.push_str(end);
        filled.push('\n');
    }
    Ok(filled)
}

/// `create-contact` as `CreateContactFunction`.
fn resource(name: &str) -> String {
    let mut id = String::new();
    for word in name.split('-') {
        let (first, rest) = word.split_at(word.len().min(1));
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
    }
    id + "Function"
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
    fn a_block_is_replaced_and_the_rest_stays() {
        let text = "a:\n  # generated: x\n  old\n  # end of generated\nb: 1\n";
        let filled = fill(text, |name| {
            (name == "x").then(|| "new: 1\n\nmore: 2\n".to_owned())
        });
        let expected = "a:\n  # generated: x\n  new: 1\n\n  more: 2\n  # end of generated\nb: 1\n";
        assert_eq!(filled.ok().as_deref(), Some(expected));
    }

    #[test]
    fn a_marker_without_a_meaning_or_an_end_is_refused() {
        assert!(fill("# generated: y\n# end of generated\n", |_| None).is_err());
        assert!(fill("# generated: y\n", |_| Some(String::new())).is_err());
    }

    #[test]
    fn a_name_becomes_a_logical_id() {
        assert_eq!(resource("sign-out-everywhere"), "SignOutEverywhereFunction");
    }
}
