//! What the wrapper does for every action, tried with the sample event of each. A new action is
//! included without a change here.

use edge_crm_tests::fault::Faults;
use edge_crm_tests::inside::{Answer, config};
use edge_crm_tests::prepared::{Copy, Prepared};
use edge_crm_tests::samples::body;
use edge_crm_tests::{Record, within_a_minute};
use functions::registry::Description;
use futures_util::future::join_all;
use serde_json::{Value, json};
use wrapper::Config;

/// These actions keep no idempotency record: signing in twice opens two sessions, which does no harm,
/// and after signing out there is no user to return a result to.
const UNRECORDED: [&str; 4] = [
    "sign-in",
    "sign-out",
    "sign-out-everywhere",
    "delete-account",
];

async fn actions() -> Vec<(Prepared, Copy)> {
    let mut actions = Vec::new();
    for prepared in Prepared::all().await {
        let copy = prepared.copy().await;
        if copy
            .function
            .function()
            .routes()
            .iter()
            .any(|e| e.method == "POST")
        {
            actions.push((prepared, copy));
        }
    }
    assert!(actions.len() > 10, "there is a sample of every action");
    actions
}

fn audits(copy: &Copy) -> usize {
    copy.inside.table.under("#audit:").len()
}

/// How many audit records the action makes: one in each organisation that it touches, so none if no
/// organisation is known.
async fn audited(prepared: &Prepared) -> usize {
    let copy = prepared.copy().await;
    let before = audits(&copy);
    copy.send(&prepared.event()).await;
    let made = audits(&copy) - before;
    assert!(made > 0 || prepared.name == "request-password-reset");
    made
}

/// What the action has stored, without sessions: a repeated request may open another.
fn work(copy: &Copy) -> Vec<Record> {
    let mut saved = copy.inside.table.saved();
    saved.retain(|record| !record.pk.starts_with("#session:"));
    saved
}

fn expect(name: &str, response: &Answer, status: u64, code: &str) {
    let is = (response.status, response.json["code"].as_str());
    assert_eq!(is, (status, Some(code)), "{name}: {response:?}");
    for text in [".rs", "panicked", "#idempotency", "dynamodb"] {
        assert!(!response.text.contains(text), "{name}: {response:?}");
    }
}

