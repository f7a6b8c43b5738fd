//! Events that HTTP cannot transport, and random requests, passed directly to the functions. Each gets
//! a response that is not a 5xx, and nothing broken is written.

use edge_crm_tests::{Direct, Table, event};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

const FUNCTIONS: [&str; 9] = [
    "create-contact",
    "update-contact",
    "delete-contact",
    "sign-in",
    "sign-up",
    "sign-out",
    "get-contact",
    "list-contacts",
    "pages",
];

struct Scene {
    direct: Direct,
    table: Table,
    member: String,
}

impl Scene {
    async fn new() -> Self {
        let table = Table::start().await;
        let direct = Direct::new(&table).await;
        let member = direct.member(&table, "acme", action::Role::Owner);
        Self {
            direct,
            table,
            member,
        }
    }

    /// Runs an action as a member, with this body.
    async fn post(
        &self,
        action: &str,
        headers: &[(&str, &str)],
        body: &str,
        is_base64: bool,
    ) -> Value {
        let mut event = event(headers, body);
        event["isBase64Encoded"] = json!(is_base64);
        event["cookies"] = json!([self.member]);
        self.direct.invoke(action, &event).await
    }
}

fn status(response: &Value) -> u64 {
    response["statusCode"].as_u64().expect("a status")
}

