//! The errors of setting up the edge.

use viewer_request::FunctionError;

/// Why the edge cannot serve these functions.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The template routes to a function that the local stack does not have.
    #[error("template.yaml routes to the function {0}, which the local stack does not have")]
    UnknownFunction(String),
    /// See [`FunctionError`].
    #[error("the CloudFront function: {0}")]
    Function(#[from] FunctionError),
    /// A header of the template or of the settings is not a valid HTTP header.
    #[error("the header {0} cannot be sent")]
    Header(String),
}
