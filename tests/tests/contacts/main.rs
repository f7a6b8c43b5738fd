//! Contacts: create, update, list, search, delete and restore.

mod changes;
mod listing;
mod phones;
mod rules;
mod timeline;
mod trash;
mod unseen;
mod without_email;
mod words;
