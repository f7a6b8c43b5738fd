//! What an action or a view is written against: the traits [`Action`] and [`View`], inputs,
//! commits, reads, keys and the tags derived from them, permissions and errors.
//!
//! This crate knows no AWS, no HTTP and no word of the domain. Actions are pure functions that
//! return a [`Commit`]; the `wrapper` crate runs them and the `store` crate writes the result as
//! one transaction.

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
mod operation;
mod reads;
mod sample;
mod secrets;
mod session;
mod views;

pub use access::{
    Access, Actor, Admins, Anyone, InvalidRole, Members, Owners, Refusal, Role, Viewers,
};
pub use actions::{Action, Caller, RateLimit, Scope};
pub use commits::{Commit, Grant, SessionChange, Subject, Unindexed};
pub use context::{Context, Layout, Seal};
pub use email_message::EmailMessage;
pub use error::ActionError;
pub use form::{FieldErrors, Form, FormPage, FormState, TENANT_FIELD};
pub use identity::{IdempotencyKey, InvalidId, InvalidVersion, TenantId, UserId, Version, is_uuid};
pub use input::{
    Empty, Input, Lines, Parsed, Secret, Text, field_errors, lenient, optional, visible,
    visible_lines,
};
pub use key::{Entity, Key, Record};
pub use operation::{Conflict, Expect, Operation};
pub use reads::{Filter, Found, Item, Query, Reads, Search};
pub use sample::{Encoding, Sample};
/// For [`uuid_id!`].
#[doc(hidden)]
pub use schemars;
pub use secrets::{SecretRules, Secrets, secret_fields};
pub use session::Session;
pub use views::{Asset, Download, View, ViewPage};
