//! Storage errors.

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use std::error::Error;

/// A storage failure. The text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Storage is overloaded or cannot be reached: retry.
    #[error("storage unavailable: {0}")]
    Unavailable(String),
    /// Storage did not respond in time. The call may have taken effect.
    #[error("storage did not respond in time: {0}")]
    Timeout(String),
    /// The request or the stored data is wrong: a bug, which no retry mends.
    #[error("storage refused: {0}")]
    Bug(String),
}

/// Classifies an error of the SDK. `bug` decides whether an error of the service means that the
/// request itself is wrong.
pub(crate) fn classify<E, R>(error: SdkError<E, R>, bug: impl FnOnce(&E) -> bool) -> StoreError
where
    E: Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    SdkError<E, R>: RequestId,
{
    let kind = match &error {
        SdkError::TimeoutError(_) => StoreError::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => StoreError::Timeout,
        SdkError::ServiceError(service) if bug(service.err()) => StoreError::Bug,
        SdkError::ConstructionFailure(_) => StoreError::Bug,
        _ => StoreError::Unavailable,
    };
    let request = error.request_id().unwrap_or("none").to_owned();
    kind(format!(
        "{} (request {request})",
        DisplayErrorContext(&error)
    ))
}

/// A part that every response of DynamoDB has. A response without it comes from something in
/// between, such as a proxy, so it does not mean that an item is absent. A retry may reach DynamoDB.
pub(crate) fn required_part<T>(part: Option<T>) -> Result<T, StoreError> {
    part.ok_or_else(|| StoreError::Unavailable("a response is incomplete".to_owned()))
}

/// Whether an error code means that the request itself is wrong, so that a retry fails again.
///
/// Source: [error handling](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html).
pub(crate) fn is_bug(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ValidationException"
                | "ResourceNotFoundException"
                | "AccessDeniedException"
                | "UnrecognizedClientException"
                | "IdempotentParameterMismatchException"
                | "IncompleteSignatureException"
                | "ItemCollectionSizeLimitExceededException"
                | "MissingAuthenticationTokenException"
                | "SerializationException"
                | "UnknownOperationException"
        )
    )
}
