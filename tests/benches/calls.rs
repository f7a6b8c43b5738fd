//! Counts what an operation costs: its calls to DynamoDB, in order, and their write and read units. A
//! cancelled transaction is billed too, but the engines do not report its units.
//!
//! ```sh
//! cargo bench --bench calls                       # on the embedded engine
//! EDGE_CRM_DYNAMODB_LOCAL=http://127.0.0.1:8000 cargo bench --bench calls   # on DynamoDB Local
//! ```

use edge_crm_tests::capacity::Spent;
use edge_crm_tests::inside::{
    Inside, ORIGIN_SECRET, UNHURRIED, config, edge, invoke, through_edge,
};
use serde_json::{Value, json};
use std::sync::Arc;
use wrapper::Config;

/// An organisation behind the edge, whose operations are counted.
struct Counted {
    inside: Inside,
    cookie: String,
    id: Value,
    version: u64,
}

impl Counted {
    async fn action(&mut self, action: &str, fields: Value) -> Value {
        let function = edge_crm_tests::runner(Arc::clone(&self.inside.app), action);
        let response = self.inside.post(&function, &self.cookie, &fields).await;
        response.json["data"].clone()
    }

    async fn create(&mut self, key: &str) {
        let email = format!("{key}@example.com");
        let fields = json!({ "name": "Zoë", "email": email, "idempotency_key": key });
        self.id = self.action("create-contact", fields).await["id"].clone();
        self.version = 1;
    }

    async fn update(&mut self, key: &str) {
        let fields = json!({
            "id": self.id, "version": self.version, "name": "Zoë", "email": format!("{key}@example.com"),
            "idempotency_key": key,
        });
        self.action("update-contact", fields).await;
        self.version += 1;
    }

    /// Gets the list, with the key that a cached page has, or with another one.
    async fn list(&self, key: &str) {
        let list = edge_crm_tests::runner(Arc::clone(&self.inside.app), "list-contacts");
        let event = through_edge("/t/acme/contacts", &self.cookie, "text/html", key);
        let response = invoke(&list, &event).await;
        assert_eq!(response.status, 200, "{response:?}");
    }

    /// Prints what was spent since the last call of this method.
    fn row(&self, name: &str) {
        let spent = self.inside.proxy.spent();
        let calls = self.inside.proxy.calls();
        let units = |write: bool| -> f64 {
            let of_kind = spent.iter().filter(|call| call.is_write() == write);
            of_kind.map(|call: &Spent| call.units).sum::<f64>() + 0.0
        };
        println!(
            "| {name} | {} | {} | {} | {} |",
            calls.len(),
            calls.join(", "),
            units(true),
            units(false)
        );
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (_distribution, client) = edge().await;
    let config = Config {
        origin_secrets: vec![ORIGIN_SECRET.to_owned()],
        inline_purge_timeout: UNHURRIED.operation,
        rate_limit_per_user: 100_000,
        ..config()
    };
    let inside = Inside::with(config, client).await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let mut acme = Counted {
        inside,
        cookie,
        id: Value::Null,
        version: 0,
    };
    acme.create("warm").await;
    acme.inside.proxy.spent();
    acme.inside.proxy.calls();
    println!("| operation | calls | which | write units | read units |");
    println!("|---|---:|---|---:|---:|");
    acme.create("a").await;
    acme.row("create-contact, no page cached");
    acme.create("a").await;
    acme.row("create-contact, a replay");
    acme.update("b").await;
    acme.row("update-contact, no page cached");
    acme.list("a-request-id").await;
    acme.row("list, not cacheable");
    acme.list("acme|owner|html|").await;
    acme.row("list, cacheable, the first time");
    acme.list("acme|owner|html|").await;
    acme.row("list, cacheable, again");
    acme.create("c").await;
    acme.row("create-contact, the list cached");
    acme.list("acme|owner|html|").await;
    acme.row("list, cacheable, after a purge");
    acme.update("d").await;
    acme.row("update-contact, the list cached");
    let id = acme.id.clone();
    acme.action("delete-contact", json!({ "id": id })).await;
    acme.row("delete-contact, no page cached");
    acme.create("").await;
    acme.row("a refusal, 400");
}
