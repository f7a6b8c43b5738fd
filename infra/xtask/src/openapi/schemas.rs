//! The schemas of inputs, parameters and outputs, made from their types.

use functions::registry::MakeSchema;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Makes schemas, and collects the definitions that they refer to.
pub(super) struct Schemas {
    inputs: SchemaGenerator,
    outputs: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            inputs: settings.clone().for_deserialize().into_generator(),
            outputs: settings.for_serialize().into_generator(),
        }
    }

    /// The schema of an input.
    pub(super) fn input(&mut self, make: MakeSchema) -> Value {
        let mut schema = make(&mut self.inputs).to_value();
        require(&mut schema);
        schema
    }

    /// The schema of an output.
    pub(super) fn output(&mut self, make: MakeSchema) -> Value {
        make(&mut self.outputs).to_value()
    }

    /// The definitions that the schemas refer to.
    pub(super) fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.inputs.take_definitions(true);
        all.extend(self.outputs.take_definitions(true));
        all
    }
}

/// Lists the required properties of an input: those for which an empty text is not valid. schemars
/// takes no field as required, because all have defaults: a missing field counts as an empty one.
/// The defaults are removed, because they tell nothing.
fn require(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    let mut required = Vec::new();
    for (name, property) in properties {
        if let Some(property) = property.as_object_mut() {
            property.remove("default");
        }
        if !accepts_empty(property) {
            required.push(json!(name));
        }
    }
    if required.is_empty() {
        return;
    }
    schema["required"] = json!(required);
}

fn accepts_empty(property: &Value) -> bool {
    let is_optional = match &property["type"] {
        Value::Array(types) => types.contains(&json!("null")),
        Value::String(_) => false,
        _ => property.get("anyOf").is_some(),
    };
    let limits = ["minLength", "minimum", "oneOf", "enum"];
    let has_limit = limits.iter().any(|limit| property.get(limit).is_some());
    let has_format = property["format"] != Value::Null && property["format"] != "password";
    is_optional || !has_limit && !has_format
}

#[cfg(test)]
mod tests {
    use super::*;
    use action::FieldErrors;
    use action::input::InputError;
    use functions::REGISTRY;
    use functions::registry::{ActionDescription, Description};
    use std::collections::{BTreeMap, BTreeSet};

    /// Every action with the properties of its input.
    fn inputs() -> Vec<(ActionDescription, Map<String, Value>)> {
        let mut schemas = Schemas::new();
        let mut inputs = Vec::new();
        for entry in REGISTRY {
            if let Description::Action(action) = (entry.describe)() {
                let schema = schemas.input(action.input);
                let properties = schema["properties"].as_object().cloned();
                inputs.push((action, properties.unwrap_or_default()));
            }
        }
        inputs
    }

    #[test]
    fn an_action_declares_its_secret_fields() {
        for (action, properties) in inputs() {
            let is_secret = |(_, schema): &(&String, &Value)| schema.get("writeOnly").is_some();
            let secret = properties.iter().filter(is_secret);
            let secret: BTreeSet<_> = secret.map(|(name, _)| name.as_str()).collect();
            let declared = action.secrets.iter().copied().collect();
            assert_eq!(secret, declared, "{}: Secrets::FIELDS", action.name);
        }
    }

    /// The audit keeps the input, and an item in DynamoDB has a maximum size.
    #[test]
    fn every_field_that_the_audit_keeps_has_a_limit() {
        for (action, properties) in inputs() {
            for (name, schema) in properties {
                let limits = ["maxLength", "minimum", "oneOf", "enum", "pattern", "anyOf"];
                let has_limit = limits.iter().any(|limit| schema.get(limit).is_some());
                let is_redacted = schema.get("writeOnly").is_some() || name == "token";
                let is_id = schema["format"] == "uuid";
                assert!(
                    has_limit || is_redacted || is_id,
                    "{}: {name} has no limit",
                    action.name
                );
            }
        }
    }

    /// A field without its attributes would be a 500, or no error.
    #[test]
    fn every_field_is_read_whatever_it_holds_and_a_required_one_gets_an_error() {
        for (action, properties) in inputs() {
            for text in [
                "",
                " ",
                "\u{200b}",
                "\u{1f600}",
                "junk",
                &"x".repeat(10_000),
            ] {
                let names = properties.keys();
                let fields = names.map(|name| (name.clone(), text.to_owned())).collect();
                assert_read(&action, (action.read)(&fields));
            }
            let errors = assert_read(&action, (action.read)(&BTreeMap::new()));
            for (name, schema) in &properties {
                let has_error = errors.contains_key(name);
                // The new account that an invitation needs is only known later.
                // A contact may have a phone number instead of an email; here it has neither.
                let has_either = properties.contains_key("phone") && name == "email";
                let is_exempt = action.name == "accept-invite" || has_either && has_error;
                assert!(
                    is_exempt || has_error != accepts_empty(schema),
                    "{}: {name}",
                    action.name
                );
            }
        }
    }

    fn assert_read(action: &ActionDescription, read: Result<(), InputError>) -> FieldErrors {
        match read {
            Ok(()) => FieldErrors::new(),
            Err(InputError::Invalid(errors)) => errors,
            Err(InputError::Unreadable(error)) => panic!("{}: {error}", action.name),
        }
    }

    #[test]
    fn a_field_that_must_not_be_empty_is_required() {
        let property = |schema: Value| accepts_empty(&schema);
        assert!(!property(json!({ "type": "string", "minLength": 1 })));
        assert!(!property(json!({ "type": "string", "format": "uuid" })));
        assert!(property(
            json!({ "type": ["string", "null"], "format": "uuid" })
        ));
        assert!(property(json!({ "type": "string", "maxLength": 100 })));
    }
}
