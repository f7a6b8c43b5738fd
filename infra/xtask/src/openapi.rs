//! `docs/openapi.json`: the actions and views as an OpenAPI document
//! ([OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.0)).

mod components;
mod schemas;

use crate::json::pretty;
use action::Role;
use functions::REGISTRY;
use functions::registry::{ActionDescription, Description, ViewDescription};
use schemas::Schemas;
use serde_json::{Map, Value, json};

const ABOUT: &str = "\
Every action is a POST, every view a GET. Both respond with JSON if the request asks for \
`application/json`, or if its body is JSON, and with HTML otherwise. An action with a \
session must come from an allowed origin, which it proves with `Sec-Fetch-Site: same-origin` or `Origin`. \
An action with an `Idempotency-Key` runs only once, even if it is sent several times within 24 hours.";

/// The whole document.
pub(crate) fn document() -> String {
    let mut paths = Map::new();
    let mut schemas = Schemas::new();
    for entry in REGISTRY {
        match (entry.describe)() {
            Description::Action(action) => {
                let path = format!("/actions/{}", action.name);
                paths.insert(
                    path,
                    json!({ "post": action_operation(&action, &mut schemas) }),
                );
            }
            Description::Views(views) => {
                for view in views {
                    paths.insert(
                        view.path.to_owned(),
                        json!({ "get": view_operation(&view, &mut schemas) }),
                    );
                }
            }
            Description::Stream(_) | Description::Schedule => {}
        }
    }
    pretty(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Edge CRM",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": [
            { "name": "actions", "description": "Actions change something." },
            { "name": "views", "description": "Views show something." },
        ],
        "paths": paths,
        "components": components::all(schemas.definitions()),
    }))
}

fn action_operation(action: &ActionDescription, schemas: &mut Schemas) -> Value {
    let schema = schemas.input(action.input);
    let body = |examples: bool| {
        let mut media = json!({ "schema": schema });
        if examples {
            media["example"] = action.sample.fields.clone();
        }
        media
    };
    json!({
        "operationId": action.name,
        "tags": ["actions"],
        "description": permission_text(action.least, action.rule),
        "security": security(action.least),
        "parameters": [{ "$ref": "#/components/parameters/IdempotencyKey" }],
        "requestBody": { "content": {
            "application/json": body(true),
            "application/x-www-form-urlencoded": body(false),
            "multipart/form-data": body(false),
        } },
        "responses": components::responses_of_actions(schemas.output(action.output)),
    })
}

fn view_operation(view: &ViewDescription, schemas: &mut Schemas) -> Value {
    let mut parameters = Vec::new();
    for (name, component) in [("{tenant}", "Tenant"), ("{id}", "Id")] {
        if view.path.contains(name) {
            parameters.push(json!({ "$ref": format!("#/components/parameters/{component}") }));
        }
    }
    parameters.extend(query_parameters(view, &schemas.input(view.parameters)));
    json!({
        "operationId": operation_id(view),
        "tags": ["views"],
        "description": permission_text(view.least, view.rule),
        "security": security(view.least),
        "parameters": parameters,
        "responses": components::responses_of_views(view.file_ending, schemas.output(view.output)),
    })
}

/// The parameters in the query, which are those that are not in the path.
fn query_parameters(view: &ViewDescription, schema: &Value) -> Vec<Value> {
    let examples: Vec<_> = form_urlencoded::parse(view.sample.as_bytes()).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let in_query = properties.filter(|(name, _)| !view.path.contains(&format!("{{{name}}}")));
    let parameter = |(name, schema): (&String, &Value)| {
        let mut parameter = json!({ "name": name, "in": "query", "schema": schema });
        let example = examples
            .iter()
            .find(|(key, value)| key == name && !value.contains("{{"));
        if let Some((_, value)) = example {
            parameter["example"] = json!(value);
        }
        parameter
    };
    in_query.map(parameter).collect()
}

/// Turns `/t/{tenant}/contacts/{id}/edit` into `view-contacts-id-edit`.
fn operation_id(view: &ViewDescription) -> String {
    let words = view
        .path
        .split(['/', '.'])
        .map(|word| word.trim_matches(['{', '}']));
    let words: Vec<_> = words
        .filter(|word| !["", "t", "tenant"].contains(word))
        .collect();
    match words.as_slice() {
        [] => "view-start".to_owned(),
        words => format!("view-{}", words.join("-")),
    }
}

fn permission_text(least: Option<Role>, rule: &str) -> String {
    let role = match least {
        None => "Anyone",
        Some(Role::Viewer) => "Viewers, members, admins and owners",
        Some(Role::Member) => "Members, admins and owners",
        Some(Role::Admin) => "Admins and owners",
        Some(Role::Owner) => "Owners",
    };
    match rule {
        "" => format!("{role}."),
        rule => format!("{role}: {rule}."),
    }
}

/// The session, which is optional if no role is needed.
fn security(least: Option<Role>) -> Value {
    match least {
        Some(_) => json!([{ "session": [] }]),
        None => json!([{}, { "session": [] }]),
    }
}
