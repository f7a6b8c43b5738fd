//! The wrapper that runs every action and view.
//!
//! An [`Action`](action::Action) declares its input, its permission and what it reads, and implements
//! one pure function that returns a [`Commit`](action::Commit). Only this crate turns a request into a
//! call of that function, and its commit into one transaction and a response. So nobody can forget
//! the permission, the origin check, the rate limit, idempotency, the audit or revalidation. There is
//! no other way to define an action:
//!
//! ```
//! # use action::{Action, ActionError, Actor, Commit, Context, Empty, Found, Sample};
//! struct Careful;
//! impl Action for Careful {
//!     const NAME: &'static str = "careful";
//!     type Permission = action::Members;
//!     type Input = Empty;
//!     type Output = Empty;
//!     fn sample() -> Sample { Sample::json(serde_json::json!({})) }
//!     fn run(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Commit<Empty>, ActionError> {
//!         Err(ActionError::NotFound("There is nothing here"))
//!     }
//! }
//! ```
//!
//! An action without a permission does not compile:
//!
//! ```compile_fail,E0046
//! # use action::{Action, ActionError, Actor, Commit, Context, Empty, Found, Sample};
//! struct Forgetful;
//! impl Action for Forgetful {
//!     const NAME: &'static str = "forgetful";
//!     type Input = Empty;
//!     type Output = Empty;
//!     fn sample() -> Sample { Sample::json(serde_json::json!({})) }
//!     fn run(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Commit<Empty>, ActionError> {
//!         Err(ActionError::NotFound("There is nothing here"))
//!     }
//! }
//! ```

mod app;
mod error_page;
mod failure;
mod function;
mod http;
pub mod log;
mod purging;
mod reads;
mod run;
mod serve;
mod session;
mod view;

pub use app::{App, Config, ConfigError, ErrorPage, Log, Site, SwitchPage};
pub use failure::{Code, Failure};
pub use function::{Function, Route, Runner, ViewRoute, Work, view};
pub use lambda_runtime::Error;
pub use purging::Revalidation;
pub use run::audit::AuditRecord;
pub use run::chain::{AUDIT_HEAD, audit_hash};
pub use serve::serve;

/// The largest request body that Lambda accepts, in bytes.
pub const MAX_EVENT_BODY: usize = 6 << 20;
