//! Members of an organisation: their actions, list and pages.

pub mod accept;
pub mod change_role;
pub mod invite;
pub mod list;
pub mod pages;
pub mod remove;

use wrapper::{Function, view};

/// The list of members.
pub const LIST: Function = Function::views("list-members", &[view::<list::ListMembers>()]);
