//! Every function as the process that Lambda starts. It polls the runtime API for events.

use auth::Keys;
use edge_crm_tests::Table;
use edge_crm_tests::bootstrap::{Bootstrap, Environment, built, environment, with_variable};
use edge_crm_tests::inside::{Inside, KEY};
use edge_crm_tests::runtime_api::Outcome;
use edge_crm_tests::samples::{Samples, order};
use edge_crm_tests::tls::TlsFront;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::{Store, TableSettings};

/// A table for the functions' processes.
async fn table() -> Table {
    let table = Table::start().await;
    let store = Store::connect(TableSettings::local(table.url(), "edge-crm"));
    store.create_table_if_missing().await.unwrap();
    table
}

async fn start(function: &str, environment: Environment) -> Bootstrap {
    Bootstrap::start(&built().join(function), environment).await
}

fn reply(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Answer(reply) => reply,
        Outcome::Error(error) => panic!("an error: {error}"),
    }
}

/// A response without what differs from run to run: ids, times, random values.
fn essence(reply: &Value) -> (u64, Value, Vec<String>, String) {
    let mut headers = reply["headers"].clone();
    for value in headers.as_object_mut().into_iter().flatten() {
        *value.1 = json!(steady(value.1.as_str().unwrap_or_default()));
    }
    let cookies = reply["cookies"].as_array().into_iter().flatten();
    let cookies = cookies.map(|cookie| steady(cookie.as_str().unwrap()));
    let body = steady(reply["body"].as_str().unwrap_or_default());
    let status = reply["statusCode"].as_u64().unwrap();
    (status, headers, cookies.collect(), body)
}

/// The text without long words that contain a digit or a capital letter.
fn steady(text: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| in_word(c) != in_word(first));
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        // The colour of an avatar depends on the id.
        let varies = word.starts_with("tone-")
            || word.len() >= 16
                && word.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase());
        steady.push_str(if varies { "…" } else { word });
        rest = after;
    }
    steady
}

#[tokio::test]
async fn every_function_responds_like_the_one_in_this_process() {
    let (inside, table) = (Inside::start().await, table().await);
    let (mut here, mut there) = (Samples::default(), Samples::default());
    let keys = Keys::new(&KEY, None).unwrap();
    let functions = functions::runners(&inside.app);
    let mut left: BTreeSet<_> = functions.iter().map(|function| function.name()).collect();
    for name in order() {
        assert!(left.remove(name), "{name} is no function");
        let function = functions.iter().find(|f| f.name() == name).unwrap();
        inside.table.prepare_sample(name);
        table.prepare_sample(name);
        let event = here.event(name).to_string();
        let expected = function.invoke(event.as_bytes()).await;
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let process = start(name, environment(name, table.url())).await;
        let response = process.invoke(there.event(name).to_string()).await;
        let response = reply(response.outcome);
        assert_eq!(essence(&response), essence(&expected), "{name}");
        assert!(
            (200..400).contains(&essence(&response).0),
            "{name}: {response}"
        );
        here.learn(&expected);
        there.learn(&response);
        here.learn_email(&inside.table, &keys);
        there.learn_email(&table, &keys);
        let ended = process.stop();
        assert!(!ended.log.contains("\"level\":\"WARN\""), "{ended:?}");
    }
    let in_background = functions.iter().filter(|f| f.function().is_background());
    assert_eq!(left, in_background.map(|f| f.name()).collect());
}

#[tokio::test]
async fn a_background_function_drains_the_records_of_its_stream() {
    let table = table().await;
    let event = Samples::default().event("revalidate");
    let keys = &event["Records"][0]["dynamodb"]["Keys"];
    let key = |name: &str| keys[name]["S"].as_str().unwrap();
    let (due_at, id) = key("sk").split_once(':').unwrap();
    let due_at: i64 = due_at.parse().unwrap();
    let record =
        json!({ "id": id, "tags": ["acme:contacts"], "createdAt": due_at, "dueAt": due_at });
    table.put(key("pk"), key("sk"), &record);
    let process = start("revalidate", environment("revalidate", table.url())).await;
    let response = reply(process.invoke(event.to_string()).await.outcome);
    assert_eq!(
        response,
        json!({ "batchItemFailures": [], "drained": 1, "purged": 0 })
    );
    assert!(table.under("#outbox:").is_empty());
}

