//! What was done in an organisation and what was refused, for its admins: a page and a file.

mod export;
mod filter;
mod log;
mod page;

pub use export::Export;
pub use page::Audit;
