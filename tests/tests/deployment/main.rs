//! The functions as Lambda runs them: processes, events, and permissions on AWS.

mod bootstraps;
mod events;
mod generated;
mod privileges;
mod template;
