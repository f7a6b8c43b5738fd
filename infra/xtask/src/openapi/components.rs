//! What the operations of the document share: parameters, the session, the responses.

use serde_json::{Map, Value, json};

/// Status, the codes that come with it, and when.
const FAILURES: [(u16, &[&str], &str); 13] = [
    (
        400,
        &["VALIDATION_ERROR", "BAD_REQUEST", "IDEMPOTENCY_ERROR"],
        "A field is wrong, or the request cannot be read",
    ),
    (401, &["AUTH_ERROR"], "Not signed in"),
    (403, &["AUTH_ERROR"], "Not allowed, or from a wrong origin"),
    (404, &["NOT_FOUND"], "No such thing in this organisation"),
    (405, &["BAD_REQUEST"], "Another method"),
    (
        409,
        &["CONFLICT"],
        "A duplicate, or a version that is not the latest",
    ),
    (413, &["BAD_REQUEST"], "The body is too large"),
    (415, &["BAD_REQUEST"], "The body is of another type"),
    (
        422,
        &["IDEMPOTENCY_ERROR"],
        "The idempotency key was used with other input",
    ),
    (429, &["RATE_LIMIT_ERROR"], "Too many requests"),
    (500, &["UNKNOWN"], "A bug"),
    (
        503,
        &["DATABASE_ERROR"],
        "Storage failed; safe to send again with the same key",
    ),
    (
        504,
        &["NETWORK_ERROR"],
        "Something that this depends on did not answer in time",
    ),
];

/// The statuses that only an action answers with.
const OF_ACTIONS: [u16; 5] = [409, 413, 415, 422, 429];

/// Every component. `schemas` are those of the records.
pub(super) fn all(mut schemas: Map<String, Value>) -> Value {
    schemas.insert("Failure".to_owned(), envelope());
    let mut responses = Map::new();
    for (status, codes, when) in FAILURES {
        responses.insert(format!("Failure{status}"), failure(status, codes, when));
    }
    json!({
        "securitySchemes": { "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-session",
            "description": "Set by sign-up, sign-in, accept-invite and reset-password.",
        } },
        "parameters": {
            "IdempotencyKey": {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Makes the request safe to send again: a second one with this key and the same input gets the first one's answer. May be sent as the field `idempotency_key` too.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            },
            "Tenant": {
                "name": "tenant",
                "in": "path",
                "required": true,
                "description": "The organisation.",
                "schema": { "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" },
                "example": "acme",
            },
            "Id": {
                "name": "id",
                "in": "path",
                "required": true,
                "schema": { "type": "string", "format": "uuid" },
            },
        },
        "responses": responses,
        "schemas": schemas,
    })
}

/// The body of every failure.
fn envelope() -> Value {
    json!({
        "type": "object",
        "required": ["ok", "code", "error", "requestId"],
        "properties": {
            "ok": { "const": false },
            "code": { "type": "string" },
            "error": { "type": "string", "description": "A message for the user." },
            "fieldErrors": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "description": "One message for each field that is wrong.",
            },
            "existingId": {
                "type": "string",
                "description": "The record that has what must be unique, if the caller may see it.",
            },
            "current": {
                "type": "object",
                "description": "The record as it is now, if the version sent is not the latest.",
            },
            "requestId": { "type": "string" },
        },
    })
}

fn failure(status: u16, codes: &[&str], when: &str) -> Value {
    let schema = json!({ "allOf": [
        { "$ref": "#/components/schemas/Failure" },
        { "properties": { "code": { "enum": codes } } },
    ] });
    let mut response = json!({
        "description": when,
        "content": { "application/json": { "schema": schema } },
    });
    let header = match status {
        405 => Some(("Allow", json!({ "schema": { "type": "string" } }))),
        429 => Some(("Retry-After", json!({ "schema": { "type": "integer" } }))),
        _ => None,
    };
    if let Some((name, header)) = header {
        response["headers"] = json!({ name: header });
    }
    response
}

fn failures(is_action: bool) -> Map<String, Value> {
    let of = FAILURES.iter().map(|(status, ..)| status);
    let of = of.filter(|status| is_action || !OF_ACTIONS.contains(status));
    let reference = |status| json!({ "$ref": format!("#/components/responses/Failure{status}") });
    of.map(|status| (status.to_string(), reference(status)))
        .collect()
}

fn success(data: Value, more: &[(&str, Value)]) -> Value {
    let mut properties = json!({
        "ok": { "const": true },
        "data": data,
    });
    let mut required = vec!["ok", "data"];
    for (name, schema) in more {
        properties[name] = schema.clone();
        required.push(name);
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

/// The responses of an action whose output has the schema `data`.
pub(super) fn responses_of_actions(data: Value) -> Value {
    let more = [
        (
            "revalidated",
            json!({ "type": "array", "items": { "type": "string" } }),
        ),
        ("requestId", json!({ "type": "string" })),
    ];
    let schema = success(data, &more);
    let mut responses = failures(true);
    let replayed = json!({ "Idempotency-Replayed": {
        "description": "`true` if this is the answer to an earlier request with the same key.",
        "schema": { "type": "string", "const": "true" },
    } });
    let done = json!({
        "description": "Done: the canonical record.",
        "headers": replayed,
        "content": { "application/json": { "schema": schema } },
    });
    responses.insert("200".to_owned(), done);
    let redirect = json!({
        "description": "Done, if HTML was asked for: the page to look at.",
        "headers": { "Location": { "schema": { "type": "string" } } },
    });
    responses.insert("303".to_owned(), redirect);
    Value::Object(responses)
}

/// The responses of a view whose output has the schema `data`, or of a file whose path ends so.
pub(super) fn responses_of_views(file_ending: &str, data: Value) -> Value {
    let content = match file_ending {
        "" => json!({
            "application/json": { "schema": success(data, &[]) },
            "text/html": { "schema": { "type": "string" } },
        }),
        _ => json!({ "text/csv": { "schema": { "type": "string" } } }),
    };
    let mut responses = failures(false);
    let shown = json!({ "description": "What is shown.", "content": content });
    responses.insert("200".to_owned(), shown);
    let redirect = json!({
        "description": "If HTML was asked for: where to sign in, or to look instead.",
        "headers": { "Location": { "schema": { "type": "string" } } },
    });
    responses.insert("303".to_owned(), redirect);
    Value::Object(responses)
}
