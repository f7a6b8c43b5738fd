//! Projects: their actions, list and pages.

pub mod archive;
pub mod create;
pub mod list;
pub mod pages;
pub mod rename;
pub mod restore;

use wrapper::{Function, view};

/// The list of projects.
pub const LIST: Function = Function::views("list-projects", &[view::<list::ListProjects>()]);
