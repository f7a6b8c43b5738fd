//! Resetting a forgotten password with the link in an email.

use action::Key;
use edge_crm_tests::inside::Inside;
use edge_crm_tests::samples::link_token;
use edge_crm_tests::{Answer, Client, Product, Record, Table, hidden, now, product_with_table};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) const NEW: &str = "staple battery horse";
const GONE: &str = "This link has expired or has been used. Ask for another one.";
const PURPOSE: &str = "token password-reset";

pub(super) async fn sign_in(product: &Product, email: &str, password: &str) -> (Client, Answer) {
    let client = product.client();
    let fields = [("email", email), ("password", password)];
    let response = client.post("sign-in", &fields).await;
    (client, response)
}

async fn change(client: &Client, current: &str, new: &str) -> Answer {
    let fields = [("currentPassword", current), ("newPassword", new)];
    client.post("change-password", &fields).await
}

pub(super) async fn is_live(client: &Client) -> bool {
    let tenant = match client.tenant.as_str() {
        "" => "acme",
        tenant => tenant,
    };
    client.get(&format!("/t/{tenant}/settings")).await.status == 200
}

pub(super) async fn ask(client: &Client, email: &str) -> Answer {
    client
        .post("request-password-reset", &[("email", email)])
        .await
}

pub(super) async fn reset(client: &Client, token: &str, password: &str) -> Answer {
    let fields = [("token", token), ("password", password)];
    client.post("reset-password", &fields).await
}

/// The stored text of the current link.
fn requested(table: &Table) -> String {
    let asked = table.under("#reset:").remove(0);
    let text = |name| asked.get(name).as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("id"), text("email"))
}

/// The token of the current link.
pub(super) fn latest(product: &Product, table: &Table) -> String {
    product.keys().seal(PURPOSE, &requested(table))
}

/// Moves the request for the link into the past by this many seconds.
fn age(table: &Table, seconds: i64) {
    for record in table.under("#reset:") {
        let mut item = Value::Object(record.item());
        let then = jiff::Timestamp::from_second(now() - seconds).expect("a time");
        item["requestedAt"] = json!(then.to_string());
        table.put(&record.pk, &record.sk, &item);
    }
}

