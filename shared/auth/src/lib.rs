//! Signing keys, sealed texts, session tokens and device cookies.

mod device;
mod keys;
mod secrets;
mod token;

pub use device::{DEVICE_LIFETIME, Device, Devices};
pub use keys::{Keys, WeakKey};
pub use secrets::{Secrets, SecretsError};
pub use token::{SessionSecret, TOKEN_LIFETIME, Token};
