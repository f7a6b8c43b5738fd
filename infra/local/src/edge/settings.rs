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
    /// The secret that proves to a function that a request comes from the edge. It replaces every
    /// dynamic reference in the template's origin headers.
    pub origin_secret: String,
    /// The name of the session cookie. The template has `__Host-session`, which browsers accept
    /// over https only.
    pub session_cookie: String,
    /// The key that signs sessions.
    pub session_key: String,
    /// The previous key, which is still accepted.
    pub session_key_previous: Option<String>,
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
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self {
            id: "ELOCAL0000000".to_owned(),
            domain: "edge-crm.localhost".to_owned(),
            port,
            origin_secret: BASE64_URL_SAFE_NO_PAD.encode(secret),
            session_cookie: "session".to_owned(),
            session_key: session_key.to_owned(),
            session_key_previous: None,
        })
    }
}
