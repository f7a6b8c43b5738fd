//! The sample events, each fed to its function, so that none rots.

use action::{App, Function};
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

fn functions(app: &Arc<App>) -> Vec<Function> {
    [
        sign_up::function,
        sign_in::function,
        create_contact::function,
        list_contacts::function,
        get_contact::function,
        update_contact::function,
        site::function,
        delete_contact::function,
        sign_out::function,
    ]
    .map(|function| function(Arc::clone(app)))
    .into()
}

#[tokio::test]
async fn every_function_answers_its_sample_event() {
    let inside = Inside::start().await;
    let (mut session, mut contact) = (String::new(), String::new());
    for function in functions(&inside.app) {
        let answer = invoke(&function, &sample(function.name, &session, &contact)).await;
        assert!(
            (200..400).contains(&answer.status),
            "{}: {answer:?}",
            function.name
        );
        learn(&answer, &mut session, &mut contact);
    }
    assert!(
        inside.stored("acme:contacts").is_empty(),
        "what was created was deleted"
    );
    assert!(
        inside.stored("#session:").len() < 2,
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

#[tokio::test]
async fn there_is_one_sample_for_each_function() {
    let inside = Inside::start().await;
    let named: BTreeSet<_> = functions(&inside.app)
        .iter()
        .map(|function| format!("{}.json", function.name))
        .collect();
    let files: BTreeSet<_> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, named);
}
