//! The local stack in one process: a caching edge with the routes of `template.yaml`, the functions,
//! which get the events that Lambda would pass, and an embedded DynamoDB.

mod body;
mod data_dir;
mod demo;
mod dynamodb;
mod edge;
mod event;
mod function_response;
mod host;
mod mailbox;
mod options;
mod rebuild;
mod refusal;
mod routes;
mod secret_path;
mod server;
mod stack;
mod target;
mod template;
mod ticker;
mod verify;

pub use self::edge::{
    Behavior, Counters, Distribution, DistributionSettings, Edge, EdgeError, Faults, FunctionOrigin,
};
pub use data_dir::DataError;
pub use demo::{DemoError, EMAIL as DEMO_EMAIL, PASSWORD as DEMO_PASSWORD};
pub use dynamodb::DynamoDbError;

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
