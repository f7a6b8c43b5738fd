//! What the wrapper does for every request, whatever the action does.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Empty, Form, FormPage, Found, Layout,
    Members, Sample,
};
use edge_crm_tests::fault::Faults;
use edge_crm_tests::inside::{Inside, config, event, invoke, no_edge};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::{Store, TableSettings};
use wrapper::{App, Runner};

/// An action that panics with a secret message.
struct Explode;

static RUNS: AtomicU64 = AtomicU64::new(0);

impl Action for Explode {
    const NAME: &'static str = "explode";
    type Permission = Anyone;
    type Input = Empty;
    type Output = ();

    fn sample() -> Sample {
        Sample::json(json!({}))
    }

    fn run(_: &Context<Option<Actor>>, _: &Empty, _: &Found) -> Result<Commit<()>, ActionError> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        panic!("the secret detail at 10.0.0.1");
    }
}

impl Form for Explode {
    fn success_path(_: Option<&Layout>, _: &Empty, (): &()) -> String {
        "/".to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        page.state.error.clone().unwrap_or_default()
    }
}

/// An action that finds corrupt data.
struct Corrupt;

impl Action for Corrupt {
    const NAME: &'static str = "corrupt";
    type Permission = Members;
    type Input = Empty;
    type Output = ();

    fn sample() -> Sample {
        Sample::json(json!({}))
    }

