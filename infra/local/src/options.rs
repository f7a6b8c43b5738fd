//! The command line.

use std::path::PathBuf;

/// The options of the local stack.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "edge-crm",
    version,
    about = "Edge CRM on this machine, in one process"
)]
pub struct Options {
    /// Port to listen on, at 127.0.0.1; 0 for any free port
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// Directory that keeps the data and the signing key between runs
    #[arg(long, value_name = "DIR", default_value = ".data")]
    pub data: PathBuf,

    /// Keep the data and the signing key in memory only, and ignore --data
    #[arg(long)]
    pub memory: bool,

    /// Create an organisation with contacts unless it exists, and print how to sign in
    #[arg(long)]
    pub demo: bool,

    /// Use this DynamoDB-compatible engine instead of the embedded one; it must accept any credentials
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub dynamodb_url: Option<String>,

    /// Actions a signed-in user may run in 60 seconds; 0 for no limit
    #[arg(long, value_name = "N", env = "RATE_LIMIT_PER_USER", value_parser = whole_number, default_value_t = 120)]
    pub rate_limit_per_user: u64,

    /// Actions that an IP address may run in 60 seconds without a signed-in user; 0 for no limit
    #[arg(long, value_name = "N", env = "RATE_LIMIT_PER_IP", value_parser = whole_number, default_value_t = 30)]
    pub rate_limit_per_ip: u64,

    /// Seconds without a change after which a page may be cached
    #[arg(long, value_name = "SECONDS", env = "QUIET_TIME", value_parser = whole_number, default_value_t = 60)]
    pub quiet_time: u64,

    /// Purges of the cache in a month; 0 to cache no page
    #[arg(long, value_name = "N", env = "PURGE_BUDGET", value_parser = whole_number, default_value_t = 1000)]
    pub purge_budget: u64,
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
        |_| "expected a whole number, in the option or in the environment variable of the same name",
    )
}
