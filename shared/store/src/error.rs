//! Why storage did not do what it was asked.

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use std::error::Error;

/// A storage failure. The text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It answered that it cannot now, or could not be reached: try again.
    #[error("storage unavailable: {0}")]
    Unavailable(String),
    /// It did not answer in time: the call may have taken effect.
    #[error("storage did not answer in time: {0}")]
    Timeout(String),
    /// The request or the stored data is wrong: a bug.
    #[error("storage refused: {0}")]
    Bug(String),
}

/// Classifies an error of the SDK. `bug` tells whether the service's answer says that the request
/// itself is wrong.
pub(crate) fn classify<E, R>(error: SdkError<E, R>, bug: impl FnOnce(&E) -> bool) -> StoreError
where
    E: Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    SdkError<E, R>: RequestId,
{
    let kind = match &error {
        SdkError::TimeoutError(_) => StoreError::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => StoreError::Timeout,
        SdkError::ServiceError(answer) if bug(answer.err()) => StoreError::Bug,
        SdkError::ConstructionFailure(_) => StoreError::Bug,
        _ => StoreError::Unavailable,
    };
    let request = error.request_id().unwrap_or("none").to_owned();
    kind(format!(
        "{} (request {request})",
        DisplayErrorContext(&error)
    ))
}

/// What an answer must have. One without it says nothing, least of all that there is nothing.
pub(crate) fn answered<T>(part: Option<T>) -> Result<T, StoreError> {
    part.ok_or_else(|| StoreError::Unavailable("an answer lacks what was asked for".to_owned()))
}

/// Whether the service's error code says that the request itself is wrong.
pub(crate) fn is_bug(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ValidationException"
                | "ResourceNotFoundException"
                | "AccessDeniedException"
                | "UnrecognizedClientException"
                | "IdempotentParameterMismatchException"
                | "SerializationException"
        )
    )
}
