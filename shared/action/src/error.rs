//! The errors that an action's function returns instead of a commit.

use crate::FieldErrors;
use serde_json::Value;

/// Why an action was not done. The user sees every text except that of [`ActionError::Internal`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// Fields are wrong, but only a read could tell. Name the fields.
    #[error("invalid input")]
    Validation(FieldErrors),
    /// The caller has not proved who they are. The user must sign in.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller is signed in, but confirmed the action with a wrong password. It counts as a failure
    /// of the account, like a failed sign-in.
    #[error("{message}")]
    WrongPassword {
        /// The input field that holds it.
        field: &'static str,
        /// What to tell the user.
        message: &'static str,
    },
    /// The caller is signed in but not allowed. The user can ask a member who is.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The record does not exist, or the caller may not know about it. The user can go back.
    #[error("{0}")]
    NotFound(&'static str),
    /// Another record has the value, which must be unique. The user can change the field.
    #[error("{message}")]
    Duplicate {
        /// The input field that holds the value.
        field: &'static str,
        /// What to tell the user.
        message: &'static str,
        /// The id of the other record, if the caller may see it.
        existing: Option<String>,
    },
    /// The record was written after the caller read it. The user sees it as it is now and decides.
    #[error("{message}")]
    Stale {
        /// What to tell the user.
        message: &'static str,
        /// The record as it is now.
        current: Value,
    },
    /// What was read does not fit together, because another request has changed some of it between the
    /// reads. The function runs again.
    #[error("data changed between the reads")]
    Moved,
    /// A bug or broken data. The text goes to the log, never to the client.
    #[error("internal error: {0}")]
    Internal(String),
}
