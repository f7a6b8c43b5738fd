//! The HTML of the product: every page as a function from data to a complete document, and the
//! stylesheet, script and icon that they share.
//!
//! A page that may be cached for many ([`contact_list`], [`contact_detail`]) is given a [`Chrome`]
//! and records, nothing else, so it cannot hold what belongs to one user. Every form works
//! without the script; the script only saves the round trip of a whole page.

mod account;
mod assets;
mod conflict;
mod contact_forms;
mod contacts;
mod form;
mod invitation;
mod layout;
mod letters;
mod mailbox;
mod members;
pub mod paths;
mod problem;

pub use account::{sign_in, sign_up};
pub use assets::{Asset, assets};
pub use commit::Chrome;
pub use contact_forms::{contact_delete, contact_edit, contact_new};
pub use contacts::{ContactList, contact_detail, contact_list};
pub use invitation::{Invited, accept_invite, invitation_closed};
pub use letters::{Letter, letter};
pub use mailbox::{Sent, mailbox};
pub use members::{MemberPage, member_edit, member_invite, member_leave, member_list};
pub use problem::problem;
