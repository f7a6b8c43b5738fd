//! The function of this repository, and the host that runs it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test makes up is valid"
)]

mod host;
mod key;
mod oracle;
mod property;
mod support;