pub(super) fn expect_gone(response: &Answer) {
    response.expect(400, "VALIDATION_ERROR");
    assert_eq!(response.field_error("token"), GONE);
    assert_eq!(response.session(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_reset_with_the_link_in_the_email() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let other = sign_in(&product, &acme.email, Client::PASSWORD).await.0;
    let client = product.client();
    assert_eq!(
        ask(&client, &acme.email.to_uppercase()).await.data(),
        json!({})
    );
    let token = latest(&product, &table);
    let response = reset(&client, &token, NEW).await;
    let user = json!({ "id": acme.user, "name": "Olive Owner", "email": acme.email });
    let expected = json!({ "user": user, "tenant": "acme", "role": "owner" });
    assert_eq!(response.data(), expected);
    assert!(is_live(&client).await, "the reset signs in");
    assert!(!is_live(&acme).await && !is_live(&other).await);
    let (_, old) = sign_in(&product, &acme.email, Client::PASSWORD).await;
    old.expect(401, "AUTH_ERROR");
    assert_eq!(sign_in(&product, &acme.email, NEW).await.1.status, 200);

    let saved = table.saved();
    for password in [NEW, "a third password"] {
        expect_gone(&reset(&product.client(), &token, password).await);
    }
    assert_eq!(table.saved(), saved);
    let input = json!({ "token": "[redacted]", "password": "[redacted]" });
    assert_eq!(table.audits("reset-password")[0].get("input"), input);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_or_altered_link_does_nothing() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let beta = product.sign_up("Beta").await;
    let client = product.client();
    ask(&client, &acme.email).await;
    let first = latest(&product, &table);
    age(&table, 61);
    ask(&client, &acme.email).await;
    let second = latest(&product, &table);
    assert_ne!(first, second);

    let keys = product.keys();
    let (text, signature) = second.split_once('.').unwrap();
    let own = requested(&table);
    let others = own.replace(&acme.email, &beta.email);
    let foreign = auth::Keys::new(&[9; 32], None).unwrap();
    let altered = [
        String::new(),
        "x".to_owned(),
        text.to_owned(),
        format!("{text}.{}", signature.to_lowercase()),
        format!("{}.{signature}", &first.split_once('.').unwrap().0),
        keys.seal("token invitation", &own),
        keys.seal("password-reset", &own),
        keys.seal(PURPOSE, &others),
        keys.seal(PURPOSE, "nonsense"),
        foreign.seal(PURPOSE, &own),
    ];
    // Background work of the sign-ups and emails would change the table too.
    while !table.waiting().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let saved = table.saved();
    for token in &altered {
        expect_gone(&reset(&client, token, NEW).await);
        let page = client.page(&format!("/reset-password?token={token}")).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("This link no longer works"), "{token}");
        assert!(page.text.contains("href=\"/forgot-password\""));
    }
    age(&table, 30 * 60 + 1);
    let aged = table.saved();
    expect_gone(&reset(&client, &second, NEW).await);
    assert_eq!(table.saved(), aged);
    assert!(is_live(&acme).await && is_live(&beta).await);
    age(&table, 29 * 60);
    assert_eq!(saved.len(), aged.len());
    assert_eq!(reset(&client, &second, NEW).await.status, 200);
}

/// A stranger who requests another link every minute must not make the first one useless.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_although_others_were_requested_since() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let client = product.client();
    ask(&client, &acme.email).await;
    let first = latest(&product, &table);
    for _ in 0..4 {
        age(&table, 16 * 60);
        ask(&product.client(), &acme.email).await;
    }
    assert_ne!(first, latest(&product, &table));
    let page = client.page(&format!("/reset-password?token={first}")).await;
    assert!(!page.text.contains("This link no longer works"));
    assert_eq!(reset(&client, &first, NEW).await.status, 200);
    // The other links end with it.
    expect_gone(&reset(&client, &first, NEW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_link_does_not_undo_a_password_change() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    ask(&product.client(), &acme.email).await;
    let token = latest(&product, &table);
    assert_eq!(change(&acme, Client::PASSWORD, NEW).await.status, 200);
    expect_gone(&reset(&product.client(), &token, "a third password").await);
}

#[tokio::test]
async fn an_address_gets_one_email_a_minute_and_always_the_same_response() {
    let inside = Inside::start().await;
    inside.sign_up("Acme").await;
    let account = inside.table.under("#account:").remove(0);
    let request = edge_crm_tests::runner(Arc::clone(&inside.app), "request-password-reset");
    let mut responses = Vec::new();
    for email in [account.get("email"), json!("nobody@example.com")] {
        for seconds in [0, 0, 59, 61] {
            age(&inside.table, seconds);
            let response = inside.post(&request, "", &json!({ "email": email })).await;
            responses.push((response.status, response.json["data"].clone()));
        }
    }
    assert!(
        responses
            .iter()
            .all(|response| *response == (200, json!({}))),
        "{responses:?}"
    );
    let letters = inside.table.emails();
    let to: Vec<_> = letters.iter().map(|letter| letter.get("to")).collect();
    let known = account.get("email");
    assert_eq!(to, [known.clone(), known, Value::Null, Value::Null]);
    let wrong = inside
        .post(&request, "", &json!({ "email": "no address" }))
        .await;
    assert_eq!(
        wrong.json["fieldErrors"],
        json!({ "email": "Invalid email format" })
    );
}

#[tokio::test]
async fn the_stored_email_contains_the_text_of_its_link_and_not_the_link() {
    let inside = Inside::start().await;
    inside.sign_up("Acme").await;
    let email = inside.table.under("#account:").remove(0).get("email");
    let request = edge_crm_tests::runner(Arc::clone(&inside.app), "request-password-reset");
    let asking = json!({ "email": email.as_str().unwrap().to_uppercase() });
    inside.post(&request, "", &asking).await;
    let letter = inside.table.emails().remove(0);
    for (name, value) in [
        ("to", email),
        ("template", json!("password-reset")),
        ("values", json!({ "name": "Ada" })),
        ("path", json!("/reset-password")),
        ("token", json!(requested(&inside.table))),
    ] {
        assert_eq!(letter.get(name), value, "{name}");
    }
    let keys = auth::Keys::new(&edge_crm_tests::inside::KEY, None).unwrap();
    let fields = json!({ "token": link_token(&letter, &keys), "password": NEW });
    let reset = edge_crm_tests::runner(Arc::clone(&inside.app), "reset-password");
    assert_eq!(inside.post(&reset, "", &fields).await.status, 200);
}

/// Together with the same response, this hides who has an account.
#[tokio::test]
async fn an_unknown_address_takes_the_same_work_as_a_known_one() {
    let inside = Inside::start().await;
    inside.sign_up("Acme").await;
    let known = inside.table.under("#account:").remove(0).get("email");
    let request = edge_crm_tests::runner(Arc::clone(&inside.app), "request-password-reset");
    let mut seen = Vec::new();
    for email in [known, json!("nobody@example.com")] {
        let mut work = Vec::new();
        for key in ["first", "again"] {
            inside.proxy.calls();
            inside.proxy.writes();
            let fields = json!({ "email": email, "idempotency_key": key });
            let response = inside.post(&request, "", &fields).await;
            let data = response.json["data"].clone();
            work.push((
                response.status,
                data,
                inside.proxy.calls(),
                inside.proxy.writes(),
            ));
        }
        seen.push(work);
    }
    assert_eq!(seen[0], seen[1]);
    let (_, _, calls, writes) = &seen[0][0];
    assert_eq!(calls, &["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(writes, &[3], "the idempotency record, the reset, the email");
    let kinds = |record: &Record| record.pk.split(':').next().unwrap_or_default().to_owned();
    let stored = |kind: &str| {
        let all = inside.table.dump();
        all.iter().filter(|record| kinds(record) == kind).count()
    };
    assert_eq!([stored("#reset"), stored("#mail")], [2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_reset_signs_in_a_user_who_knows_the_new_password() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    ask(&product.client(), &acme.email).await;
    let token = latest(&product, &table);
    let send = async |password: &str| {
        let client = product.client();
        let fields = [("token", token.as_str()), ("password", password)];
        let response = client.post_form("reset-password", &fields, Some("k")).await;
        (client, response)
    };
    let (_, first) = send(NEW).await;
    let (client, again) = send(NEW).await;
    assert!(again.is_replayed());
    assert_eq!(again.data(), first.data());
    assert!(is_live(&client).await);
    let (_, other) = send("a third password").await;
    other.expect(422, "IDEMPOTENCY_ERROR");
    assert_eq!(other.session(), None);
}

/// Stored records and the log are not enough to make a link or to sign in.
#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_no_password_is_stored_or_logged() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let client = product.client();
    let fields = [("email", acme.email.as_str())];
    client
        .post_form("request-password-reset", &fields, Some("a"))
        .await;
    let token = latest(&product, &table);
    let mut dumps = vec![table.dump()];
    let page = client.page(&format!("/reset-password?token={token}")).await;
    assert_eq!(page.status, 200);
    let fields = [("token", token.as_str()), ("password", NEW)];
    client.post_form("reset-password", &fields, Some("b")).await;
    change(&client, NEW, "a third password").await;
    dumps.push(table.dump());
    let (text, signature) = token.split_once('.').unwrap();
    let sessions = [acme.token(), client.token()];
    let secrets = sessions
        .iter()
        .map(|token| token.split('.').nth(1).unwrap());
    let secrets: Vec<_> = secrets
        .chain([text, signature, Client::PASSWORD, NEW, "a third password"])
        .collect();
    for record in dumps.iter().flatten() {
        let stored = format!("{} {} {:?}", record.pk, record.sk, record.item());
        for secret in &secrets {
            assert!(!stored.contains(secret), "{secret} in {stored}");
        }
    }
    for line in product.log() {
        assert!(
            secrets.iter().all(|secret| !line.contains(secret)),
            "{line}"
        );
    }
    let key = Key::generation(&action::UserId::parse(&acme.user).unwrap());
    assert_eq!(table.under(key.parts().0)[0].get("generation"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_reset_works_without_scripts() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let client = product.client();
    let door = client.page("/sign-in").await.text;
    assert!(door.contains("Forgot your password?") && door.contains("href=\"/forgot-password\""));
    let page = client.page("/forgot-password").await;
    let key = page.hidden("idempotency_key").expect("a key");
    let fields = [("email", "nonsense"), ("idempotency_key", &key)];
    let wrong = client.submit("request-password-reset", &fields).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("value=\"nonsense\"") && wrong.text.contains("Invalid email"));
    let fields = [("email", acme.email.as_str()), ("idempotency_key", &key)];
    let sent = client.submit("request-password-reset", &fields).await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, Some("/forgot-password#link-sent"))
    );
    assert!(page.text.contains("id=\"link-sent\""));

    let token = latest(&product, &table);
    let page = client.page(&format!("/reset-password?token={token}")).await;
    assert_eq!(page.header("cache-control"), Some("private, no-store"));
    assert_eq!(page.hidden("token").as_deref(), Some(token.as_str()));
    let key = page.hidden("idempotency_key").expect("a key");
    let mut fields = [
        ("token", token.as_str()),
        ("password", "short"),
        ("idempotency_key", &key),
    ];
    let wrong = client.submit("reset-password", &fields).await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong
            .text
            .contains("Password must be at least 8 characters")
    );
    assert_eq!(
        hidden(&wrong.text, "token").as_deref(),
        Some(token.as_str())
    );
    fields[1].1 = NEW;
    let done = client.submit("reset-password", &fields).await;
    assert_eq!(
        (done.status, done.header("location")),
        (303, Some("/t/acme/contacts"))
    );
    assert!(is_live(&client).await);
    fields[2].1 = "another-key";
    let late = product.client().submit("reset-password", &fields).await;
    assert_eq!(late.status, 400);
    assert!(late.text.contains(GONE) && late.text.contains("href=\"/forgot-password\""));
}