/// The event with another body.
fn sending(event: &Value, kind: &str, body: &str) -> Value {
    let mut event = event.clone();
    event["headers"]["content-type"] = json!(kind);
    event["body"] = json!(body);
    event["isBase64Encoded"] = json!(false);
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_another_site_or_unreadable_is_refused_and_writes_nothing() {
    for (prepared, copy) in actions().await {
        let (name, event) = (prepared.name, prepared.event());
        let before = copy.inside.table.saved();
        let mut foreign = event.clone();
        foreign["headers"]["sec-fetch-site"] = json!("cross-site");
        foreign["headers"]["origin"] = json!("https://evil.example");
        expect(name, &copy.send(&foreign).await, 403, "AUTH_ERROR");
        foreign["headers"]["origin"] = json!("null");
        expect(name, &copy.send(&foreign).await, 403, "AUTH_ERROR");

        let mut looked_at = event.clone();
        looked_at["requestContext"]["http"]["method"] = json!("GET");
        let response = copy.send(&looked_at).await;
        expect(name, &response, 405, "BAD_REQUEST");
        assert_eq!(response.headers["allow"], "POST", "{name}");

        let huge = "x".repeat(Config::BODY_LIMIT + 1);
        let unreadable = [
            ("application/json", huge.as_str(), 413),
            ("text/plain", "name=Ada", 415),
            ("application/json", "{\"name\":", 400),
            ("application/x-www-form-urlencoded", "id=1&id=2", 400),
            ("multipart/form-data", "x", 400),
        ];
        for (kind, body, status) in unreadable {
            let response = copy.send(&sending(&event, kind, body)).await;
            expect(name, &response, status, "BAD_REQUEST");
        }
        assert_eq!(copy.inside.table.saved(), before, "{name}");
    }
}

/// The actions about the user's account.
const OF_ACCOUNT: [&str; 9] = [
    "update-profile",
    "change-password",
    "end-session",
    "sign-out-everywhere",
    "switch-organization",
    "send-confirmation",
    "confirm-email",
    "change-email",
    "delete-account",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_form_on_a_page_of_another_user_is_refused_if_it_is_about_the_account() {
    for (prepared, copy) in actions().await {
        let (name, event) = (prepared.name, prepared.event());
        let body = format!(
            "{}&for_user=0197a3b0-0000-7000-8000-00000000000f",
            body(&event)
        );
        let form = "application/x-www-form-urlencoded";
        if !OF_ACCOUNT.contains(&name) {
            continue;
        }
        let before = copy.inside.table.saved();
        let response = copy.send(&sending(&event, form, &body)).await;
        expect(name, &response, 403, "AUTH_ERROR");
        assert_eq!(copy.inside.table.saved(), before, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_on_a_page_of_another_organisation_is_refused_and_writes_nothing() {
    for (prepared, copy) in actions().await {
        let (name, event) = (prepared.name, prepared.event());
        let entries = copy.function.function().routes();
        // What is about the account does the same in every organisation.
        let open = entries.iter().any(|entry| entry.least.is_none()) || OF_ACCOUNT.contains(&name);
        let (kind, body) = (&event["headers"]["content-type"], body(&event));
        let with = |tenant: &str| match kind.as_str() {
            Some("application/json") => {
                let mut fields: Value = serde_json::from_str(&body).expect("JSON");
                fields["for_tenant"] = json!(tenant);
                fields.to_string()
            }
            _ => format!("{body}&for_tenant={tenant}"),
        };
        let kind = kind.as_str().unwrap_or("application/x-www-form-urlencoded");
        let before = copy.inside.table.saved();
        let elsewhere = copy.send(&sending(&event, kind, &with("elsewhere"))).await;
        if open {
            assert_eq!(elsewhere.status, 200, "{name}: {elsewhere:?}");
            continue;
        }
        expect(name, &elsewhere, 403, "AUTH_ERROR");
        assert_eq!(copy.inside.table.saved(), before, "{name}");
        let mut passed = 0;
        for organization in copy.inside.table.under("#tenant:") {
            let body = with(organization.pk.trim_start_matches("#tenant:"));
            let there = prepared.copy().await;
            let response = there.send(&sending(&event, kind, &body)).await;
            assert!(
                [200, 403].contains(&response.status),
                "{name}: {response:?}"
            );
            passed += usize::from(response.status == 200);
        }
        assert_eq!(passed, 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_the_limit_is_told_when_to_retry() {
    for (prepared, _) in actions().await {
        within_a_minute(30).await;
        let limited = Config {
            rate_limit_per_user: 1,
            rate_limit_per_ip: 1,
            ..config()
        };
        let copy = prepared.copy_with(limited).await;
        let event = prepared.event();
        let first = copy.send(&event).await;
        assert_eq!(first.status, 200, "{}: {first:?}", prepared.name);
        let before = copy.inside.table.saved();
        let second = copy.send(&event).await;
        if UNRECORDED.contains(&prepared.name) && second.status == 401 {
            continue;
        }
        expect(prepared.name, &second, 429, "RATE_LIMIT_ERROR");
        let seconds: u64 = second.headers["retry-after"].parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{}", prepared.name);
        let after = copy.inside.table.saved();
        assert_eq!(after, before, "{}", prepared.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_returns_the_first_result_and_writes_once() {
    for (prepared, copy) in actions().await {
        let (name, event) = (prepared.name, prepared.event());
        let first = copy.send(&event).await;
        assert_eq!(first.status, 200, "{name}: {first:?}");
        let (done, audited) = (work(&copy), audits(&copy));
        let second = copy.send(&event).await;
        if UNRECORDED.contains(&name) {
            assert!([200, 401].contains(&second.status), "{name}: {second:?}");
            continue;
        }
        assert_eq!(second.status, 200, "{name}: {second:?}");
        assert_eq!(second.headers["idempotency-replayed"], "true", "{name}");
        assert_eq!(second.json["data"], first.json["data"], "{name}");
        assert_eq!((work(&copy), audits(&copy)), (done, audited), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_equal_requests_are_done_once() {
    for (prepared, copy) in actions().await {
        let (name, event) = (prepared.name, prepared.event());
        if UNRECORDED.contains(&name) {
            continue;
        }
        let before = audits(&copy) + audited(&prepared).await;
        let responses = join_all((0..6).map(|_| copy.send(&event))).await;
        for response in &responses {
            assert_eq!(response.status, 200, "{name}: {response:?}");
            assert_eq!(response.json["data"], responses[0].json["data"], "{name}");
        }
        assert_eq!(audits(&copy), before, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_writes_everything_or_nothing() {
    for (prepared, copy) in actions().await {
        let (name, event) = (prepared.name, prepared.event());
        let before = work(&copy);
        copy.inside.proxy.make(Faults {
            contention: 100,
            ..Faults::default()
        });
        expect(name, &copy.send(&event).await, 503, "DATABASE_ERROR");
        assert_eq!(work(&copy), before, "{name}");

        // The transaction takes effect and its response is lost. The retry does not repeat it.
        copy.inside.proxy.make(Faults {
            lost_answer: 100,
            ..Faults::default()
        });
        let audited = audits(&copy) + audited(&prepared).await;
        let response = copy.send(&event).await;
        copy.inside.proxy.make(Faults::default());
        if UNRECORDED.contains(&name) {
            continue;
        }
        assert!(
            [200, 503].contains(&response.status),
            "{name}: {response:?}"
        );
        let again = copy.send(&event).await;
        assert_eq!(again.status, 200, "{name}: {again:?}");
        assert_eq!(audits(&copy), audited, "{name}");
    }
}

/// A repetition is told apart from the first request by its secrets, so it is a way to guess them.
#[tokio::test(flavor = "multi_thread")]
async fn repeating_a_request_allows_five_guesses_of_its_secrets_a_minute() {
    within_a_minute(45).await;
    let mut tried = Vec::new();
    for (prepared, copy) in actions().await {
        let name = prepared.name;
        let secrets = secrets_of(name);
        if secrets.is_empty() || UNRECORDED.contains(&name) {
            continue;
        }
        let (event, fields) = (prepared.event(), body(&prepared.event()));
        let fields: Vec<(String, String)> = match serde_json::from_str::<Value>(&fields) {
            Ok(fields) => fields
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            Err(_) => form_urlencoded::parse(fields.as_bytes())
                .into_owned()
                .collect(),
        };
        let send = |guess: Option<usize>| {
            let mut form = form_urlencoded::Serializer::new(String::new());
            let others = fields
                .iter()
                .filter(|(field, _)| field != "idempotency_key");
            for (field, value) in others {
                let is_guess = guess.is_some() && secrets.contains(&field.as_str());
                match guess.filter(|_| is_guess) {
                    Some(number) => form.append_pair(field, &format!("a wrong guess, {number}")),
                    None => form.append_pair(field, value),
                };
            }
            let kind = "application/x-www-form-urlencoded";
            let mut event = sending(&event, kind, &form.finish());
            event["headers"]["idempotency-key"] = json!("guessed");
            let copy = &copy;
            async move { copy.send(&event).await }
        };
        let first = send(None).await;
        assert_eq!(first.status, 200, "{name}: {first:?}");
        for guess in 0..5 {
            expect(name, &send(Some(guess)).await, 422, "IDEMPOTENCY_ERROR");
        }
        expect(name, &send(Some(5)).await, 429, "RATE_LIMIT_ERROR");
        expect(name, &send(None).await, 429, "RATE_LIMIT_ERROR");
        tried.push(name);
    }
    let expected = [
        "sign-up",
        "change-email",
        "change-password",
        "accept-invite",
        "reset-password",
    ];
    assert_eq!(tried, expected);
}

/// The secret fields of an action.
fn secrets_of(name: &str) -> &'static [&'static str] {
    let described = functions::REGISTRY.iter().map(|entry| (entry.describe)());
    let mut actions = described.filter_map(|description| match description {
        Description::Action(action) => Some(action),
        _ => None,
    });
    let action = actions.find(|action| action.name == name);
    action.map_or(&[], |action| action.secrets)
}
