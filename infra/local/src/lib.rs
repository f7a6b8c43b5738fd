//! The local stack: the functions behind the routes of `template.yaml`, given the events that
//! Lambda gives, with an embedded DynamoDB, in one process.

mod answer;
mod body;
mod data_dir;
mod demo;
mod engine;
mod event;
mod functions;
mod gateway;
mod options;
mod refusal;
mod routes;
mod server;
mod stack;
mod template;

pub use data_dir::DataError;
pub use demo::{DemoError, EMAIL as DEMO_EMAIL, PASSWORD as DEMO_PASSWORD};
pub use engine::EngineError;
pub use functions::functions;
pub use gateway::UnknownFunction;
pub use options::Options;
pub use routes::Routes;
pub use stack::{Stack, StartError};
pub use template::{Template, TemplateError};

/// The SAM template of this repository.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");
