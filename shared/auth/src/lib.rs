//! Signing keys, sealed texts and session tokens.

mod keys;
mod token;

pub use keys::{Keys, WeakKey};
pub use token::{SessionSecret, TOKEN_LIFETIME, Token};
