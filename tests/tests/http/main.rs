//! HTTP: responses to browsers without scripts, to the edge, and to requests that no client should send.

mod allowance;
mod bodies;
mod cached_views;
mod error_pages;
mod events_junk;
mod heads;
mod hosts;
mod origins;
mod plain_html;
mod plain_sign_in;
#[cfg(target_os = "linux")]
mod ports;
mod protocol;
mod quiet_commits;
