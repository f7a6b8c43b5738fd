//! The list and the search as an organisation grows: how long they take, and what they ask of
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

/// Operations that are not measured, to begin with.
const WARM: usize = 3;

/// What is looked for: its name, the text, and of how many contacts in a hundred it is part.
pub const SEARCHES: [(&str, &str); 6] = [
    ("common word, in 30 %", seed::COMMON),
    ("common word, in 1 %", seed::SEEN),
    ("rare word, in 3 contacts", seed::RARE),
    ("no match", "xylophonist"),
    ("three letters", "ber"),
    ("two letters", "qu"),
];

/// One line of the table.
pub struct Row {
    pub operation: String,
    pub contacts: usize,
    pub times: Statistics,
    pub found: usize,
    /// The calls to DynamoDB of one operation, and the units that they consume.
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

/// Measures an organisation of each size. Each operation is measured `samples` times, or for as
/// long as `patience` lasts where that is less.
pub async fn run(sizes: &[usize], samples: usize, patience: Duration) -> Vec<Row> {
    let mut rows = Vec::new();
    for contacts in sizes {
        rows.extend(of_size(*contacts, samples, patience).await);
    }
    rows
}

/// The operations: what they are called, and what follows the path of the contacts.
async fn operations(session: &Session, wire: &mut Wire) -> Vec<(String, String)> {
    let first = ask(session, wire, "").await;
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
    let _how_it_ended_is_no_matter = product.stop();
    // The same data behind a proxy that counts; the product keeps its key in the same place.
    let table = Table::open(data.path()).await;
    let proxy = Proxy::start(table.url()).await;
    let product = behind(&proxy, data.path()).await;
    let mut wire = Wire::connect(product.address()).await;
    let mut rows = Vec::new();
    for ((operation, rest), (times, reply)) in operations.into_iter().zip(timed) {
        let spent = count(&session, &mut wire, &proxy, &rest).await;
        let all = |wanted: fn(&Spent) -> f64| spent.iter().map(wanted).sum::<f64>();
        rows.push(Row {
            operation,
            contacts,
            times,
            found: reply.json()["data"]["contacts"]
                .as_array()
                .expect("a list")
                .len(),
            requests: all(|_| 1.0),
            reads: all(|spent| if spent.is_write() { 0.0 } else { spent.units }),
            writes: all(|spent| if spent.is_write() { spent.units } else { 0.0 }),
        });
    }
    rows
}

/// Signs up an organisation in a new table, and stops the product again.
async fn organization(data: &Path) -> Session {
    let product = Launch::new().data(data).start();
    let session = Session::sign_up(&product, seed::TENANT).await;
    let _how_it_ended_is_no_matter = product.stop();
    session
}

/// Builds what searches need besides the contacts, which were stored past the product.
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

/// The product behind the proxy, which runs on this thread: the wait must be on another.
async fn behind(proxy: &Proxy, data: &Path) -> Product {
    let launch = Launch::new().data(data).argument("--dynamodb-url");
    let launch = launch.argument(&proxy.url);
    let started = tokio::task::spawn_blocking(|| launch.start());
    started.await.expect("the product")
}

async fn ask(session: &Session, wire: &mut Wire, rest: &str) -> Reply {
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
    let mut reply = ask(session, wire, rest).await;
    for _ in 1..WARM {
        if begin.elapsed() < patience {
            reply = ask(session, wire, rest).await;
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

/// The calls of one operation. What the engine says of a query must be what the rule says.
async fn count(session: &Session, wire: &mut Wire, proxy: &Proxy, rest: &str) -> Vec<Spent> {
    proxy.spent();
    ask(session, wire, rest).await;
    let mut spent = proxy.spent();
    spent.retain(|spent| !spent.is_sweep());
    for spent in &spent {
        let by_rule = spent.by_rule.unwrap_or(spent.units);
        let off = (by_rule - spent.units).abs();
        assert!(
            off <= 1.0 + spent.units / 50.0,
            "the engine says otherwise: {spent:?}"
        );
    }
    spent
}
