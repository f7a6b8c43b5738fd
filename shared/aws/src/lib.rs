//! What the clients of AWS services share: how they connect, whom they trust, who signs.
//!
//! The SDKs' own configuration crate does all this and much more; a function needs none of the
//! rest. Nothing here reads the system's store of certificates, which costs a function some
//! milliseconds of each start: it knows the roots that AWS signs with.

mod connections;
mod roots;

pub use connections::Connections;

use aws_credential_types::Credentials;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// Who calls AWS, and whom the caller trusts.
#[derive(Debug, Clone)]
pub struct Access {
    credentials: Credentials,
    tls: Arc<ClientConfig>,
}

impl Access {
    /// The access of a function on Lambda: with the credentials that Lambda puts into the
    /// [environment](https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
    ///
    /// It trusts AWS's own roots, or else those of `AWS_CA_BUNDLE`, a file in PEM format: for a
    /// proxy that inspects traffic, or an endpoint that is not AWS's
    /// ([the variable's meaning](https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html)).
    ///
    /// # Errors
    /// The name of a variable that is missing or wrong, and what is wrong with it.
    pub fn from_env() -> Result<Self, String> {
        let token = variable("AWS_SESSION_TOKEN");
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            token,
            None,
            "environment",
        );
        let roots = match variable("AWS_CA_BUNDLE") {
            Some(file) => roots::from_file(&file).map_err(|e| format!("AWS_CA_BUNDLE: {e}"))?,
            None => roots::of_aws()?,
        };
        Ok(Self {
            credentials,
            tls: tls(roots)?,
        })
    }

    /// The access to services on this machine, which accept any credentials and have no TLS: it
    /// trusts nobody.
    ///
    /// # Panics
    /// Where the TLS library does not have what it is built with.
    #[must_use]
    #[expect(clippy::expect_used, reason = "no input can make it fail")]
    pub fn local() -> Self {
        Self {
            credentials: Credentials::new("local", "local", None, None, "local"),
            tls: tls(RootCertStore::empty()).expect("a version of TLS"),
        }
    }

    /// Who signs the requests.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// A pool of connections, each to be made within `patience`. Over TLS where a URL says so.
    #[must_use]
    pub fn connect(&self, patience: Duration) -> Connections {
        Connections::new(Arc::clone(&self.tls), patience)
    }
}

/// What all connections share: their rules, and the sessions that they can resume.
fn tls(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?;
    Ok(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// A variable of the environment that is set and not empty.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// A variable of the environment that must be set.
///
/// # Errors
/// A sentence with the variable's name.
pub fn required(name: &str) -> Result<String, String> {
    variable(name).ok_or_else(|| format!("{name} is not set"))
}

/// The variable that says where a service is, where it is not where AWS has it.
///
/// # Errors
/// A sentence with the variable's name.
pub fn endpoint(name: &str) -> Result<Option<String>, String> {
    let usable = |url: &String| {
        let parsed = url.parse::<http::Uri>().ok();
        parsed.is_some_and(|url| {
            matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some()
        })
    };
    match variable(name) {
        Some(url) if !usable(&url) => Err(format!("{name} is not the URL of a service: {url:?}")),
        url => Ok(url),
    }
}
