//! What the clients of AWS services share: connections, root certificates and credentials.
//!
//! The SDKs' own configuration crate does all this and much more, and a function needs none of the
//! rest. Nothing here reads the system's certificate store, because that adds some milliseconds to
//! each cold start. The roots that AWS signs with are built in instead.

mod connections;
mod error;
mod roots;

pub use connections::Connections;
pub use error::{CertificateError, EnvironmentError};

use aws_credential_types::Credentials;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// The credentials for AWS calls, and the certificates that the caller trusts.
#[derive(Debug, Clone)]
pub struct Access {
    credentials: Credentials,
    tls: Arc<ClientConfig>,
}

impl Access {
    /// The access of a function on Lambda, with the credentials that Lambda puts into the
    /// [environment](https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
    ///
    /// It trusts AWS's own roots. If `AWS_CA_BUNDLE` names a PEM file, it trusts the certificates
    /// in that file instead: for a proxy that inspects traffic, or for an endpoint outside AWS
    /// ([the variable's meaning](https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html)).
    ///
    /// # Errors
    /// [`EnvironmentError`] if a variable is missing or wrong.
    pub fn from_env() -> Result<Self, EnvironmentError> {
        let token = variable("AWS_SESSION_TOKEN");
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            token,
            None,
            "environment",
        );
        let roots = match variable("AWS_CA_BUNDLE") {
            Some(file) => roots::from_file(&file).map_err(EnvironmentError::Bundle)?,
            None => roots::of_aws().map_err(EnvironmentError::Tls)?,
        };
        Ok(Self {
            credentials,
            tls: tls(roots).map_err(EnvironmentError::Tls)?,
        })
    }

    /// The access to services on this machine. They accept any credentials and have no TLS, so
    /// this trusts no certificate.
    ///
    /// # Panics
    /// If the TLS library lacks the versions that it was built with.
    #[must_use]
    #[expect(clippy::expect_used, reason = "no input can make it fail")]
    pub fn local() -> Self {
        Self {
            credentials: Credentials::new("local", "local", None, None, "local"),
            tls: tls(RootCertStore::empty()).expect("a version of TLS"),
        }
    }

    /// The credentials that sign requests.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// A connection pool. Each connection must be made within `patience`; `https` URLs use TLS.
    #[must_use]
    pub fn connect(&self, patience: Duration) -> Connections {
        Connections::new(Arc::clone(&self.tls), patience)
    }
}

/// The TLS settings that all connections share, with the TLS sessions that they can resume.
fn tls(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    Ok(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// The value of an environment variable; `None` if it is not set or empty.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The value of an environment variable that must be set.
///
/// # Errors
/// [`EnvironmentError::Missing`].
pub fn required(name: &'static str) -> Result<String, EnvironmentError> {
    variable(name).ok_or(EnvironmentError::Missing(name))
}

/// The service URL in an environment variable; `None` if it is not set, which means AWS's own
/// endpoint.
///
/// # Errors
/// [`EnvironmentError::NotUrl`].
pub fn endpoint(name: &'static str) -> Result<Option<String>, EnvironmentError> {
    match variable(name) {
        Some(url) if !is_service_url(&url) => Err(EnvironmentError::NotUrl { name, url }),
        url => Ok(url),
    }
}

fn is_service_url(url: &str) -> bool {
    url.parse::<http::Uri>()
        .is_ok_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_url_has_a_scheme_and_a_host() {
        assert!(is_service_url("http://127.0.0.1:8000"));
        assert!(is_service_url("https://dynamodb.eu-west-1.amazonaws.com"));
        for url in [
            "127.0.0.1:8000",
            "/path",
            "ftp://example.com",
            "https://",
            "x y",
        ] {
            assert!(!is_service_url(url), "{url}");
        }
    }

    #[test]
    fn an_error_names_the_variable() {
        let error = required("EDGE_CRM_NEVER_SET").unwrap_err();
        assert_eq!(error.to_string(), "EDGE_CRM_NEVER_SET is not set");
    }
}
