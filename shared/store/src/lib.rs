//! The only crate that speaks to DynamoDB: it runs an action's reads, and its commit as one
//! transaction.

mod client;
mod convert;
mod counter;
mod error;
mod read;
mod table;
mod transact;
mod verdict;

pub use client::{Settings, Store};
pub use error::StoreError;
pub use transact::{Rejected, Saved};