/// Checks what is true of every response.
fn check(response: &Value) -> Result<(), TestCaseError> {
    let status = status(response);
    prop_assert!((200..500).contains(&status), "{response}");
    for header in [
        "x-request-id",
        "x-frame-options",
        "content-security-policy",
        "strict-transport-security",
    ] {
        prop_assert!(
            response["headers"][header].is_string(),
            "{header}: {response}"
        );
    }
    for (name, value) in response["headers"].as_object().expect("headers") {
        let value = value.as_str().expect("text");
        prop_assert!(!value.contains(['\r', '\n', '\0']), "{name}: {value:?}");
    }
    if response["headers"]["content-type"] == "application/json" && response["body"] != "" {
        let body: Value =
            serde_json::from_str(response["body"].as_str().expect("a body")).expect("JSON");
        prop_assert_eq!(body["ok"] == true, status < 400);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_invalid_base64_is_unreadable() {
    let scene = Scene::new().await;
    let before = scene.table.saved();
    for body in [
        "%%%",
        "A",
        "AAA",
        "AA=A",
        "====",
        "bmFtZT1BZGE",
        "bmFtZT1BZGE\n=",
        "é",
        "\u{0}",
        "bmFtZQ==x",
    ] {
        let response = scene.post("create-contact", &[], body, true).await;
        assert_eq!(status(&response), 400, "{body}: {response}");
        assert!(response["body"].as_str().unwrap().contains("BAD_REQUEST"));
    }
    // The size limit applies to base64 too, valid or not.
    for body in ["QUFB".repeat(349_526), "!".repeat(3_000_000)] {
        assert_eq!(
            status(&scene.post("create-contact", &[], &body, true).await),
            413
        );
    }
    assert_eq!(
        status(
            &scene
                .post("create-contact", &[], &"a".repeat((1 << 20) + 1), false)
                .await
        ),
        413
    );
    assert_eq!(scene.table.saved(), before);
    // name=Ada&email=a@b.c
    let response = scene
        .post("create-contact", &[], "bmFtZT1BZGEmZW1haWw9YUBiLmM=", true)
        .await;
    assert_eq!(status(&response), 200, "{response}");
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_but_an_event_is_refused() {
    let scene = Scene::new().await;
    let before = scene.table.saved();
    let deep = "[".repeat(200_000);
    let payloads: [&[u8]; 14] = [
        b"",
        b"null",
        b"{}",
        b"[]",
        b"1",
        b"\"x\"",
        b"{",
        b"\xff",
        deep.as_bytes(),
        br#"{"requestContext":{}}"#,
        br#"{"requestContext":{"http":{}}}"#,
        br#"{"requestContext":{"http":{"method":1}}}"#,
        br#"{"requestContext":{"http":{"method":"POST"}},"headers":[]}"#,
        br#"{"requestContext":{"http":{"method":"POST"}},"body":{}}"#,
    ];
    for function in FUNCTIONS {
        for payload in payloads {
            let response = scene.direct.invoke_bytes(function, payload).await;
            let response: Value = serde_json::from_slice(&response).expect("a response");
            assert_eq!(
                status(&response),
                400,
                "{}",
                String::from_utf8_lossy(&payload[..payload.len().min(99)])
            );
        }
    }
    assert_eq!(scene.table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_almost_empty_or_nonsensical_event_gets_a_response() {
    let scene = Scene::new().await;
    let before = scene.table.saved();
    for function in FUNCTIONS {
        for method in ["", "POST", "GET", "post", "é\n", "HEAD"] {
            for path in [
                "",
                "/",
                "no slash",
                "/t/acme/contacts",
                "/\r\nx: y",
                "/t/\u{202e}/contacts",
                "\\",
                "/t/acme/contacts/é",
            ] {
                let event = json!({
                    "rawPath": path, "rawQueryString": "%&=é\n", "headers": { "COOKIE": scene.member, "X": "\r\n" },
                    "cookies": ["", "=", "__Host-session"], "body": null,
                    "requestContext": { "http": { "method": method }, "requestId": "a\r\nb" },
                });
                let response = scene.direct.invoke(function, &event).await;
                check(&response)
                    .unwrap_or_else(|error| panic!("{function} {method:?} {path:?}: {error}"));
            }
        }
    }
    assert_eq!(scene.table.saved(), before);
}

/// Text that is sometimes what a parser expects and sometimes arbitrary.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        ".{0,20}",
        "[a-z]{1,8}@[a-z]{1,8}\\.example",
        "[ \\t\\r\\n]{0,4}",
        "1|0|-1|1e9|null|true",
        "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("name".to_owned()),
        Just("email".to_owned()),
        Just("id".to_owned()),
        Just("version".to_owned()),
        Just("idempotency_key".to_owned()),
        Just("password".to_owned()),
        Just("q".to_owned()),
        text(),
    ]
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// A content type and a body that often match.
fn body() -> impl Strategy<Value = (String, Vec<u8>)> {
    let pairs = || vec((name(), text()), 0..8);
    let form = pairs().prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
            .collect();
        (
            "application/x-www-form-urlencoded".to_owned(),
            pairs.join("&").into_bytes(),
        )
    });
    let json = pairs().prop_map(|pairs| {
        let pairs: serde_json::Map<_, _> = pairs
            .into_iter()
            .map(|(name, value)| (name, json!(value)))
            .collect();
        (
            "application/json".to_owned(),
            json!(pairs).to_string().into_bytes(),
        )
    });
    let multipart = pairs().prop_map(|pairs| {
        let part = |(name, value): &(String, String)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let parts: String = pairs.iter().map(part).collect();
        (
            "multipart/form-data; boundary=b".to_owned(),
            format!("{parts}--b--").into_bytes(),
        )
    });
    let kind = prop_oneof![
        Just("application/x-www-form-urlencoded".to_owned()),
        Just("application/json".to_owned()),
        Just("multipart/form-data; boundary=b".to_owned()),
        "\\PC{0,30}",
        "[a-z]{1,9}/[a-z]{1,9}(;[a-z=\"]{0,12})?",
    ];
    let bytes = (
        kind,
        prop_oneof![
            vec(any::<u8>(), 0..300),
            "[%&=+{}\\[\\]\",:\\-b\r\n0-9a-f]{0,200}".prop_map(String::into_bytes)
        ],
    );
    prop_oneof![form, json, multipart, bytes]
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

/// A random request to a function.
fn request() -> impl Strategy<Value = (&'static str, Value)> {
    let header = prop_oneof![
        Just("accept"),
        Just("idempotency-key"),
        Just("origin"),
        Just("sec-fetch-site"),
        Just("content-encoding"),
        Just("cookie"),
        Just("x-crm-domain"),
    ];
    let value = prop_oneof![
        text(),
        Just("application/json".to_owned()),
        Just("text/html".to_owned()),
        Just("same-origin".to_owned()),
    ];
    let path = prop_oneof![
        Just("/".to_owned()),
        Just("/t/acme/contacts".to_owned()),
        Just("/t/acme/contacts/new".to_owned()),
        Just("/sign-in".to_owned()),
        text().prop_map(|text| format!("/t/acme/contacts/{text}")),
        text(),
    ];
    let query = prop_oneof![
        text(),
        (name(), text()).prop_map(|(name, value)| format!("{name}={value}&return_to=/{value}"))
    ];
    let method =
        prop_oneof![4 => Just("POST".to_owned()), 3 => Just("GET".to_owned()), 1 => "[A-Z]{0,7}"];
    let parts = (
        proptest::sample::select(&FUNCTIONS),
        method,
        path,
        query,
        body(),
        vec((header, value), 0..4),
        any::<bool>(),
    );
    parts.prop_map(
        |(function, method, path, query, (content_type, body), headers, signed_in)| {
            let mut event = event(&[("content-type", &content_type)], &base64(&body));
            for (name, value) in headers {
                event["headers"][name] = json!(value);
            }
            event["isBase64Encoded"] = json!(true);
            event["rawPath"] = json!(path);
            event["rawQueryString"] = json!(query);
            event["requestContext"]["http"]["method"] = json!(method);
            event["signedIn"] = json!(signed_in);
            (function, event)
        },
    )
}

#[test]
fn no_random_request_gets_a_5xx() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let scene = runtime.block_on(Scene::new());
    let mut runner = TestRunner::new(Config {
        cases: 1_500,
        failure_persistence: None,
        ..Config::default()
    });
    let answered = runner.run(&request(), |(function, mut event)| {
        if event["signedIn"] == true {
            event["cookies"] = json!([scene.member]);
        }
        check(&runtime.block_on(scene.direct.invoke(function, &event)))
    });
    answered.unwrap_or_else(|error| panic!("{error}"));
    // Random requests may create contacts. Each of them is whole.
    for record in scene.table.under("acme:contacts") {
        assert!(
            record.get("name").is_string() && record.get("email").is_string(),
            "{record:?}"
        );
    }
    assert_eq!(
        scene.table.under("acme:contacts").len(),
        scene.table.under("#guard:acme:contacts").len()
    );
}
