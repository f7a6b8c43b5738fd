//! What can be wrong with a function's environment.

/// A function cannot start because its environment is wrong. The text names the variable; it is
/// for the log.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// The variable is not set, or it is empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The variable must be an `http` or `https` URL with a host.
    #[error("{name} is not the URL of a service: {url:?}")]
    NotUrl {
        /// The variable.
        name: &'static str,
        /// Its value.
        url: String,
    },
    /// `AWS_CA_BUNDLE` does not name a file with usable certificates.
    #[error("AWS_CA_BUNDLE: {0}")]
    Bundle(CertificateError),
    /// The build's own certificates or TLS library are unusable: a bug.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read.
    #[error("{path:?} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file holds something that is not a valid certificate.
    #[error("{path:?} has a bad certificate: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file holds no certificate.
    #[error("{0:?} has no certificate in it")]
    Empty(String),
}
