//! DynamoDB's API in JSON, with the operations that `store` calls.
//!
//! The engine's own HTTP server does the same and also words the errors of requests that no SDK
//! writes.

use dynoxide::{Database, DynoxideError};
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

/// Calls the operation that `target`, the header `X-Amz-Target`, names. Blocks until it is done.
pub(super) fn call(database: &Database, target: &str, body: &[u8]) -> ApiResponse {
    let operation = target.strip_prefix("DynamoDB_20120810.");
    let result = match operation.unwrap_or_default() {
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(request)),
        "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        _ => {
            return ApiResponse {
                status: 400,
                body: UNKNOWN_OPERATION.to_owned(),
            };
        }
    };
    match result {
        Ok(body) => ApiResponse { status: 200, body },
        Err(error) => ApiResponse {
            status: error.status_code(),
            body: error.to_json(),
        },
    }
}

fn run<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl FnOnce(I) -> dynoxide::Result<O>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body).map_err(unreadable)?;
    let output = operation(request)?;
    serde_json::to_string(&output).map_err(|e| DynoxideError::InternalServerError(e.to_string()))
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
