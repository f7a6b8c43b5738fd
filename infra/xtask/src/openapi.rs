//! `docs/openapi.json`: the actions and views as an OpenAPI document
//! ([OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.0)).

mod components;

use crate::json::pretty;
use action::Role;
use functions::REGISTRY;
use functions::registry::{ActionDescription, Description, ViewDescription};
use serde_json::{Map, Value, json};

const ABOUT: &str = "\
Every action is a POST, every view a GET. Both answer in JSON if the request asks for \
`application/json`, or if its body is JSON, and in HTML otherwise. A request that writes and has a \
session must come from an allowed origin: it says so by `Sec-Fetch-Site: same-origin` or by `Origin`. \
An action with an `Idempotency-Key` is done once, however often it is sent within a day.";

/// The whole document.
pub(crate) fn document() -> String {
    let mut paths = Map::new();
    for entry in REGISTRY {
        match (entry.describe)() {
            Description::Action(action) => {
                let path = format!("/actions/{}", action.name);
                paths.insert(path, json!({ "post": post(&action) }));
            }
            Description::Views(views) => {
                for view in views {
                    paths.insert(view.path.to_owned(), json!({ "get": get(&view) }));
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
            { "name": "actions", "description": "What writes" },
            { "name": "views", "description": "What is shown" },
        ],
        "paths": paths,
        "components": components::all(),
    }))
}

fn post(action: &ActionDescription) -> Value {
    let schema = schema_of(&action.sample.fields, action.secrets);
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
        "description": who(action.least, action.rule),
        "security": security(action.least),
        "parameters": [{ "$ref": "#/components/parameters/IdempotencyKey" }],
        "requestBody": { "content": {
            "application/json": body(true),
            "application/x-www-form-urlencoded": body(false),
            "multipart/form-data": body(false),
        } },
        "responses": components::responses_of_actions(),
    })
}

fn get(view: &ViewDescription) -> Value {
    let mut parameters = Vec::new();
    for (name, component) in [("{tenant}", "Tenant"), ("{id}", "Id")] {
        if view.path.contains(name) {
            parameters.push(json!({ "$ref": format!("#/components/parameters/{component}") }));
        }
    }
    for (name, value) in form_urlencoded::parse(view.sample.as_bytes()) {
        let mut parameter = json!({ "name": name, "in": "query", "schema": { "type": "string" } });
        if !value.contains("{{") {
            parameter["example"] = json!(value);
        }
        parameters.push(parameter);
    }
    json!({
        "operationId": operation_of(view),
        "tags": ["views"],
        "description": who(view.least, view.rule),
        "security": security(view.least),
        "parameters": parameters,
        "responses": components::responses_of_views(view.file_ending),
    })
}

/// `/t/{tenant}/contacts/{id}/edit` as `view-contacts-id-edit`.
fn operation_of(view: &ViewDescription) -> String {
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

fn who(least: Option<Role>, rule: &str) -> String {
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

/// A session, or nothing.
fn security(least: Option<Role>) -> Value {
    match least {
        Some(_) => json!([{ "session": [] }]),
        None => json!([{}, { "session": [] }]),
    }
}

/// The fields of a sample as a schema.
fn schema_of(fields: &Value, secrets: &[&str]) -> Value {
    let fields = fields.as_object().into_iter().flatten();
    let properties = fields.map(|(name, value)| {
        let mut schema = match value {
            Value::Number(_) => json!({ "type": "integer" }),
            Value::Null => json!({ "type": ["string", "null"] }),
            _ => json!({ "type": "string" }),
        };
        if secrets.contains(&name.as_str()) {
            schema["format"] = json!("password");
            schema["writeOnly"] = json!(true);
        }
        (name.clone(), schema)
    });
    let properties: Map<_, _> = properties.collect();
    json!({ "type": "object", "properties": properties })
}
