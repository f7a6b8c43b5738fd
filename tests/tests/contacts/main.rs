//! Contacts: create, update, list, search, delete and restore.

mod changes;
mod listing;
mod rules;
mod timeline;
mod trash;
