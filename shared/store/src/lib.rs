//! The only crate that calls DynamoDB. It runs an action's reads, and its commit as one transaction.
//! It also stores the marks and the outbox of revalidation, and the search index.

mod client;
mod convert;
mod counter;
mod due;
mod error;
mod marks;
mod outbox;
mod read;
mod search;
mod table;
mod transact;
mod verdict;

pub use client::{Patience, Store, TableSettings};
pub use error::StoreError;
pub use marks::{KEPT_AT_EDGE, Mark, SETTLING};
pub use outbox::OutboxRecord;
pub use search::{IndexError, Indexed, Rebuilt, Shape};
pub use transact::{IdempotencyRecord, Rejected};
