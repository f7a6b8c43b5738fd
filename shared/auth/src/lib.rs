//! Signing keys, sealed texts and session tokens.

mod keys;
mod secrets;
mod token;

pub use keys::{Keys, WeakKey};
pub use secrets::{Secrets, SecretsError};
pub use token::{SessionSecret, TOKEN_LIFETIME, Token};
