//! The product's table, served from this process, so that a test can read and change it directly.

use crate::TableAudit;
use crate::dynamodb_local::Namespace;
use dynoxide::Database;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const NAME: &str = "edge-crm";

/// One stored item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
    /// The rest, as JSON text, so that records compare and sort.
    text: String,
}

impl Record {
    /// The item's own attributes: without its keys and its audit head.
    #[must_use]
    pub fn item(&self) -> Map<String, Value> {
        let mut item = self.whole();
        item.remove(wrapper::AUDIT_HEAD);
        item
    }

    /// All attributes but the keys.
    #[must_use]
    pub fn whole(&self) -> Map<String, Value> {
        serde_json::from_str(&self.text).expect("written by us")
    }

    /// One attribute. Null if there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Value {
        self.whole().remove(name).unwrap_or_default()
    }
}

/// A DynamoDB that is served over HTTP until drop. It is the embedded engine, or DynamoDB Local if
/// `EDGE_CRM_DYNAMODB_LOCAL` has its URL. Its data is in memory unless it is [opened](Table::open).
pub struct Table {
    engine: Engine,
    url: String,
}

/// The engine behind a table.
enum Engine {
    Embedded {
        database: Database,
        server: JoinHandle<()>,
    },
    DynamoDbLocal(Namespace),
}

impl Drop for Table {
    fn drop(&mut self) {
        if let Engine::Embedded { server, .. } = &self.engine {
            server.abort();
        }
    }
}

impl Table {
    /// Starts an empty DynamoDB, in which the product creates its table.
    pub async fn start() -> Self {
        if let Some(namespace) = Namespace::new() {
            return Self {
                url: namespace.url().to_owned(),
                engine: Engine::DynamoDbLocal(namespace),
            };
        }
        Self::serve(Database::memory().expect("an engine")).await
    }

    /// Opens the data that the local stack keeps in this directory, even while it is running.
    ///
    /// # Panics
    /// If the directory has no data.
    pub async fn open(data: &Path) -> Self {
        let file = data.join("dynamodb.sqlite");
        assert!(file.is_file(), "there is no {}", file.display());
        let name = file.to_str().expect("a path in UTF-8");
        Self::serve(Database::new(name).expect("a database")).await
    }

    async fn serve(database: Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        Self {
            engine: Engine::Embedded { database, server },
            url,
        }
    }

    /// Calls DynamoDB's API directly.
    fn call(&self, operation: &str, request: Value) -> Value {
        let database = match &self.engine {
            Engine::DynamoDbLocal(namespace) => return namespace.call(operation, &request),
            Engine::Embedded { database, .. } => database,
        };
        let called = match operation {
            "DeleteItem" => call(request, |request| database.delete_item(request)),
            "PutItem" => call(request, |request| database.put_item(request)),
            "Query" => call(request, |request| database.query(request)),
            "Scan" => call(request, |request| database.scan(request)),
            other => panic!("no call: {other}"),
        };
        called.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// The URL at which it is served.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All records, in order.
    #[must_use]
    pub fn dump(&self) -> Vec<Record> {
        let request = json!({ "TableName": NAME, "ConsistentRead": true });
        let mut records = self.all_pages("Scan", &request);
        records.sort();
        records
    }

    fn all_pages(&self, operation: &str, request: &Value) -> Vec<Record> {
        let (mut records, mut request) = (Vec::new(), request.clone());
        loop {
            let mut answer = self.call(operation, request.clone());
            records.extend(items(&mut answer));
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return records,
                key => request["ExclusiveStartKey"] = key,
            }
        }
    }

