//! The audit of an organisation, for its admins, as a page and as a file: what was done and what
//! was refused.

mod export;
mod filter;
mod log;
mod page;

pub use export::Export;
pub use page::Audit;
