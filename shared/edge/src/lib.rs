//! What the functions and the edge share: signing keys, session tokens, invalidations.

mod invalidations;
mod keys;
mod token;

pub use invalidations::{CloudFront, InvalidationError, Invalidations};
pub use keys::{Keys, WeakKey};
pub use token::{LIFETIME, SessionSecret, Token};
