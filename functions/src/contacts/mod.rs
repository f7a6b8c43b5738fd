//! Contacts: their actions, list, pages and trash.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod pages;
pub mod restore;
pub mod trash;
pub mod update;

use wrapper::{Function, view};

/// The list of contacts.
pub const LIST: Function = Function::views("list-contacts", &[view::<list::ListContacts>()]);

/// The page of one contact.
pub const GET: Function = Function::views("get-contact", &[view::<get::GetContact>()]);
