//! Passes each sample event to its function, so that no sample becomes outdated.

use auth::Keys;
use edge_crm_tests::inside::{Inside, KEY};
use edge_crm_tests::samples::{Samples, directory, order};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

#[tokio::test]
async fn every_function_accepts_its_sample_event() {
    let inside = Inside::start().await;
    let mut samples = Samples::default();
    let functions = functions::runners(&inside.app);
    for name in order() {
        let function = functions
            .iter()
            .find(|function| function.name() == name)
            .unwrap();
        inside.table.prepare_sample(name);
        let event = samples.event(name).to_string();
        let reply = function.invoke(event.as_bytes()).await;
        let reply: Value = serde_json::from_slice(&reply).unwrap();
        let status = reply["statusCode"].as_u64().unwrap_or_default();
        assert!((200..400).contains(&status), "{name}: {reply}");
        samples.learn(&reply);
        samples.learn_email(&inside.table, &Keys::new(&KEY, None).unwrap());
    }
    assert_eq!(
        inside.table.under("acme:contacts").len(),
        1,
        "the deleted contact is restored"
    );
    assert_eq!(
        inside.table.audits("sign-out").len(),
        1,
        "the user is signed out"
    );
}

/// Its event comes from the table's stream, not from a browser.
#[tokio::test]
async fn the_sample_of_the_stream_is_drained() {
    let inside = Inside::start().await;
    let revalidate = edge_crm_tests::runner(Arc::clone(&inside.app), "revalidate");
    let event = Samples::default().event("revalidate");
    let keys = &event["Records"][0]["dynamodb"]["Keys"];
    let (pk, sk) = (
        keys["pk"]["S"].as_str().unwrap(),
        keys["sk"]["S"].as_str().unwrap(),
    );
    let (due_at, id) = sk.split_once(':').unwrap();
    let due_at: i64 = due_at.parse().unwrap();
    let record =
        json!({ "id": id, "tags": ["acme:contacts"], "createdAt": due_at, "dueAt": due_at });
    inside.table.put(pk, sk, &record);
    let response = revalidate.invoke(event.to_string().as_bytes()).await;
    let response: Value = serde_json::from_slice(&response).unwrap();
    assert_eq!(
        response,
        json!({ "batchItemFailures": [], "drained": 1, "purged": 0 })
    );
    assert!(inside.table.under("#outbox:").is_empty());
    let again = revalidate.invoke(event.to_string().as_bytes()).await;
    let again: Value = serde_json::from_slice(&again).unwrap();
    assert_eq!(again["drained"], 0, "a drained record is not drained again");
}

#[tokio::test]
async fn the_sample_of_an_email_is_delivered() {
    let inside = Inside::start().await;
    let deliver = edge_crm_tests::runner(Arc::clone(&inside.app), "deliver-mail");
    let event = Samples::default().event("deliver-mail");
    let keys = &event["Records"][0]["dynamodb"]["Keys"];
    let key = |name: &str| keys[name]["S"].as_str().unwrap();
    let (_, id) = key("sk").split_once(':').unwrap();
    let letter = json!({
        "id": id, "to": null, "template": "invite", "values": {}, "path": "/accept-invite",
        "purpose": "invite", "token": "", "origin": null, "attempts": 0, "dueAt": 0, "version": 1,
    });
    inside.table.put(key("pk"), key("sk"), &letter);
    let response = deliver.invoke(event.to_string().as_bytes()).await;
    let response: Value = serde_json::from_slice(&response).unwrap();
    assert_eq!(response, json!({ "batchItemFailures": [], "sent": 0 }));
    assert!(inside.table.under("#mail:").is_empty());
}

#[tokio::test]
async fn there_is_one_sample_for_each_function() {
    let inside = Inside::start().await;
    let named: BTreeSet<_> = functions::runners(&inside.app)
        .iter()
        .map(|function| format!("{}.json", function.name()))
        .collect();
    let files: BTreeSet<_> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, named);
}
