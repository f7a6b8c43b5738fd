//! The local stack: the functions behind the routes of `template.yaml`, given the events that
//! Lambda gives, with an embedded DynamoDB and a caching edge, in one process.

mod answer;
mod body;
mod data_dir;
mod demo;
mod edge;
mod engine;
mod event;
mod mailbox;
mod options;
mod rebuild;
mod refusal;
mod routes;
mod server;
mod stack;
mod target;
mod template;
mod ticker;
mod verify;

pub use self::edge::{
    Behavior, Counters, Distribution, DistributionSettings, Edge, EdgeError, Faults, Origin,
};
pub use data_dir::DataError;
pub use demo::{DemoError, EMAIL as DEMO_EMAIL, PASSWORD as DEMO_PASSWORD};
pub use engine::EngineError;

pub use mailbox::{MailFaults, Mailbox};
pub use options::Options;
pub use rebuild::{RebuildOptions, rebuild_search};
pub use routes::Routes;
pub use server::Server;
pub use stack::{Stack, StartError};
pub use target::{Target, TargetError};
pub use template::{Template, TemplateError};
pub use ticker::Ticker;
pub use verify::{Flaw, Report, Subject, VerifyOptions, verify_audit};

/// The SAM template of this repository.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");
