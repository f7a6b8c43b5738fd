//! Signing keys, sealed texts, session tokens and device cookies.

mod device;
mod keys;
mod token;

pub use device::{DEVICE_LIFETIME, Device, Devices};
pub use keys::{Keys, WeakKey};
pub use token::{SessionSecret, TOKEN_LIFETIME, Token};
