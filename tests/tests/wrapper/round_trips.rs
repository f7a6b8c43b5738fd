//! How many round trips to storage a request takes.

use edge_crm_tests::capacity::Spent;
use edge_crm_tests::inside::{Inside, config, event, invoke, no_edge};
use serde_json::{Value, json};
use std::sync::Arc;
use wrapper::Config;

/// Writes contacts of `acme` directly to the table, numbered by age.
fn import(inside: &Inside, count: usize) {
    for n in 0..count {
        let id = format!("0197a3b0-0000-7000-8000-{n:012x}");
        let at = "2026-01-05T00:00:00Z";
        let contact = json!({
            "id": id, "ownerId": id, "name": format!("Person {n}"), "email": format!("p{n}@example.com"),
            "company": null, "phone": null, "notes": null, "createdAt": at, "updatedAt": at, "version": 1,
        });
        inside.table.put("acme:contacts", &id, &contact);
    }
}

async fn search(inside: &Inside, cookie: &str, q: &str) -> Vec<Value> {
    let list = edge_crm_tests::runner(Arc::clone(&inside.app), "list-contacts");
    let mut request = event("GET", "/t/acme/contacts", cookie, "");
    request["rawQueryString"] = json!(format!("q={q}"));
    let response = invoke(&list, &request).await;
    assert_eq!(response.status, 200, "{response:?}");
    response.json["data"]["contacts"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_change_takes_two_round_trips() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    inside.proxy.calls();
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com", "idempotency_key": "k" });
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    let id = inside.post(&create, &cookie, &fields).await.json["data"]["id"].clone();
    assert_eq!(inside.proxy.calls(), ["BatchGetItem", "TransactWriteItems"]);
    let update = edge_crm_tests::runner(Arc::clone(&inside.app), "update-contact");
    let fields = json!({ "id": id, "version": 1, "name": "Zoë", "email": "z@example.com" });
    inside.post(&update, &cookie, &fields).await;
    assert_eq!(inside.proxy.calls(), ["BatchGetItem", "TransactWriteItems"]);
}

/// The write units of a change whose pages nobody is looking at, with which `docs/operations.md`
/// calculates.
#[tokio::test]
async fn a_new_contact_is_a_transaction_of_eight_items() {
    let inside = Inside::with(
        Config {
            rate_limit_per_user: 1_000,
            ..config()
        },
        no_edge(),
    )
    .await;
    let (cookie, _) = inside.sign_up("Acme").await;
    inside.proxy.spent();
    inside.proxy.writes();
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com", "idempotency_key": "k" });
    assert_eq!(inside.post(&create, &cookie, &fields).await.status, 200);
    let spent = inside.proxy.spent().into_iter();
    let writes: Vec<_> = spent
        .filter(Spent::is_write)
        .map(|call| call.units)
        .collect();
    // The counter; the transaction, with two units for the search index.
    assert_eq!(writes, [1.0, 16.0]);
    assert_eq!(inside.proxy.writes(), [8]);
}

#[tokio::test]
async fn a_refusal_takes_one_read_and_its_counter_and_a_replay_only_one_read() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com", "idempotency_key": "k" });
    inside.post(&create, &cookie, &fields).await;
    inside.proxy.calls();
    inside.post(&create, &cookie, &fields).await;
    assert_eq!(inside.proxy.calls(), ["BatchGetItem"]);
    inside.post(&create, &cookie, &json!({ "name": "" })).await;
    assert_eq!(inside.proxy.calls(), ["BatchGetItem", "UpdateItem"]);
    inside.post(&create, "", &json!({ "name": "" })).await;
    assert_eq!(inside.proxy.calls(), [""; 0], "no user is signed in");
}

/// Together with the same work on the password, this hides by the time whether an email exists.
#[tokio::test]
async fn a_wrong_email_takes_as_many_round_trips_as_a_wrong_password() {
    let inside = Inside::start().await;
    inside.sign_up("Acme").await;
    let account = inside.table.under("#account:").remove(0);
    let sign_in = edge_crm_tests::runner(Arc::clone(&inside.app), "sign-in");
    inside.proxy.calls();
    let mut calls = Vec::new();
    for email in [account.get("email"), json!("nobody@example.com")] {
        let fields = json!({ "email": email, "password": "a wrong password" });
        assert_eq!(inside.post(&sign_in, "", &fields).await.status, 401);
        calls.push(inside.proxy.calls());
    }
    assert_eq!(calls[0], ["BatchGetItem", "BatchGetItem", "UpdateItem"]);
    assert_eq!(calls[0], calls[1]);
}

#[tokio::test]
async fn a_search_stops_when_a_page_is_full_and_reads_everything_without_an_index() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    import(&inside, 2_200);
    let queries = || {
        inside
            .proxy
            .calls()
            .iter()
            .filter(|call| *call == "Query")
            .count()
    };
    queries();
    let found = search(&inside, &cookie, "person").await;
    // The newest, and what is not indexed.
    assert_eq!((found.len(), queries()), (50, 2));
    assert_eq!(found[0]["name"], "Person 2199", "the newest comes first");
    let found = search(&inside, &cookie, "%22person%200%22").await;
    assert_eq!(
        (found.len(), queries()),
        (1, 7),
        "the oldest of all is found"
    );
    assert_eq!(search(&inside, &cookie, "nobody").await.len(), 0);
}
