//! The command line.

use std::path::PathBuf;

/// What the local stack is asked to do.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "edge-crm",
    version,
    about = "Edge CRM on this machine, in one process"
)]
pub struct Options {
    /// Port to listen on, at 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// Directory that keeps the data and the signing key between runs
    #[arg(long, value_name = "DIR", default_value = ".data")]
    pub data: PathBuf,

    /// Keep nothing: data and signing key live in memory, and --data is not used
    #[arg(long)]
    pub memory: bool,

    /// Make an organisation with contacts, unless it is there, and print how to sign in
    #[arg(long)]
    pub demo: bool,

    /// Use this DynamoDB-compatible engine instead of the embedded one; any credentials must do
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub dynamodb_url: Option<String>,

    /// Actions a signed-in user may run in 60 seconds; 0 for no limit
    #[arg(long, value_name = "N", env = "RATE_LIMIT_PER_USER", value_parser = whole_number, default_value_t = 120)]
    pub rate_limit_per_user: u64,

    /// Actions an address may run in 60 seconds where nobody is signed in; 0 for no limit
    #[arg(long, value_name = "N", env = "RATE_LIMIT_PER_IP", value_parser = whole_number, default_value_t = 30)]
    pub rate_limit_per_ip: u64,
}

pub(crate) fn endpoint(text: &str) -> Result<String, &'static str> {
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("expected a URL such as http://127.0.0.1:8000"),
    }
}

fn whole_number(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(
        |_| "not a whole number (the option and the environment variable of its name take one)",
    )
}
