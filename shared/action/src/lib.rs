//! What actions and views are written with: the traits, the context, reads, commits, keys, forms,
//! permissions and errors.
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
mod key;
mod membership;
mod operation;
mod reads;
mod sample;
mod session;
mod source;
mod stored;
mod views;

pub use access::{Access, Actor, Admins, Anyone, Members, Owners, Refusal, Role, Viewers};
pub use actions::{Action, Caller, FormPage, RateLimit, Scope};
pub use commits::{Commit, Grant, SessionChange, Subject, Unindexed};
pub use context::{Context, Layout, Seal};
pub use email_message::EmailMessage;
pub use error::ActionError;
pub use form::{FieldErrors, Form, FormState, Input, Invalid, TENANT_FIELD, is_unseen, trim};
pub use identity::{IdempotencyKey, InvalidId, TenantId, UserId, Version, is_uuid};
pub use key::{Entity, Key, Record};
pub use membership::{MembershipRecord, TenantRecord};
pub use operation::{Conflict, Expect, Operation};
pub use reads::{Filter, Found, Item, Query, Reads, Search};
pub use sample::{Encoding, Sample};
pub use session::{Generation, Session, SessionRecord};
pub use source::Source;
pub use views::{Asset, Download, View, ViewPage};
