//! The functions as Lambda runs them: their processes, their events, and what they may do on AWS.

mod bootstraps;
mod events;
mod generated;
mod privileges;
mod template;
