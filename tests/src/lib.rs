//! What the tests share: the product as a process, the functions within the test's own process, the
//! table behind either, and a client that calls the product as a browser does.
//!
//! A test that checks what is stored starts its own [`Table`] and lets the product use it:
//!
//! ```no_run
//! # async fn example() {
//! let (product, table) = edge_crm_tests::product_with_table().await;
//! let acme = product.sign_up("Acme").await;
//! acme.create("Ada", "ada@example.com").await;
//! assert_eq!(table.under("acme:contacts").len(), 1);
//! # }
//! ```

mod answer;
mod client;
mod direct;
mod dynamodb_local;
mod letters;
mod product;
mod raw;
mod table;
mod table_audit;
mod table_setup;

pub use answer::{Answer, hidden};
pub use client::{Client, Exchange};
pub use direct::{Direct, event};
pub use letters::Letter;
pub use product::{Ended, Launch, Product, Scratch, verify_audit};
pub use raw::raw;
pub use table::{Record, Table};
pub use table_audit::TableAudit;

/// Starts a product with a table that the test can read.
pub async fn product_with_table() -> (Product, Table) {
    let table = Table::start().await;
    let product = Launch::new().table(&table).start();
    (product, table)
}

/// The function with this name, as a runner over `app`.
///
/// # Panics
/// If there is no such function.
#[must_use]
pub fn runner(app: std::sync::Arc<wrapper::App>, name: &str) -> wrapper::Runner {
    let function = functions::named(name);
    wrapper::Runner::new(
        app,
        function.unwrap_or_else(|| panic!("no function {name}")),
    )
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| elapsed.as_secs().cast_signed())
}

/// Waits for the next minute if less than `seconds` are left of this one. Rate limits count by the
/// minute, so a test that counts requests must not cross into the next one.
pub async fn within_a_minute(seconds: i64) {
    let left = 60 - now() % 60;
    if left < seconds {
        tokio::time::sleep(std::time::Duration::from_secs(left.unsigned_abs() + 1)).await;
    }
}

pub mod bootstrap;
pub mod building;
pub mod capacity;
pub mod fault;
pub mod hostile;
pub mod inside;
pub mod people;
pub mod prepared;
pub mod runtime_api;
pub mod samples;
pub mod statistics;
pub mod tls;
pub mod usage;
pub mod wire;
pub mod world;

/// The examples in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