    fn run(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Commit<()>, ActionError> {
        Err(ActionError::Internal("row 17 of table secrets".to_owned()))
    }
}

impl Form for Corrupt {
    fn success_path(_: Option<&Layout>, _: &Empty, (): &()) -> String {
        "/".to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        page.state.error.clone().unwrap_or_default()
    }
}

async fn contact(inside: &Inside, cookie: &str, fields: Value) -> edge_crm_tests::inside::Answer {
    inside
        .post(
            &edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact"),
            cookie,
            &fields,
        )
        .await
}

#[tokio::test]
async fn a_panic_is_a_500_with_a_request_id_and_nothing_else() {
    let inside = Inside::start().await;
    let explode = Runner::new(
        Arc::clone(&inside.app),
        wrapper::Function::action::<Explode>(),
    );
    let mut request = event("POST", "/actions/explode", "", "{}");
    let response = invoke(&explode, &request).await;
    assert_eq!(response.status, 500);
    assert_eq!(
        response.json,
        json!({
            "ok": false, "code": "UNKNOWN", "error": "Something went wrong on our side. Please try again.",
            "fieldErrors": {}, "requestId": response.headers["x-request-id"],
        })
    );
    request["headers"]["accept"] = json!("text/html");
    request["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
    request["body"] = json!("");
    let page = invoke(&explode, &request).await;
    assert_eq!(page.status, 500);
    assert!(
        !page.text.contains("secret") && !page.text.contains(".rs"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_refused_origin_runs_nothing() {
    let inside = Inside::start().await;
    let explode = Runner::new(
        Arc::clone(&inside.app),
        wrapper::Function::action::<Explode>(),
    );
    let mut request = event("POST", "/actions/explode", "", "{}");
    request["headers"]["sec-fetch-site"] = json!("cross-site");
    request["headers"]["origin"] = json!("https://crm.example.evil.example");
    let before = RUNS.load(Ordering::SeqCst);
    // Not even the body is read.
    request["body"] = json!("not json");
    assert_eq!(invoke(&explode, &request).await.status, 403);
    assert_eq!(RUNS.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn an_internal_error_does_not_reveal_its_cause() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let response = inside
        .post(
            &Runner::new(
                Arc::clone(&inside.app),
                wrapper::Function::action::<Corrupt>(),
            ),
            &cookie,
            &json!({}),
        )
        .await;
    assert_eq!(
        (response.status, &response.json["code"]),
        (500, &json!("UNKNOWN"))
    );
    assert!(!response.text.contains("row 17"), "{}", response.text);
}

#[tokio::test]
async fn a_lost_response_to_the_commit_is_still_a_success() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    inside.proxy.make(Faults {
        lost_answer: 100,
        ..Faults::default()
    });
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com", "idempotency_key": "k" });
    let response = contact(&inside, &cookie, fields).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(inside.table.under("acme:contacts").len(), 1);
    assert!(inside.proxy.made.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn endless_contention_is_a_503_and_writes_nothing() {
    let inside = Inside::start().await;
    inside.proxy.make(Faults {
        contention: 100,
        ..Faults::default()
    });
    let sign_up = edge_crm_tests::runner(Arc::clone(&inside.app), "sign-up");
    let fields = json!({
        "name": "Ada", "email": "ada@example.com", "password": "correct horse", "organization": "Acme",
    });
    let response = inside.post(&sign_up, "", &fields).await;
    assert_eq!(
        (response.status, &response.json["code"]),
        (503, &json!("DATABASE_ERROR"))
    );
    assert!(inside.table.under("").is_empty());
}

#[tokio::test]
async fn a_missing_database_is_a_503_and_a_hanging_one_a_504() {
    let hangs = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = format!("http://{}", hangs.local_addr().unwrap());
    for (url, status, code) in [
        ("http://127.0.0.1:1", 503, "DATABASE_ERROR"),
        (hanging.as_str(), 504, "NETWORK_ERROR"),
    ] {
        let store = Store::connect(TableSettings::local(url, "edge-crm"));
        let function = edge_crm_tests::runner(
            App::new(store, no_edge(), config(), functions::SITE),
            "sign-in",
        );
        let body = json!({ "email": "ada@example.com", "password": "correct horse" }).to_string();
        let response = invoke(&function, &event("POST", "/actions/sign-in", "", &body)).await;
        assert_eq!(
            (response.status, &response.json["code"]),
            (status, &json!(code))
        );
        assert!(!response.text.contains("127.0.0.1"), "{}", response.text);
    }
}

#[tokio::test]
async fn a_removal_and_a_changed_role_apply_at_once() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let member = inside.table.under("acme:members").remove(0);
    let role = |role: &str| {
        let mut item = member.item();
        item.insert("role".to_owned(), json!(role));
        inside
            .table
            .put(&member.pk, &member.sk, &Value::Object(item));
    };
    role("viewer");
    let refused = contact(
        &inside,
        &cookie,
        json!({ "name": "Zoë", "email": "zoe@example.com" }),
    )
    .await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (403, &json!("AUTH_ERROR"))
    );
    assert!(
        refused.session().contains(".viewer."),
        "the cookie is renewed with the current role"
    );
    role("nobody");
    let refused = contact(
        &inside,
        &cookie,
        json!({ "name": "Zoë", "email": "zoe@example.com" }),
    )
    .await;
    assert_eq!(refused.status, 401);
    assert!(inside.table.under("acme:contacts").is_empty());
}

#[tokio::test]
async fn the_edges_headers_are_trusted_only_with_its_secret() {
    let inside = Inside::start().await;
    let store = Store::connect(TableSettings::local(&inside.proxy.url, "edge-crm"));
    let mut guarded = config();
    guarded.origin_secrets = vec!["the new secret".to_owned(), "the old secret".to_owned()];
    guarded.rate_limit_per_ip = 100;
    let function = edge_crm_tests::runner(
        App::new(store, no_edge(), guarded, functions::SITE),
        "sign-in",
    );
    let body = json!({ "email": "ada@example.com", "password": "correct horse" }).to_string();
    let mut request = event("POST", "/actions/sign-in", "", &body);
    request["headers"]["sec-fetch-site"] = json!("cross-site");
    request["headers"]["origin"] = json!("https://d111111abcdef8.cloudfront.net");
    request["headers"]["x-crm-domain"] = json!("d111111abcdef8.cloudfront.net");
    request["headers"]["x-crm-viewer-ip"] = json!("2001:db8::7");
    assert_eq!(invoke(&function, &request).await.status, 403);
    request["headers"]["x-crm-secret"] = json!("a guess");
    assert_eq!(invoke(&function, &request).await.status, 403);
    assert!(
        inside.table.under("#rate:").is_empty(),
        "a refused request is not counted"
    );
    for secret in ["the new secret", "the old secret"] {
        request["headers"]["x-crm-secret"] = json!(secret);
        assert_eq!(
            invoke(&function, &request).await.json["error"],
            "Wrong email or password"
        );
    }
    assert_eq!(inside.table.under("#rate:ip:2001:db8:0:0::/64").len(), 1);
}

static LINES: Mutex<Vec<Value>> = Mutex::new(Vec::new());

#[tokio::test]
async fn a_request_is_one_log_line_without_its_input() {
    let inside = Inside::start().await;
    let store = Store::connect(TableSettings::local(&inside.proxy.url, "edge-crm"));
    let mut logged = config();
    logged.log = |line| LINES.lock().unwrap().push(line.clone());
    let app = App::new(store, no_edge(), logged, functions::SITE);
    let (cookie, _) = inside.sign_up("Acme").await;
    let body = json!({ "name": "Zoë", "email": "zoe@example.com" }).to_string();
    let create = edge_crm_tests::runner(app, "create-contact");
    let response = invoke(
        &create,
        &event("POST", "/actions/create-contact", &cookie, &body),
    )
    .await;
    let lines = LINES.lock().unwrap().clone();
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(line["requestId"], response.json["requestId"]);
    assert_eq!(
        (&line["tenant"], &line["action"]),
        (&json!("acme"), &json!("create-contact"))
    );
    assert_eq!(
        (&line["outcome"], &line["coldStart"]),
        (&json!("OK"), &json!(true))
    );
    assert!(line["duration"].as_f64().unwrap() > 0.0);
    assert_eq!(
        line["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
        json!([["service"]])
    );
    assert!(!line.to_string().contains("zoe@example.com"));
}

#[tokio::test]
async fn the_table_holds_no_password_and_no_session_secret() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let secret = cookie.split('.').nth(1).unwrap();
    let dump = format!("{:?}", inside.table.under(""));
    assert!(!dump.contains("correct horse") && !dump.contains(secret));
    let audit = inside.table.under("#audit:acme").remove(0);
    assert_eq!(audit.get("input")["password"], "[redacted]");
}
