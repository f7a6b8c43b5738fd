//! The sample events, each fed to its function, so that none rots.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge_crm_tests::inside::{Answer, Inside, invoke};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// The event of that function, with a live session and contact in the places kept for them.
fn sample(name: &str, session: &str, contact: &str) -> Value {
    let path = directory().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut event: Value = serde_json::from_str(&filled(&text, session, contact)).unwrap();
    if event["isBase64Encoded"] == true {
        let body = STANDARD.decode(event["body"].as_str().unwrap()).unwrap();
        event["body"] =
            json!(STANDARD.encode(filled(&String::from_utf8(body).unwrap(), session, contact)));
    }
    event
}

fn filled(text: &str, session: &str, contact: &str) -> String {
    text.replace("{{session}}", session)
        .replace("{{contact}}", contact)
}

/// The functions in an order in which each finds what it needs.
const ORDER: [&str; 9] = [
    "sign-up",
    "sign-in",
    "create-contact",
    "list-contacts",
    "get-contact",
    "update-contact",
    "pages",
    "delete-contact",
    "sign-out",
];

#[tokio::test]
async fn every_function_answers_its_sample_event() {
    let inside = Inside::start().await;
    let (mut session, mut contact) = (String::new(), String::new());
    let functions = edge_crm_local::functions(&inside.app);
    for name in ORDER {
        let function = functions
            .iter()
            .find(|function| function.name == name)
            .unwrap();
        let answer = invoke(function, &sample(name, &session, &contact)).await;
        assert!((200..400).contains(&answer.status), "{name}: {answer:?}");
        learn(&answer, &mut session, &mut contact);
    }
    assert!(
        inside.table.under("acme:contacts").is_empty(),
        "what was created was deleted"
    );
    assert!(
        inside.table.under("#session:").len() == 1,
        "who signed out is signed out"
    );
}

/// Later samples use the session and the contact that earlier ones made.
fn learn(answer: &Answer, session: &mut String, contact: &mut String) {
    if let Some((_, token)) = answer.session().split_once('=')
        && !token.is_empty()
    {
        *session = token.to_owned();
    }
    if let Some(id) = answer.json["data"]["id"].as_str() {
        *contact = id.to_owned();
    }
}

/// It answers a stream, not a browser.
#[tokio::test]
async fn the_sample_of_a_stream_is_drained() {
    let inside = Inside::start().await;
    let revalidate = revalidate::function(Arc::clone(&inside.app));
    let event = sample("revalidate", "", "");
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
    let answer = revalidate.invoke(event.to_string().as_bytes()).await;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        answer,
        json!({ "batchItemFailures": [], "drained": 1, "purged": 0 })
    );
    assert!(inside.table.under("#outbox:").is_empty());
    let again = revalidate.invoke(event.to_string().as_bytes()).await;
    let again: Value = serde_json::from_slice(&again).unwrap();
    assert_eq!(again["drained"], 0, "what is gone has been seen to");
}

#[tokio::test]
async fn there_is_one_sample_for_each_function() {
    let inside = Inside::start().await;
    let named: BTreeSet<_> = edge_crm_local::functions(&inside.app)
        .iter()
        .map(|function| format!("{}.json", function.name))
        .collect();
    let files: BTreeSet<_> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, named);
}
