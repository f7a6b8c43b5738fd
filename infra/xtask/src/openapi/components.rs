//! The parts that the operations share: parameters, the session, the responses.

use serde_json::{Map, Value, json};

/// The statuses of failures, with their error codes and their meaning.
const FAILURES: [(u16, &[&str], &str); 13] = [
    (
        400,
        &["VALIDATION_ERROR", "BAD_REQUEST", "IDEMPOTENCY_ERROR"],
        "A field is wrong, or the request cannot be read",
    ),
    (401, &["AUTH_ERROR"], "Not signed in"),
    (
        403,
        &["AUTH_ERROR"],
        "Not allowed, or sent from another origin",
    ),
    (404, &["NOT_FOUND"], "Not found in this organisation"),
    (405, &["BAD_REQUEST"], "The method is not allowed"),
    (
        409,
        &["CONFLICT"],
        "A duplicate, or the version is not the latest",
    ),
    (413, &["BAD_REQUEST"], "The body is too large"),
    (415, &["BAD_REQUEST"], "The content type is not supported"),
    (
        422,
        &["IDEMPOTENCY_ERROR"],
        "The idempotency key was already used with another input",
    ),
    (429, &["RATE_LIMIT_ERROR"], "Too many requests"),
    (500, &["UNKNOWN"], "An internal error"),
    (
        503,
        &["DATABASE_ERROR"],
        "The database failed; it is safe to send the request again with the same key",
    ),
    (
        504,
        &["NETWORK_ERROR"],
        "A service that the request depends on did not respond in time",
    ),
];

/// The statuses that only actions respond with.
const ONLY_OF_ACTIONS: [u16; 5] = [409, 413, 415, 422, 429];

/// All components. `schemas` are the schemas of the records.
pub(super) fn all(mut schemas: Map<String, Value>) -> Value {
    schemas.insert("Failure".to_owned(), failure_schema());
    let mut responses = Map::new();
    for (status, codes, when) in FAILURES {
        responses.insert(
            format!("Failure{status}"),
            failure_response(status, codes, when),
        );
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
                "description": "Makes the request safe to send again: a second request with the same key and input gets the response to the first one. It can also be sent as the field `idempotency_key`.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            },
            "Tenant": {
                "name": "tenant",
                "in": "path",
                "required": true,
                "description": "The organisation's id, which is its slug.",
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

/// The schema of the body of every failure.
fn failure_schema() -> Value {
    json!({
        "type": "object",
        "required": ["ok", "code", "error", "fieldErrors", "requestId"],
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
                "type": ["string", "null"],
                "description": "The id of the record that already has this unique value, if the caller may see it.",
            },
            "current": {
                "type": ["object", "null"],
                "description": "The record as it is now, if the version sent is not the latest.",
            },
            "requestId": { "type": "string" },
        },
    })
}

fn failure_response(status: u16, codes: &[&str], when: &str) -> Value {
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

fn failure_responses(is_action: bool) -> Map<String, Value> {
    let statuses = FAILURES.iter().map(|(status, ..)| status);
    let statuses = statuses.filter(|status| is_action || !ONLY_OF_ACTIONS.contains(status));
    let reference = |status| json!({ "$ref": format!("#/components/responses/Failure{status}") });
    statuses
        .map(|status| (status.to_string(), reference(status)))
        .collect()
}

fn success_schema(data: Value, more: &[(&str, Value)]) -> Value {
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

/// The responses of an action; `data` is the schema of its output.
pub(super) fn responses_of_actions(data: Value) -> Value {
    let more = [
        (
            "revalidated",
            json!({ "type": "array", "items": { "type": "string" } }),
        ),
        ("requestId", json!({ "type": "string" })),
    ];
    let schema = success_schema(data, &more);
    let mut responses = failure_responses(true);
    let replayed = json!({ "Idempotency-Replayed": {
        "description": "`true` if this is the response to an earlier request with the same key.",
        "schema": { "type": "string", "const": "true" },
    } });
    let ok = json!({
        "description": "Done. `data` is the result; `revalidated` lists the cache tags that have been purged.",
        "headers": replayed,
        "content": { "application/json": { "schema": schema } },
    });
    responses.insert("200".to_owned(), ok);
    let redirect = json!({
        "description": "Done, if the request accepts HTML: a redirect to the next page.",
        "headers": { "Location": { "schema": { "type": "string" } } },
    });
    responses.insert("303".to_owned(), redirect);
    Value::Object(responses)
}

/// The responses of a view; `data` is the schema of its output. `file_ending` is empty unless the
/// view is a file.
pub(super) fn responses_of_views(file_ending: &str, data: Value) -> Value {
    let content = match file_ending {
        "" => json!({
            "application/json": { "schema": success_schema(data, &[]) },
            "text/html": { "schema": { "type": "string" } },
        }),
        _ => json!({ "text/csv": { "schema": { "type": "string" } } }),
    };
    let mut responses = failure_responses(false);
    let ok = json!({ "description": "The content of the view.", "content": content });
    responses.insert("200".to_owned(), ok);
    let redirect = json!({
        "description": "If the request accepts HTML: a redirect to the sign-in page or to another page.",
        "headers": { "Location": { "schema": { "type": "string" } } },
    });
    responses.insert("303".to_owned(), redirect);
    Value::Object(responses)
}