    /// The records that a request without effect leaves unchanged. Leaves out the counters of rate
    /// limits and refusals, which count such requests too, what views write so that pages may be cached, and what a
    /// background function changes at any time: the search index and its queue, and the emails that ask
    /// new users to confirm their address.
    #[must_use]
    pub fn saved(&self) -> Vec<Record> {
        self.dump()
            .into_iter()
            .filter(|record| {
                let is_not = |kind| !record.pk.starts_with(kind);
                let of_views = ["#mark:", "#purges:", "#edge:purges"].into_iter();
                let others = ["#rate:", "#refused:", "#search:", "#unindexed:"].into_iter();
                of_views.chain(others).all(is_not) && record.get("template") != "confirm-email"
            })
            .collect()
    }

    /// The records whose partition key starts with `prefix`, such as `acme:contacts` or `#audit:acme`.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Vec<Record> {
        self.dump()
            .into_iter()
            .filter(|record| record.pk.starts_with(prefix))
            .collect()
    }

    /// The records of pending work: the outbox, and emails to send.
    #[must_use]
    pub fn waiting(&self) -> Vec<Record> {
        let mut waiting = Vec::new();
        for shard in 0..16 {
            for kind in ["outbox", "mail"] {
                waiting.extend(self.partition(&format!("#{kind}:{shard:x}")));
            }
        }
        waiting
    }

    /// Waits until all pending work is done.
    ///
    /// # Panics
    /// If some is left after two minutes.
    pub async fn settled(&self) {
        let late = Instant::now() + Duration::from_secs(120);
        while !self.waiting().is_empty() {
            assert!(Instant::now() < late, "{:?} are left", self.waiting());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The first page of the records with exactly this partition key.
    fn partition(&self, pk: &str) -> Vec<Record> {
        items(&mut self.call("Query", of_partition(pk))).collect()
    }

    /// The records of entities that the search index does not have yet.
    #[must_use]
    pub fn unindexed(&self) -> Vec<Record> {
        (0..16)
            .map(|shard| of_partition(&format!("#unindexed:{shard:x}")))
            .flat_map(|request| self.all_pages("Query", &request))
            .collect()
    }

    /// The audit records of one action.
    #[must_use]
    pub fn audits(&self, action: &str) -> Vec<Record> {
        let mut records = self.under("#audit:");
        records.retain(|record| record.get("action") == action);
        records
    }

    /// The table as the target of a command.
    #[must_use]
    pub fn target(&self) -> edge_crm_local::Target {
        edge_crm_local::Target {
            data: "nowhere".into(),
            dynamodb_url: Some(self.url.clone()),
            aws: false,
        }
    }

    /// Audits the whole table, including the chains of audit records.
    ///
    /// # Panics
    /// If the table cannot be read.
    pub async fn audit(&self) -> TableAudit {
        let mut audit = TableAudit::of(&self.dump());
        audit.flaws.extend(self.broken_chains().await);
        audit
    }

    /// Describes what is wrong with the chains of audit records. Empty if all are intact.
    ///
    /// # Panics
    /// If the table cannot be read.
    pub async fn broken_chains(&self) -> Vec<String> {
        let options = edge_crm_local::VerifyOptions {
            target: self.target(),
            tenant: None,
        };
        let report = edge_crm_local::verify_audit(&options).await;
        let flaws = report.expect("a table").flaws;
        flaws
            .iter()
            .map(|(subject, flaw)| format!("{subject}: {flaw}"))
            .collect()
    }

    /// The idempotency records of one action.
    #[must_use]
    pub fn results(&self, action: &str) -> Vec<Record> {
        let mut records = self.under("#idempotency:");
        records.retain(|record| record.pk.contains(&format!(":{action}:")));
        records
    }

    /// The emails to send, in the order in which they were written.
    #[must_use]
    pub fn emails(&self) -> Vec<Record> {
        let mut emails = self.under("#mail:");
        emails.sort_by(|a, b| a.sk.cmp(&b.sk));
        emails
    }

    /// Writes an item directly.
    pub fn put(&self, pk: &str, sk: &str, item: &Value) {
        let Value::Object(mut attributes) = item.clone() else {
            panic!("not an object: {item}")
        };
        attributes.extend([("pk".to_owned(), json!(pk)), ("sk".to_owned(), json!(sk))]);
        let attributes: Map<_, _> = attributes
            .into_iter()
            .map(|(name, value)| (name, tagged(&value)))
            .collect();
        let request = json!({ "TableName": NAME, "Item": attributes });
        self.call("PutItem", request);
    }

    /// Replaces all records with these, directly.
    pub fn restore(&self, records: &[Record]) {
        let now = self.dump();
        let at = |record: &Record| (record.pk.clone(), record.sk.clone());
        let wanted: BTreeSet<_> = records.iter().map(at).collect();
        for record in now.iter().filter(|record| !wanted.contains(&at(record))) {
            self.remove(&record.pk, &record.sk);
        }
        // A dump is sorted.
        for record in records {
            if now.binary_search(record).is_err() {
                self.put(&record.pk, &record.sk, &Value::Object(record.whole()));
            }
        }
    }

    /// Removes an item directly.
    pub fn remove(&self, pk: &str, sk: &str) {
        let request = json!({ "TableName": NAME, "Key": { "pk": { "S": pk }, "sk": { "S": sk } } });
        self.call("DeleteItem", request);
    }
}

/// The query of a partition.
fn of_partition(pk: &str) -> Value {
    json!({
        "TableName": NAME, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": pk } },
    })
}

/// Calls the embedded engine with a request in JSON. Returns the response as JSON.
fn call<I: DeserializeOwned, O: Serialize, E: Display>(
    request: Value,
    operation: impl FnOnce(I) -> Result<O, E>,
) -> Result<Value, String> {
    let request = serde_json::from_value(request).expect("a request");
    let output = operation(request).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(output).expect("a response"))
}

