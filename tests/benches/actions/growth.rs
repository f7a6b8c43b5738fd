//! Measures the list and the search in organisations of growing size: their time, and their calls to
//! DynamoDB.

use crate::drive::millis;
use crate::seed;
use crate::session::Session;
use edge_crm_local::{RebuildOptions, Target, rebuild_search};
use edge_crm_tests::capacity::Spent;
use edge_crm_tests::fault::Proxy;
use edge_crm_tests::statistics::Statistics;
use edge_crm_tests::wire::{Reply, Wire};
use edge_crm_tests::{Launch, Product, Scratch, Table};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// The number of operations to run before the measurement.
const WARM: usize = 3;

/// The searches: a name, and the text to search for.
pub const SEARCHES: [(&str, &str); 6] = [
    ("common word, in 30 %", seed::COMMON),
    ("common word, in 1 %", seed::UNCOMMON),
    ("rare word, in 3 contacts", seed::RARE),
    ("no match", "xylophonist"),
    ("three letters", "ber"),
    ("two letters", "qu"),
];

/// A row of the results.
pub struct Row {
    pub operation: String,
    pub contacts: usize,
    pub times: Statistics,
    pub found: usize,
    /// The number of calls to DynamoDB in one operation, and the units that they consume.
    pub requests: f64,
    pub reads: f64,
    pub writes: f64,
}

impl Row {
    pub fn json(&self) -> Value {
        let mut json = self.times.json();
        json["operation"] = json!(self.operation);
        json["contacts"] = json!(self.contacts);
        json["found"] = json!(self.found);
        json["requests"] = json!(self.requests);
        json["readUnits"] = json!(self.reads);
        json["writeUnits"] = json!(self.writes);
        json
    }
}

/// Measures an organisation of each size. Measures each operation `samples` times, but no longer than
/// `patience`.
pub async fn run(sizes: &[usize], samples: usize, patience: Duration) -> Vec<Row> {
    let mut rows = Vec::new();
    for contacts in sizes {
        rows.extend(of_size(*contacts, samples, patience).await);
    }
    rows
}

/// The operations: the name of each, and what follows the path of the contacts.
async fn operations(session: &Session, wire: &mut Wire) -> Vec<(String, String)> {
    let first = get(session, wire, "").await;
    let next = first.json()["data"]["next"]
        .as_str()
        .expect("a second page")
        .to_owned();
    let pages = [
        ("list, first page".to_owned(), String::new()),
        ("list, second page".to_owned(), format!("?after={next}")),
    ];
    let searches = SEARCHES.map(|(name, q)| (format!("search, {name}"), format!("?q={q}")));
    pages.into_iter().chain(searches).collect()
}

async fn of_size(contacts: usize, samples: usize, patience: Duration) -> Vec<Row> {
    let data = Scratch::new();
    let (session, begin) = (organization(data.path()).await, Instant::now());
    seed::fill(data.path(), contacts);
    build_index(data.path()).await;
    eprintln!("{contacts} contacts were stored in {:?}", begin.elapsed());
    let product = Launch::new().data(data.path()).start();
    let mut wire = Wire::connect(product.address()).await;
    let operations = operations(&session, &mut wire).await;
    let mut timed = Vec::new();
    for (name, rest) in &operations {
        let (times, reply) = time(&session, &mut wire, rest, samples, patience).await;
        eprintln!(
            "{contacts} contacts, {name}: {:.2} ms",
            millis(times.median)
        );
        timed.push((times, reply));
    }
    let _output = product.stop();
    // Now the same data behind a proxy that counts the calls. The product still finds its signing key in
    // the data directory.
    let table = Table::open(data.path()).await;
    let proxy = Proxy::start(table.url()).await;
    let product = behind(&proxy, data.path()).await;
    let mut wire = Wire::connect(product.address()).await;
    let mut rows = Vec::new();
    for ((operation, rest), (times, reply)) in operations.into_iter().zip(timed) {
        let spent = count(&session, &mut wire, &proxy, &rest).await;
        let sum = |of: fn(&Spent) -> f64| spent.iter().map(of).sum::<f64>();
        rows.push(Row {
            operation,
            contacts,
            times,
            found: reply.json()["data"]["contacts"]
                .as_array()
                .expect("a list")
                .len(),
            requests: sum(|_| 1.0),
            reads: sum(|spent| if spent.is_write() { 0.0 } else { spent.units }),
            writes: sum(|spent| if spent.is_write() { spent.units } else { 0.0 }),
        });
    }
    rows
}

/// Signs up an organisation in a new table, then stops the product.
async fn organization(data: &Path) -> Session {
    let product = Launch::new().data(data).start();
    let session = Session::sign_up(&product, seed::TENANT).await;
    let _output = product.stop();
    session
}

/// Builds the search index, because the contacts were written directly to the table.
async fn build_index(data: &Path) {
    let options = RebuildOptions {
        target: Target {
            data: data.to_owned(),
            dynamodb_url: None,
            aws: false,
        },
        tenant: None,
    };
    let built = rebuild_search(&options).await.expect("a table");
    assert!(built.iter().all(|(_, built)| built.is_some()), "{built:?}");
}

/// Starts the product behind the proxy. The proxy runs on this thread, so the wait must be on another.
async fn behind(proxy: &Proxy, data: &Path) -> Product {
    let launch = Launch::new().data(data).argument("--dynamodb-url");
    let launch = launch.argument(&proxy.url);
    let started = tokio::task::spawn_blocking(|| launch.start());
    started.await.expect("the product")
}

async fn get(session: &Session, wire: &mut Wire, rest: &str) -> Reply {
    let mut requests = session.views([rest.to_owned()], true);
    let reply = wire.send(requests.remove(0)).await;
    assert!(reply.status == 200 && !reply.is_hit(), "{rest}: {reply:?}");
    reply
}

async fn time(
    session: &Session,
    wire: &mut Wire,
    rest: &str,
    samples: usize,
    patience: Duration,
) -> (Statistics, Reply) {
    let begin = Instant::now();
    let mut reply = get(session, wire, rest).await;
    for _ in 1..WARM {
        if begin.elapsed() < patience {
            reply = get(session, wire, rest).await;
        }
    }
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < samples && (times.is_empty() || begin.elapsed() < patience) {
        let mut requests = session.views([rest.to_owned()], true);
        let sent = Instant::now();
        reply = wire.send(requests.remove(0)).await;
        times.push(sent.elapsed());
        assert!(reply.status == 200 && !reply.is_hit(), "{rest}: {reply:?}");
    }
    (Statistics::of(times), reply)
}

/// Returns the calls of one operation. Asserts that the engine reports the units that the rule gives.
async fn count(session: &Session, wire: &mut Wire, proxy: &Proxy, rest: &str) -> Vec<Spent> {
    proxy.spent();
    get(session, wire, rest).await;
    let mut spent = proxy.spent();
    spent.retain(|spent| !spent.is_sweep());
    for spent in &spent {
        let by_rule = spent.by_rule.unwrap_or(spent.units);
        let off = (by_rule - spent.units).abs();
        assert!(
            off <= 1.0 + spent.units / 50.0,
            "the engine reports other units than the rule: {spent:?}"
        );
    }
    spent
}
