//! Every way in which a request can fail, and what the client is told.

use action::input::InputError;
use action::{ActionError, FieldErrors, Refusal};
use serde_json::{Value, json};
use store::{Rejected, StoreError};

/// The code in the response to a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A field is wrong.
    Validation,
    /// The request cannot be read.
    BadRequest,
    /// Not signed in, not allowed, or from a wrong origin.
    Auth,
    /// The record does not exist in this organisation.
    NotFound,
    /// A duplicate value, or a stale version.
    Conflict,
    /// An invalid idempotency key, or one that was used for other input.
    Idempotency,
    /// Too many requests.
    RateLimit,
    /// Storage failed. It is safe to retry with the same idempotency key.
    Database,
    /// A service that we depend on did not respond in time.
    Network,
    /// A bug.
    Unknown,
}

impl Code {
    /// The code in JSON and in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION_ERROR",
            Self::BadRequest => "BAD_REQUEST",
            Self::Auth => "AUTH_ERROR",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::Idempotency => "IDEMPOTENCY_ERROR",
            Self::RateLimit => "RATE_LIMIT_ERROR",
            Self::Database => "DATABASE_ERROR",
            Self::Network => "NETWORK_ERROR",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A failed request. Everything except `detail` is for the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The code.
    pub code: Code,
    /// The HTTP status.
    pub status: u16,
    /// The message about the request as a whole.
    pub error: String,
    /// A message for each wrong field.
    pub fields: FieldErrors,
    /// The record as it is now, if the caller's version of it is stale.
    pub current: Option<Value>,
    /// The id of the record that already has the unique value.
    pub existing: Option<String>,
    /// How many seconds to wait before a retry.
    pub retry_after: Option<i64>,
    /// The allowed methods, if the method is wrong.
    pub allow: Option<&'static str>,
    /// Details for the log only.
    pub detail: Option<String>,
}

