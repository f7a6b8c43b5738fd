//! People and their sessions: signing up, in and out, passwords, settings.

pub mod change_password;
pub mod end_session;
pub mod pages;
pub mod password_pages;
pub mod request_password_reset;
pub mod reset_password;
pub mod settings;
pub mod sign_in;
pub mod sign_out;
pub mod sign_out_everywhere;
pub mod sign_up;
pub mod switch_organization;
pub mod update_profile;

use wrapper::{Function, view};

/// The page of one's own settings.
pub const SETTINGS: Function = Function::views("settings", &[view::<settings::ShowSettings>()]);
