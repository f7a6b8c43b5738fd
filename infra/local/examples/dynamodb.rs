//! Runs only the embedded DynamoDB, in memory, and creates the table: for functions that run outside
//! the local stack, for example under `cargo lambda watch`.
//!
//! `cargo run -p edge-crm-local --example dynamodb -- 8000` prints its URL when it is ready. It
//! accepts any credentials. The table is `edge-crm`. While it runs, the scripts of any web page can read
//! and change the table, so use it for test data only.

use dynoxide::Database;
use std::error::Error;
use std::io::{self, Write};
use store::{Store, TableSettings};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = match std::env::args().nth(1) {
        Some(port) => port.parse()?,
        None => 0,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let database = Database::memory()?;
    let server = tokio::spawn(dynoxide::server::serve_on(listener, database));
    let store = Store::connect(TableSettings::local(&url, "edge-crm"));
    store.create_table_if_missing().await?;
    writeln!(io::stdout(), "DynamoDB is ready on {url}")?;
    server.await?;
    Ok(())
}
