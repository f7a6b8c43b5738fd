//! Contacts: adding, changing, listing, deleting and restoring them.

mod changes;
mod listing;
mod rules;
mod timeline;
mod trash;
