//! What actions and views are written with: the traits, the context, inputs, reads, commits, keys,
//! forms, permissions and errors.
//!
//! This crate knows nothing about AWS, HTTP or the domain. An action is a pure function that returns
//! a [`Commit`]. The `wrapper` crate calls it, and the `store` crate writes the commit as one
//! transaction.

mod access;
mod actions;
mod commits;
mod context;
mod email_message;
mod error;
mod form;
mod identity;
pub mod input;
mod key;
mod membership;
mod operation;
mod reads;
mod sample;
mod secrets;
mod session;
mod session_change;
mod source;
mod stored;
mod subject;
mod views;

pub use access::{
    Access, Actor, Admins, Anyone, InvalidRole, Members, Owners, Refusal, Role, Viewers,
};
pub use actions::{Action, Caller, RateLimit, Scope};
pub use commits::{Commit, Unindexed};
pub use context::{Context, Layout, Seal};
pub use email_message::EmailMessage;
pub use error::ActionError;
pub use form::{FieldErrors, Form, FormPage, FormState, TENANT_FIELD, USER_FIELD};
pub use identity::{IdempotencyKey, InvalidId, InvalidVersion, TenantId, UserId, Version, is_uuid};
pub use input::{
    Empty, Input, Lines, Parsed, Secret, Text, field_errors, lenient, optional, visible,
    visible_lines,
};
pub use key::{Entity, Key, Record};
pub use membership::{MembershipRecord, TenantRecord};
pub use operation::{Conflict, Expect, Operation};
pub use reads::{Filter, Found, Item, Query, RangeItems, Reads, Search, Words, cut_page};
pub use sample::{Encoding, Sample};
/// For [`uuid_id!`].
#[doc(hidden)]
pub use schemars;
pub use secrets::{SecretRules, Secrets, secret_fields};
pub use session::{Generation, Session, SessionRecord};
pub use session_change::{Grant, SessionChange};
pub use source::Source;
pub use subject::Subject;
pub use views::{Asset, Download, OtherOrganization, View, ViewPage};
