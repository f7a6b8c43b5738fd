//! The only crate that calls DynamoDB. It runs an action's reads, and its commit as one transaction.
//! It also stores the marks and the outbox of revalidation, and the search index.

mod allowance;
mod client;
mod commit;
mod convert;
mod counter;
mod due;
mod error;
mod marks;
mod openings;
mod outbox;
mod purges;
mod read;
mod search;
mod table;
mod transact;
mod verdict;

pub use allowance::{Allowance, Bought, Room, window};
pub use client::{Patience, Store, TableSettings};
pub use commit::{IdempotencyRecord, Rejected};
pub use error::StoreError;
pub use marks::{KEPT_AT_EDGE, Mark, SETTLING};
pub use openings::{Opened, Opening};
pub use outbox::{OutboxRecord, tenant_of};
pub use search::{IndexError, Indexed, Rebuilt, Shape};
