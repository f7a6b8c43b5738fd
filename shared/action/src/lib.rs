//! The wrapper that every action and view runs in.
//!
//! An [`Action`] declares its input, its permission and what it reads, and implements one pure
//! function that returns a [`commit::Commit`]. Only this crate turns a request into that call and
//! its result into one transaction and one answer, so authorisation, origin check, rate limit,
//! idempotency, audit and revalidation cannot be forgotten. There is no other way to define an
//! action:
//!
//! ```
//! # use action::{Action, FormPage};
//! # use commit::{ActionError, Actor, Chrome, Commit, Context, Found};
//! struct Careful;
//! impl Action for Careful {
//!     const NAME: &'static str = "careful";
//!     type Permission = commit::Members;
//!     type Input = ();
//!     type Output = ();
//!     fn run(_: &Context<Actor>, _: &(), _: &Found) -> Result<Commit<()>, ActionError> {
//!         Err(ActionError::NotFound("There is nothing here"))
//!     }
//!     fn next(_: Option<&Chrome>, _: &(), _: &()) -> String { "/".to_owned() }
//!     fn form(_: &FormPage<'_>) -> String { String::new() }
//! }
//! ```
//!
//! The same without its permission does not compile:
//!
//! ```compile_fail,E0046
//! # use action::{Action, FormPage};
//! # use commit::{ActionError, Actor, Chrome, Commit, Context, Found};
//! struct Forgetful;
//! impl Action for Forgetful {
//!     const NAME: &'static str = "forgetful";
//!     type Input = ();
//!     type Output = ();
//!     fn run(_: &Context<Actor>, _: &(), _: &Found) -> Result<Commit<()>, ActionError> {
//!         Err(ActionError::NotFound("There is nothing here"))
//!     }
//!     fn next(_: Option<&Chrome>, _: &(), _: &()) -> String { "/".to_owned() }
//!     fn form(_: &FormPage<'_>) -> String { String::new() }
//! }
//! ```

mod answer;
mod app;
mod audit;
mod body;
mod call;
mod chain;
mod contract;
mod deliver;
mod drain;
mod event;
mod failure;
mod fresh;
mod function;
mod gather;
mod idempotency;
mod index;
mod json;
mod limit;
mod log;
mod mail;
mod marks;
mod negotiate;
mod origin;
mod perform;
mod refused;
mod render;
mod reply;
mod revalidate;
mod serve;
mod session;
mod show;
mod trust;
mod urlencoded;

pub use app::{App, Config, ConfigError, Log, ProblemPage, Revalidation};
pub use audit::AuditRecord;
pub use chain::{AUDIT_HEAD, audit_hash};
pub use contract::{Action, Caller, Download, FormPage, Letters, RateLimit, Scope, View, ViewPage};
pub use event::MAX_EVENT_BODY;
pub use failure::{Code, Failure};
pub use function::{Asset, Entry, Function};
pub use lambda_runtime::Error;
pub use reply::Reply;
pub use serve::serve;
