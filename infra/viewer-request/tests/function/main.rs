//! Tests of this repository's function and of the host that runs it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the values of the tests are valid"
)]

mod host;
mod key;
mod oracle;
mod property;
mod secrets;
mod support;