#[tokio::test]
async fn a_bad_event_is_an_error_and_the_process_continues() {
    let table = table().await;
    let functions = functions::runners(&Inside::start().await.app);
    for function in functions {
        let process = start(function.name(), environment(function.name(), table.url())).await;
        for junk in ["not JSON", "{}", "[1]", "\"\\u0000\"", ""] {
            let invocation = process.invoke(junk).await;
            let Outcome::Error(error) = invocation.outcome else {
                panic!("{} answered {junk:?}: {invocation:?}", function.name())
            };
            assert!(error["errorMessage"].is_string(), "{error}");
        }
        let event = Samples::default().event(function.name());
        reply(process.invoke(event.to_string()).await.outcome);
        let ended = process.stop();
        assert!(!ended.log.contains("panicked"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_signal_ends_a_function() {
    let table = table().await;
    let process = start("sign-out", environment("sign-out", table.url())).await;
    let event = Samples::default().event("sign-out");
    reply(process.invoke(event.to_string()).await.outcome);
    let ended = process.stop();
    assert!(!ended.log.contains("panicked"), "{ended:?}");
}

/// Each case has a secret that the message must not contain.
#[tokio::test]
async fn a_missing_or_wrong_variable_is_an_init_error_that_names_it() {
    let cases = [
        ("TABLE_NAME", None),
        ("AWS_ACCESS_KEY_ID", None),
        ("AWS_SECRET_ACCESS_KEY", None),
        ("SESSION_KEY", None),
        ("SESSION_KEY", Some("tooshort1234")),
        ("SECRETS", Some("tooshort1234")),
        (
            "SECRETS",
            Some("{{resolve:secretsmanager:an-arn:SecretString}}"),
        ),
        ("SECRETS_IN_USE", Some("C")),
        ("RATE_LIMIT_PER_USER", Some("many")),
        ("RATE_LIMIT_PER_IP", Some("-1")),
        ("BODY_LIMIT", Some("1 MiB")),
        ("REVALIDATION", Some("sometimes")),
        ("DYNAMODB_URL", Some("not a URL")),
        ("CLOUDFRONT_URL", Some("not a URL")),
        ("SES_URL", Some("not a URL")),
        ("AWS_CA_BUNDLE", Some("/nowhere/at/all.pem")),
    ];
    for (name, value) in cases {
        let given = environment("create-contact", "http://127.0.0.1:1");
        let secrets: Vec<_> = given
            .iter()
            .filter(|(name, _)| name.contains("SECRET") || name.contains("_KEY"))
            .map(|(_, secret)| secret.clone())
            .chain(["tooshort1234".to_owned()])
            .collect();
        let given = match name {
            "SECRETS_IN_USE" => with_variable(given, "SECRETS", Some(&"s".repeat(128))),
            _ => given,
        };
        let process = start("create-contact", with_variable(given, name, value)).await;
        let error = process.init_error().await;
        let ended = process.wait();
        let said = format!("{error} {}", ended.log);
        assert!(error.to_string().contains(name), "{name}: {said}");
        assert!(
            !ended.status.success() && !said.contains("panicked"),
            "{said}"
        );
        for secret in secrets {
            assert!(!said.contains(&secret), "{name}: {said}");
        }
    }
}

/// Every function gets the same environment and must refuse the same mistakes.
#[tokio::test]
async fn no_function_starts_without_its_key() {
    for function in functions::runners(&Inside::start().await.app) {
        let given = environment(function.name(), "http://127.0.0.1:1");
        let process = start(function.name(), with_variable(given, "SESSION_KEY", None)).await;
        let error = process.init_error().await;
        assert!(error["errorMessage"].to_string().contains("SESSION_KEY"));
        assert!(!process.wait().status.success());
    }
}

#[tokio::test]
async fn over_tls_a_function_trusts_only_aws_unless_it_is_configured() {
    let table = table().await;
    let front = TlsFront::start(table.url()).await;
    let authority = front.authority().display().to_string();
    for (bundle, status) in [(Some(authority.as_str()), 303), (None, 503)] {
        let given = with_variable(environment("sign-up", front.url()), "AWS_CA_BUNDLE", bundle);
        let process = start("sign-up", given).await;
        let event = Samples::default().event("sign-up");
        let response = reply(process.invoke(event.to_string()).await.outcome);
        assert_eq!(response["statusCode"], status, "{response}");
    }
}

/// A start does not wait for a database that does not respond.
#[tokio::test]
async fn without_a_database_a_function_starts_and_responds_with_an_error() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    for url in ["http://127.0.0.1:1", &url] {
        let process = start("pages", environment("pages", url)).await;
        let mut event = Samples::default().event("pages");
        event["rawPath"] = json!("/sign-in");
        let invocation = process.invoke(event.to_string()).await;
        assert!(invocation.took.as_secs() < 5, "{invocation:?}");
        assert_eq!(reply(invocation.outcome)["statusCode"], 200);
    }
}
