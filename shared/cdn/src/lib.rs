//! The only crate that calls CloudFront. It invalidates cache tags, and purges what outbox records
//! ask for.

mod client;
mod purge;

pub use client::{CloudFront, InvalidationError, Invalidations};
pub use purge::Purge;
