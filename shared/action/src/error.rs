//! Errors as data: what an action answers instead of a commit.

use crate::FieldErrors;
use serde_json::Value;

/// Why an action did not happen. Each text but [`ActionError::Internal`]'s is shown to the user.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// Fields are wrong in a way that needed a read to tell: say which.
    #[error("invalid input")]
    Validation(FieldErrors),
    /// Nobody, or somebody else: sign in.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Signed in, but the password that was to prove it again is wrong. Counts as a failure of the
    /// account, as a failed sign-in does.
    #[error("{message}")]
    WrongPassword {
        /// The input field that holds it.
        field: &'static str,
        /// What to tell the user.
        message: &'static str,
    },
    /// Signed in, but not allowed: ask somebody who is.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such thing here, or the caller may not know of it: go back.
    #[error("{0}")]
    NotFound(&'static str),
    /// Another record has what must be unique: change the field.
    #[error("{message}")]
    Duplicate {
        /// The input field that holds the value.
        field: &'static str,
        /// What to tell the user.
        message: &'static str,
        /// The record that has it, where the caller may see that.
        existing: Option<String>,
    },
    /// The record has been written since the caller read it: look at it and decide.
    #[error("{message}")]
    Stale {
        /// What to tell the user.
        message: &'static str,
        /// The record as it is now.
        current: Value,
    },
    /// A bug or broken data. The text goes to the log, never to the client.
    #[error("internal error: {0}")]
    Internal(String),
}
