//! DynamoDB's API in JSON, with the operations that `store` calls.
//!
//! The engine's own HTTP server does the same and also words the errors of requests that no SDK
//! writes.

use super::engine::{Engine, Outcome};
use dynoxide::DynoxideError;
use dynoxide::actions::{
    batch_get_item, batch_write_item, create_table, delete_item, put_item, query, scan,
    transact_get_items, update_item, update_time_to_live,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A response of the API.
#[derive(Debug)]
pub(super) struct ApiResponse {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body, as JSON.
    pub(super) body: String,
}

/// The body of a response to an operation that is not here.
const UNKNOWN_OPERATION: &str =
    r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;

/// Calls the operation that `target`, the header `X-Amz-Target`, names. Blocks until it is done. Returns
/// its response, and the number of commits that must be on the disk before the response is sent.
pub(super) fn call<T>(engine: &Engine<T>, target: &str, body: &[u8]) -> (ApiResponse, u64) {
    let operation = target.strip_prefix("DynamoDB_20120810.");
    match operation.unwrap_or_default() {
        "BatchGetItem" => run(body, |i| engine.read(i, batch_get_item::execute)),
        "BatchWriteItem" => run(body, |i| engine.write(i, batch_write_item::execute)),
        "CreateTable" => run(body, |i| engine.write(i, create_table::execute)),
        "DeleteItem" => run(body, |i| engine.write(i, delete_item::execute)),
        "PutItem" => run(body, |i| engine.write(i, put_item::execute)),
        "Query" => run(body, |i| engine.read(i, query::execute)),
        "Scan" => run(body, |i| engine.read(i, scan::execute)),
        "TransactGetItems" => run(body, |i| engine.read(i, transact_get_items::execute)),
        "TransactWriteItems" => run(body, |i| engine.transact(i, body)),
        "UpdateItem" => run(body, |i| engine.write(i, update_item::execute)),
        "UpdateTimeToLive" => run(body, |i| engine.write(i, update_time_to_live::execute)),
        _ => {
            let body = UNKNOWN_OPERATION.to_owned();
            (ApiResponse { status: 400, body }, 0)
        }
    }
}

fn run<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl FnOnce(I) -> Outcome<O>,
) -> (ApiResponse, u64) {
    let (output, commits) = match serde_json::from_slice(body) {
        Ok(request) => {
            let outcome = operation(request);
            (outcome.result, outcome.commits)
        }
        Err(error) => (Err(unreadable(error)), 0),
    };
    let text = output.and_then(|output| {
        let text = serde_json::to_string(&output);
        text.map_err(|e| DynoxideError::InternalServerError(e.to_string()))
    });
    let (status, body) = match text {
        Ok(body) => (200, body),
        Err(error) => (error.status_code(), error.to_json()),
    };
    (ApiResponse { status, body }, commits)
}

/// The error of a request that cannot be read. The SDK writes every request, so only a value in it can
/// be wrong, such as a number that DynamoDB cannot store.
fn unreadable(error: serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    // The engine puts the kind of the error before the message.
    match text.split_once(':') {
        Some(("VALIDATION" | "VALIDATION_REQUEST" | "VALIDATION_AS_READ", message)) => {
            DynoxideError::ValidationException(message.to_owned())
        }
        Some(("SERIALIZATION" | "SERIALIZATION_AS_READ", message)) => {
            DynoxideError::SerializationException(message.to_owned())
        }
        _ => DynoxideError::SerializationException(text.to_owned()),
    }
}
