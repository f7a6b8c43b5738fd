//! The function of this repository, and the host that runs it.

mod host;
mod key;
mod oracle;
mod property;
mod support;
