//! Signing keys, sealed texts and session tokens.

mod keys;
mod token;

pub use keys::{Keys, WeakKey};
pub use token::{LIFETIME, SessionSecret, Token};