impl Failure {
    fn new(code: Code, status: u16, error: impl Into<String>) -> Self {
        Self {
            code,
            status,
            error: error.into(),
            fields: FieldErrors::new(),
            current: None,
            existing: None,
            retry_after: None,
            allow: None,
            detail: None,
        }
    }

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(Code::BadRequest, 405, "Method not allowed")
        }
    }

    /// The body is larger than `limit` bytes.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            Code::BadRequest,
            413,
            format!("The request is too large: at most {limit} bytes"),
        )
    }

    pub(crate) fn unsupported(error: &'static str) -> Self {
        Self::new(Code::BadRequest, 415, error)
    }

    /// The request cannot be read.
    #[must_use]
    pub fn unreadable(error: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, 400, error)
    }

    pub(crate) fn wrong_origin() -> Self {
        Self::new(
            Code::Auth,
            403,
            "This request did not come from an allowed origin",
        )
    }

    pub(crate) fn not_through_edge() -> Self {
        Self::new(Code::Auth, 403, "This address cannot be called directly")
    }

    pub(crate) fn signed_out() -> Self {
        Self::new(Code::Auth, 401, "Please sign in to continue")
    }

    pub(crate) fn page_not_found() -> Self {
        Self::new(Code::NotFound, 404, "Page not found")
    }

    pub(crate) fn validation(fields: FieldErrors) -> Self {
        Self {
            fields,
            ..Self::new(Code::Validation, 400, "Invalid input")
        }
    }

    pub(crate) fn unusable_key() -> Self {
        Self::new(
            Code::Idempotency,
            400,
            "An idempotency key has 1 to 255 visible ASCII characters",
        )
    }

    pub(crate) fn other_organization() -> Self {
        Self::new(
            Code::Auth,
            403,
            "This page belongs to another of your organizations. Switch to that one in a new tab, \
             then send this form again.",
        )
    }

    pub(crate) fn other_user() -> Self {
        Self::new(
            Code::Auth,
            403,
            "This page belongs to another user. Sign in as that user in a new tab, then send this form \
             again.",
        )
    }

    /// The session has just been replaced by one of another organisation, so the user is signed in.
    pub(crate) fn replaced() -> Self {
        Self::new(
            Code::Auth,
            401,
            "You have switched to another organization. Load the page again, then go on.",
        )
    }

    /// The page belongs to another organisation of the user.
    pub(crate) fn elsewhere() -> Self {
        Self::new(
            Code::Auth,
            403,
            "This page belongs to another of your organizations",
        )
    }

    pub(crate) fn two_keys() -> Self {
        Self::new(
            Code::Idempotency,
            400,
            "The Idempotency-Key header and the idempotency_key field are two different keys",
        )
    }

    pub(crate) fn reused_key() -> Self {
        Self::new(
            Code::Idempotency,
            422,
            "This form was sent before with other input, and that was saved. \
             Check what was saved before you send it again.",
        )
    }

    pub(crate) fn too_many_requests(seconds: i64) -> Self {
        let error = format!("Too many requests. Try again in {seconds} seconds");
        Self {
            retry_after: Some(seconds),
            ..Self::new(Code::RateLimit, 429, error)
        }
    }

    /// A bug. The client does not see `detail`.
    #[must_use]
    pub fn unknown(detail: impl Into<String>) -> Self {
        let error = "Something went wrong on our side. Please try again.";
        Self {
            detail: Some(detail.into()),
            ..Self::new(Code::Unknown, 500, error)
        }
    }

    /// The response body in JSON.
    #[must_use]
    pub fn json(&self, request_id: &str) -> Value {
        let mut body = json!({
            "ok": false,
            "code": self.code.as_str(),
            "error": self.error,
            "fieldErrors": self.fields,
            "requestId": request_id,
        });
        if self.code == Code::Conflict {
            body["existingId"] = json!(self.existing);
            body["current"] = json!(self.current);
        }
        body
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::SignedOut => Self::signed_out(),
            Refusal::NotAllowed => Self::new(Code::Auth, 403, "You are not allowed to do this"),
        }
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        match error {
            InputError::Invalid(fields) => Self::validation(fields),
            InputError::Unreadable(_) => Self::unknown(error.to_string()),
        }
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Validation(fields) => Self::validation(fields),
            ActionError::Unauthenticated(error) => Self::new(Code::Auth, 401, error),
            ActionError::WrongPassword { field, message } => {
                Self::validation([(field.to_owned(), message.to_owned())].into())
            }
            ActionError::Forbidden(error) => Self::new(Code::Auth, 403, error),
            ActionError::NotFound(error) => Self::new(Code::NotFound, 404, error),
            ActionError::Duplicate {
                field,
                message,
                existing,
            } => Self {
                fields: FieldErrors::from([(field.to_owned(), message.to_owned())]),
                existing,
                ..Self::new(Code::Conflict, 409, message)
            },
            ActionError::Stale { message, current } => Self {
                current: Some(current),
                ..Self::new(Code::Conflict, 409, message)
            },
            ActionError::Moved => Rejected::Moved.into(),
            ActionError::Internal(detail) => Self::unknown(detail),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        let failure = match error {
            StoreError::Unavailable(_) => Self::new(
                Code::Database,
                503,
                "We could not save or read just now. Please try again.",
            ),
            StoreError::Timeout(_) => {
                Self::new(Code::Network, 504, "This took too long. Please try again.")
            }
            StoreError::Bug(_) => return Self::unknown(detail),
        };
        Self {
            detail: Some(detail),
            ..failure
        }
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Taken(error) => error.into(),
            Rejected::Storage(error) => error.into(),
            Rejected::Moved => {
                StoreError::Unavailable("the data moved at each attempt".to_owned()).into()
            }
            Rejected::Recorded(_) => Self::reused_key(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_bug_is_a_500_and_only_the_log_has_its_text() {
        let failure = Failure::from(StoreError::Bug("ValidationError: too many".to_owned()));
        assert_eq!((failure.status, failure.code), (500, Code::Unknown));
        let detail = failure.detail.as_deref().unwrap_or_default();
        assert!(detail.contains("ValidationError: too many"), "{detail}");
        let response = failure.json("id").to_string();
        assert!(!response.contains("ValidationError"), "{response}");
    }
}
