//! A secret in the URL of an API that only this process may call.
//!
//! The APIs of the edge and of the mailbox have ports, so the scripts of any web page can send them
//! requests. The SDK knows the secret because it is part of the endpoint's URL.

use std::fmt;
use uuid::Uuid;

/// The first segment of the path of every call: `/` and 122 random bits. A new one for each start.
#[derive(Clone)]
pub(crate) struct SecretPath(String);

impl SecretPath {
    pub(crate) fn random() -> Self {
        Self(format!("/{}", Uuid::new_v4().simple()))
    }

    /// The endpoint's URL for the server at this address.
    pub(crate) fn endpoint(&self, address: std::net::SocketAddr) -> String {
        format!("http://{address}{}", self.0)
    }

    /// The path of the call that a request makes; `None` if the request does not know the secret.
    pub(crate) fn call<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.0.as_str())
    }
}

impl fmt::Debug for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretPath")
    }
}
