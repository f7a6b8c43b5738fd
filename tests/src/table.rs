//! The product's table, in this process, where a test can look into it.

use crate::TableAudit;
use crate::dynamodb_local::Namespace;
use dynoxide::Database;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
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
    /// The item as its type has it: without its keys and the head of its audit.
    #[must_use]
    pub fn item(&self) -> Map<String, Value> {
        let mut item = self.whole();
        item.remove(wrapper::AUDIT_HEAD);
        item
    }

    /// The item without its keys.
    #[must_use]
    pub fn whole(&self) -> Map<String, Value> {
        serde_json::from_str(&self.text).expect("written by us")
    }

    /// One attribute; null where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Value {
        self.whole().remove(name).unwrap_or_default()
    }
}

/// A DynamoDB, in memory unless [opened](Table::open), served over HTTP until this is dropped: the
/// embedded engine, or DynamoDB Local if `EDGE_CRM_DYNAMODB_LOCAL` says where it is.
pub struct Table {
    engine: Engine,
    url: String,
}

/// What a table is stored in.
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
    /// Starts one; the product makes the table in it.
    pub async fn start() -> Self {
        if let Some(namespace) = Namespace::new() {
            return Self {
                url: namespace.url().to_owned(),
                engine: Engine::DynamoDbLocal(namespace),
            };
        }
        Self::serve(Database::memory().expect("an engine")).await
    }

    /// The data that the local stack keeps in this directory, which it may be using.
    ///
    /// # Panics
    /// Where there are none.
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

    /// Makes a call of DynamoDB's API past the product.
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

    /// Where it is served.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that is stored, in order.
    #[must_use]
    pub fn dump(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut from = Value::Null;
        loop {
            let mut request = json!({ "TableName": NAME, "ConsistentRead": true });
            if !from.is_null() {
                request["ExclusiveStartKey"] = from;
            }
            let mut answer = self.call("Scan", request);
            records.extend(items(&mut answer));
            match answer["LastEvaluatedKey"].take() {
                Value::Null => break,
                key => from = key,
            }
        }
        records.sort();
        records
    }

    /// What a request that does nothing leaves as it was: everything but the counters of rate
    /// limits and of refusals, which count such requests too, the marks of what the edge may have
    /// kept, and the search index with what waits for it, which is brought up to date at any time.
    #[must_use]
    pub fn saved(&self) -> Vec<Record> {
        self.dump()
            .into_iter()
            .filter(|record| {
                let uncounted = |kind| !record.pk.starts_with(kind);
                ["#rate:", "#refused:", "#mark:", "#search:", "#unindexed:"]
                    .into_iter()
                    .all(uncounted)
            })
            .collect()
    }

    /// The records whose partition key begins so, such as `acme:contacts` or `#audit:acme`.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Vec<Record> {
        self.dump()
            .into_iter()
            .filter(|record| record.pk.starts_with(prefix))
            .collect()
    }

    /// The records that still wait to be seen to: those of the outbox and letters.
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

    /// One page of what is stored under exactly this partition key.
    fn partition(&self, pk: &str) -> Vec<Record> {
        let request = json!({
            "TableName": NAME, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
        });
        items(&mut self.call("Query", request)).collect()
    }

    /// The audit records of one action.
    #[must_use]
    pub fn audits(&self, action: &str) -> Vec<Record> {
        let mut records = self.under("#audit:");
        records.retain(|record| record.get("action") == action);
        records
    }

    /// The table, as a command is told of it.
    #[must_use]
    pub fn target(&self) -> edge_crm_local::Target {
        edge_crm_local::Target {
            data: "nowhere".into(),
            dynamodb_url: Some(self.url.clone()),
            aws: false,
        }
    }

    /// What does not hold between the items, and with the chains of audit records.
    ///
    /// # Panics
    /// Where the table cannot be read.
    pub async fn audit(&self) -> TableAudit {
        let mut audit = TableAudit::of(&self.dump());
        audit.flaws.extend(self.broken_chains().await);
        audit
    }

    /// What is wrong with the chains of audit records, in words; nothing where all are intact.
    ///
    /// # Panics
    /// Where the table cannot be read.
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

    /// The letters that wait to be sent, in the order in which they were written.
    #[must_use]
    pub fn letters(&self) -> Vec<Record> {
        let mut letters = self.under("#mail:");
        letters.sort_by(|a, b| a.sk.cmp(&b.sk));
        letters
    }

    /// Writes an item past the product.
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

    /// Makes whoever has the account of `email` a member of the organisation `tenant` too, past the
    /// product.
    pub fn belong(&self, email: &str, tenant: &str, role: &str) {
        let account = self.under(&format!("#account:{email}")).remove(0);
        let name = self
            .under(&format!("#tenant:{tenant}"))
            .remove(0)
            .get("name");
        let user = account.get("id");
        let member = json!({
            "id": user, "name": account.get("name"), "email": account.get("email"), "role": role,
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "version": 1,
        });
        let user = user.as_str().expect("an id");
        self.put(&format!("{tenant}:members"), user, &member);
        let mut item = Value::Object(account.item());
        let there = json!({ "tenant": tenant, "name": name });
        item["organizations"]
            .as_array_mut()
            .expect("a list")
            .push(there);
        self.put(&account.pk, &account.sk, &item);
    }

    /// Makes it hold these records and no others, past the product.
    pub fn restore(&self, records: &[Record]) {
        let now = self.dump();
        let at = |record: &Record| (record.pk.clone(), record.sk.clone());
        let wanted: BTreeSet<_> = records.iter().map(at).collect();
        for record in now.iter().filter(|record| !wanted.contains(&at(record))) {
            self.remove(&record.pk, &record.sk);
        }
        // What a dump gives is in order.
        for record in records {
            if now.binary_search(record).is_err() {
                self.put(&record.pk, &record.sk, &Value::Object(record.whole()));
            }
        }
    }

    /// Makes something that waits to be seen to, such as a letter, due now.
    ///
    /// # Panics
    /// Where it is nothing of the kind.
    pub fn bring_forward(&self, record: &Record) {
        let id = record.sk.split(':').next_back().expect("an id");
        let mut item = record.whole();
        item.insert("dueAt".to_owned(), json!(1));
        self.remove(&record.pk, &record.sk);
        let sk = format!("{:013}:{id}", 1);
        self.put(&record.pk, &sk, &Value::Object(item));
    }

    /// Removes an item past the product.
    pub fn remove(&self, pk: &str, sk: &str) {
        let request = json!({ "TableName": NAME, "Key": { "pk": { "S": pk }, "sk": { "S": sk } } });
        self.call("DeleteItem", request);
    }
}

/// A call to the embedded engine, with its request and response as JSON.
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

/// DynamoDB's JSON as plain JSON.
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

/// Plain JSON as DynamoDB's.
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
