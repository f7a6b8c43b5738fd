//! The HTML of the product. Every page is a function from data to a complete document. The
//! stylesheet, the script and the icon that all pages share are here too.
//!
//! A page that a shared cache may store ([`contact_list`], [`contact_detail`], [`project_list`],
//! [`member_list`]) takes a [`Layout`] and records, and nothing about the signed-in user. Every
//! form works without the script, which only saves loading a whole page.

mod account;
mod account_forms;
mod assets;
mod audit;
mod avatar;
mod conflict;
mod contact_forms;
mod contacts;
mod dates;
mod emails;
mod fields;
mod form;
mod history;
mod invitation;
mod layout;
mod mailbox;
mod members;
pub mod paths;
mod problem;
mod projects;
mod settings;
mod switch;
mod trash;

pub use account::{forgot_password, reset_link_expired, reset_password, sign_in, sign_up};
pub use account_forms::{
    AccountForm, account_form, confirm_email, confirmation_link_closed, new_organization,
};
pub use action::Layout;
pub use assets::assets;
pub use audit::{AuditFilter, AuditLine, AuditLog, AuditRow, RefusedRow, audit};
pub use contact_forms::{contact_delete, contact_edit, contact_new};
pub use contacts::{ContactList, contact_detail, contact_list};
pub use emails::{EmailContent, email};
pub use invitation::{Invited, accept_invite, invitation_closed};
pub use mailbox::{SentEmail, mailbox};
pub use members::{
    ListedMember, MemberPage, fresh_invitation, member_edit, member_invite, member_leave,
    member_list,
};
pub use problem::problem;
pub use projects::{
    ProjectList, project, project_archive, project_edit, project_list, project_new, project_restore,
};
pub use settings::{SettingsForm, settings};
pub use switch::switch;
pub use trash::{DeletedContact, contact_restore, trash};
