//! The only crate that calls CloudFront. It invalidates cache tags, and does so for records of the
//! outbox.

mod client;
mod purge;

pub use client::{CloudFront, InvalidationError, Invalidations};
pub use purge::Purge;