/// Takes the items out of a response.
fn items(response: &mut Value) -> impl Iterator<Item = Record> + use<> {
    let items = match response["Items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    items.into_iter().map(record)
}

fn record(item: Value) -> Record {
    let Value::Object(item) = item else {
        panic!("no item: {item}")
    };
    let mut item: Map<_, _> = item
        .into_iter()
        .map(|(name, value)| (name, plain(value)))
        .collect();
    let mut key = |name| {
        item.remove(name)
            .and_then(|key| Some(key.as_str()?.to_owned()))
            .expect("a key")
    };
    let (pk, sk) = (key("pk"), key("sk"));
    Record {
        pk,
        sk,
        text: Value::Object(item).to_string(),
    }
}

/// Converts DynamoDB's JSON to plain JSON.
fn plain(value: Value) -> Value {
    let Value::Object(value) = value else {
        panic!("no attribute: {value}")
    };
    let (tag, value) = value.into_iter().next().expect("a type");
    match (tag.as_str(), value) {
        ("S" | "BOOL", value) => value,
        ("N", number) => serde_json::from_str(number.as_str().expect("digits")).expect("a number"),
        ("NULL", _) => Value::Null,
        ("NS", Value::Array(numbers)) => numbers
            .iter()
            .map(|number| {
                serde_json::from_str::<Value>(number.as_str().expect("digits")).expect("a number")
            })
            .collect(),
        ("L", Value::Array(list)) => list.into_iter().map(plain).collect(),
        ("M", Value::Object(map)) => Value::Object(
            map.into_iter()
                .map(|(name, value)| (name, plain(value)))
                .collect(),
        ),
        (tag, value) => panic!("{tag}: {value} is not stored by the product"),
    }
}

/// Converts plain JSON to DynamoDB's.
fn tagged(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(value) => json!({ "BOOL": value }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(list) => json!({ "L": list.iter().map(tagged).collect::<Vec<_>>() }),
        Value::Object(map) => {
            json!({ "M": map.iter().map(|(name, value)| (name.clone(), tagged(value))).collect::<Map<_, _>>() })
        }
    }
}
