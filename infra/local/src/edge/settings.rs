//! The settings of a distribution.

use crate::data_dir::DataError;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::fmt;

/// What a deployment decides about a distribution. Its debug text shows no secret.
#[derive(Clone)]
pub struct DistributionSettings {
    /// The distribution's id.
    pub id: String,
    /// The distribution's domain name.
    pub domain: String,
    /// The port that viewers connect to.
    pub port: u16,
    /// The name of the session cookie. The template has `__Host-session`, which browsers accept
    /// over https only.
    pub session_cookie: String,
    /// The secret: the key that signs sessions, and what proves to a function that a request comes from the
    /// edge, as [`auth::Secrets`] reads it.
    pub secret: String,
}

impl fmt::Debug for DistributionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DistributionSettings")
            .field("id", &self.id)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl DistributionSettings {
    /// Settings for this machine, without https. Sessions are signed with `session_key`; the
    /// origin secret is random.
    ///
    /// # Errors
    /// [`DataError::Random`] if the system has no random bytes.
    pub fn local(port: u16, session_key: &str) -> Result<Self, DataError> {
        // 64 characters in base64.
        let mut secret = [0; 48];
        getrandom::fill(&mut secret)?;
        Ok(Self {
            id: "ELOCAL0000000".to_owned(),
            domain: "edge-crm.localhost".to_owned(),
            port,
            session_cookie: "session".to_owned(),
            secret: session_key.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(secret),
        })
    }

    /// What proves to a function that a request comes from the edge.
    #[must_use]
    pub fn origin_secret(&self) -> &str {
        let (_, origin) = self.secret.split_at(self.secret.len() - 64);
        origin
    }
}
