//! Accounts and sessions: signing up, in and out, the cookie, and how often one may try.

use edge::{SessionSecret, Token};
use edge_crm_tests::{
    Answer, Client, Exchange, Launch, Product, Table, now, product_with_table, within_a_minute,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ADA: [(&str, &str); 2] = [("name", "Ada"), ("email", "ada@example.com")];
const WRONG: &str = "Wrong email or password";

async fn sign_up(product: &Product, email: &str, organization: &str) -> Answer {
    let fields = [
        ("name", "Ada"),
        ("email", email),
        ("password", Client::PASSWORD),
        ("organization", organization),
    ];
    product.client().post("sign-up", &fields).await
}

async fn sign_in(client: &Client, email: &str, password: &str) -> Answer {
    client
        .post("sign-in", &[("email", email), ("password", password)])
        .await
}

fn token(product: &Product, client: &Client) -> Token {
    Token::verify(&client.token(), &product.keys()).expect("a token of ours")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_gets_a_slug_of_its_own() {
    let product = Product::start();
    let cases = [
        ("Acme", "acme"),
        ("ACME", "acme-2"),
        (" acme! ", "acme-3"),
        ("株式会社", "team"),
        ("!!!", "team-2"),
        ("Café Zoë & Söhne", "cafe-zoe-sohne"),
        ("../acme", "acme-4"),
        ("acme-2", "acme-2-2"),
    ];
    for (n, (organization, slug)) in cases.into_iter().enumerate() {
        let email = format!("{n}@example.com");
        let data = sign_up(&product, &email, organization).await.data();
        let id = &data["user"]["id"];
        let expected = json!({ "user": { "id": id, "name": "Ada", "email": email }, "tenant": slug, "role": "owner" });
        assert_eq!(data, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_of_one_name_that_sign_up_at_once_all_get_in() {
    let (product, table) = product_with_table().await;
    let (product, emails) = (
        &product,
        (0..8)
            .map(|n| format!("{n}@example.com"))
            .collect::<Vec<_>>(),
    );
    let answers =
        futures_util::future::join_all(emails.iter().map(|email| sign_up(product, email, "Acme")))
            .await;
    let slugs: std::collections::BTreeSet<_> = answers
        .iter()
        .map(|answer| answer.data()["tenant"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(slugs.len(), 8);
    assert_eq!(
        (
            table.under("#tenant:").len(),
            table.under("#account:").len()
        ),
        (8, 8)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_of_signing_up_has_its_message() {
    let (product, table) = product_with_table().await;
    assert_eq!(
        sign_up(&product, "taken@example.com", "Acme").await.status,
        200
    );
    let before = table.saved();
    let empty = product.client().post("sign-up", &[]).await;
    empty.expect(400, "VALIDATION_ERROR");
    let expected = json!({
        "name": "Name is required", "email": "Invalid email format", "password": "Password is required",
        "organization": "Organization is required",
    });
    assert_eq!(empty.json()["fieldErrors"], expected);
    let long = "x".repeat(129);
    for (field, value, message) in [
        (
            "password",
            "seven 7",
            "Password must be at least 8 characters",
        ),
        ("password", &long, "Password too long"),
        ("organization", &long, "Organization too long"),
        ("organization", " \u{200b} ", "Organization is required"),
        ("name", &long, "Name too long"),
    ] {
        let mut fields = vec![
            ADA[0],
            ADA[1],
            ("password", Client::PASSWORD),
            ("organization", "Acme"),
        ];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let answer = product.client().post("sign-up", &fields).await;
        assert_eq!(answer.json()["fieldErrors"], json!({ field: message }));
    }
    for email in ["taken@example.com", "TAKEN@Example.com"] {
        let answer = sign_up(&product, email, "Other").await;
        answer.expect(409, "CONFLICT");
        assert!(!answer.field_error("email").is_empty());
        assert_eq!(
            answer.json()["existingId"],
            Value::Null,
            "whose account it is stays private"
        );
        assert_eq!(answer.session(), None);
    }
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_sign_up_with_one_email_at_once_make_one_account() {
    let (product, table) = product_with_table().await;
    let (a, b) = tokio::join!(
        sign_up(&product, "ada@example.com", "Acme"),
        sign_up(&product, "ADA@example.com", "Beta")
    );
    let (won, lost) = if a.status == 200 { (a, b) } else { (b, a) };
    assert_eq!(won.status, 200);
    lost.expect(409, "CONFLICT");
    assert_eq!(
        (
            table.under("#account:").len(),
            table.under("#tenant:").len()
        ),
        (1, 1)
    );
    assert_eq!(table.under("#session:").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_takes_the_email_in_any_case_and_the_password_to_the_letter() {
    let product = Product::start();
    let made = sign_up(&product, "Ada@example.com", "Acme").await.data();
    let client = product.client();
    let entered = sign_in(&client, " aDA@EXAMPLE.com ", Client::PASSWORD).await;
    assert_eq!(entered.data(), made);
    assert_eq!(client.get("/t/acme/contacts").await.status, 200);
    for password in [
        Client::PASSWORD.to_uppercase(),
        format!(" {}", Client::PASSWORD),
        format!("{}\n", Client::PASSWORD),
    ] {
        sign_in(&product.client(), "ada@example.com", &password)
            .await
            .expect(401, "AUTH_ERROR");
    }
    sign_in(&client, "ada@example.com", "")
        .await
        .expect(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_email_and_a_wrong_password_cannot_be_told_apart() {
    let product = Product::start();
    sign_up(&product, "ada@example.com", "Acme").await;
    within_a_minute(15).await;
    let client = product.client();
    let mut fastest = [Duration::MAX; 2];
    for n in 0..5 {
        let nobody = format!("nobody-{n}@example.com");
        let mut answers = Vec::new();
        for (fastest, email) in fastest.iter_mut().zip(["ada@example.com", &nobody]) {
            let started = Instant::now();
            let answer = sign_in(&client, email, "a wrong password").await;
            *fastest = started.elapsed().min(*fastest);
            assert_eq!((answer.status, answer.error().as_str()), (401, WRONG));
            assert_eq!(answer.session(), None);
            answers.push(answer.essence());
        }
        assert_eq!(answers[0], answers[1]);
    }
    let [known, unknown] = fastest;
    assert!(
        unknown * 2 > known && known * 2 > unknown,
        "{known:?} against {unknown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_cost_nothing_and_the_sixth_waits() {
    let (product, table) = product_with_table().await;
    sign_up(&product, "ada@example.com", "Acme").await;
    sign_up(&product, "eve@example.com", "Beta").await;
    within_a_minute(20).await;
    let client = product.client();
    for _ in 0..5 {
        sign_in(&client, "ada@example.com", "a wrong password")
            .await
            .expect(401, "AUTH_ERROR");
    }
    // The right one still works, from wherever, and resets nothing.
    assert_eq!(
        sign_in(&product.client(), "ada@example.com", Client::PASSWORD)
            .await
            .status,
        200
    );
    let refused = sign_in(&product.client(), "ADA@example.com", "a wrong password").await;
    refused.expect(429, "RATE_LIMIT_ERROR");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(
        refused.error(),
        format!("Too many requests. Try again in {seconds} seconds")
    );
    // Guessing on is of no use, not even with the right one; another account is not concerned.
    sign_in(&client, "ada@example.com", Client::PASSWORD)
        .await
        .expect(429, "RATE_LIMIT_ERROR");
    assert_eq!(
        sign_in(&client, "eve@example.com", Client::PASSWORD)
            .await
            .status,
        200
    );
    for record in table.under("#rate:") {
        assert!(
            !record.pk.contains("ada@"),
            "the counter does not name the account: {record:?}"
        );
        assert!(record.get("expires_at").as_i64().unwrap() > now());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_at_once() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let elsewhere = product.client();
    assert_eq!(
        sign_in(&elsewhere, &acme.email, Client::PASSWORD)
            .await
            .status,
        200
    );
    let old = product.client_with(&acme.token(), "acme");
    assert_eq!(old.get("/t/acme/contacts").await.status, 200);
    assert_eq!(table.under("#session:").len(), 2);

    let answer = acme.post("sign-out", &[]).await;
    assert_eq!(
        (answer.data(), answer.session().as_deref()),
        (json!({}), Some(""))
    );
    let cleared = answer.cookies();
    assert!(
        cleared
            .iter()
            .any(|cookie| cookie.starts_with("session=;") && cookie.contains("Max-Age=0"))
    );
    old.post("create-contact", &ADA)
        .await
        .expect(401, "AUTH_ERROR");
    old.get("/t/acme/contacts").await.expect(401, "AUTH_ERROR");
    assert_eq!(table.under("#session:").len(), 1);
    // Nobody is signed out for another's leaving, and signing out twice is signing out.
    assert_eq!(elsewhere.get("/t/acme/contacts").await.status, 200);
    assert_eq!(acme.post("sign-out", &[]).await.status, 200);
    assert_eq!(old.post("sign-out", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_this_site_alone_and_out_of_reach_of_scripts() {
    let product = Product::start();
    let cookies = sign_up(&product, "ada@example.com", "Acme").await.cookies();
    let session = cookies
        .iter()
        .find(|cookie| cookie.starts_with("session=1."))
        .expect("a session");
    let (_, attributes) = session.split_once("; ").unwrap();
    assert_eq!(
        attributes,
        "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
    );

    let table = Table::start().await;
    let direct = edge_crm_tests::Direct::new(&table).await;
    let body = "name=Ada&email=a@b.example&organization=Acme&password=correct+horse";
    let answer = direct
        .invoke("sign-up", &edge_crm_tests::event(&[], body))
        .await;
    let cookies = answer["cookies"].as_array().unwrap().iter();
    let mut cookies = cookies.filter_map(serde_json::Value::as_str);
    let secure = cookies
        .find(|cookie| cookie.contains("session="))
        .expect("a session");
    assert!(secure.starts_with("__Host-session=1."), "{secure}");
    assert!(
        secure.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure"),
        "{secure}"
    );
    assert!(answer["headers"]["strict-transport-security"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_cookie_is_refused_and_nothing_is_counted() {
    let table = Table::start().await;
    let product = Launch::new()
        .table(&table)
        .per_user(1_000)
        .per_ip(1_000)
        .start();
    let acme = product.sign_up("Acme").await;
    let good = acme.token();
    let foreign = edge::Keys::new(&[7; 32], None).unwrap();
    let parts: Vec<_> = good.split('.').collect();
    let mut forged = vec![
        "x".to_owned(),
        "1.2.3.4.5.6.7".to_owned(),
        ".".repeat(6),
        good.to_uppercase(),
        format!("{good}."),
        format!("{good}A"),
        format!(".{good}"),
        good.repeat(40),
        token(&product, &acme).sign(&foreign),
        good.replace(".owner.", ".admin."),
        good.replace(".acme.", ".beta."),
        parts[..6].join("."),
        good.replacen("1.", "2.", 1),
        format!("{}.", parts[..6].join(".")),
        good.replace('.', "%2E"),
    ];
    forged.extend(
        (0..good.len())
            .step_by(7)
            .map(|end| good[..end].to_owned())
            .filter(|part| !part.is_empty()),
    );
    forged.extend((0..good.len()).step_by(5).map(|at| {
        let mut bytes = good.clone().into_bytes();
        // Another letter or digit, so that it stays a cookie's value.
        bytes[at] = if bytes[at] == b'b' { b'c' } else { b'b' };
        String::from_utf8(bytes).unwrap()
    }));
    let before = table.dump();
    for token in forged {
        let client = product.client_with(&token, "acme");
        client
            .post("create-contact", &ADA)
            .await
            .expect(401, "AUTH_ERROR");
        client
            .get("/t/acme/contacts")
            .await
            .expect(401, "AUTH_ERROR");
    }
    assert_eq!(table.dump(), before);
    assert_eq!(acme.get("/t/acme/contacts").await.status, 200);
    // It keeps nobody from signing in.
    let client = product.client_with("forged", "acme");
    let entered = sign_in(&client, &acme.email, Client::PASSWORD).await;
    assert_eq!(entered.status, 200);
    assert_eq!(client.get("/t/acme/contacts").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_of_a_live_session_works_and_is_renewed() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let fresh = token(&product, &acme);
    assert!((now() + 100..=now() + 120).contains(&fresh.expires));
    let expired = Token {
        expires: now() - 1,
        ..fresh.clone()
    };
    let old = || product.client_with(&expired.sign(&product.keys()), "acme");
    for answer in [
        old().post("create-contact", &ADA).await,
        old().get("/t/acme/contacts").await,
        old().page("/t/acme/contacts/new").await,
    ] {
        assert_eq!(answer.status, 200);
        let renewed =
            Token::verify(&answer.session().expect("a new cookie"), &product.keys()).unwrap();
        assert!((now() + 100..=now() + 120).contains(&renewed.expires));
        assert_eq!(
            (&renewed.secret, &renewed.actor),
            (&fresh.secret, &fresh.actor)
        );
    }
    // One that is young is not sent again.
    assert_eq!(acme.get("/t/acme/contacts").await.session(), None);
    // A session without use lives 30 days from the last one.
    let session = table.under("#session:").remove(0);
    let mut item = Value::Object(session.item());
    item["expires_at"] = json!(now() + 86_400);
    table.put(&session.pk, &session.sk, &item);
    assert_eq!(old().get("/t/acme/contacts").await.status, 200);
    assert!(
        table.under("#session:")[0]
            .get("expires_at")
            .as_i64()
            .unwrap()
            > now() + 29 * 86_400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_well_signed_token_is_worth_nothing_without_its_session() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let real = token(&product, &acme);
    let session = table.under("#session:").remove(0);
    let mut ended = Value::Object(session.item());
    ended["expires_at"] = json!(now() - 1);
    let unknown = Token {
        secret: SessionSecret::random().unwrap(),
        ..real.clone()
    };
    let others = Token {
        actor: commit::Actor {
            user: uuid::Uuid::now_v7().into(),
            ..real.actor.clone()
        },
        ..real.clone()
    };
    for token in [&unknown, &others] {
        let client = product.client_with(&token.sign(&product.keys()), "acme");
        client
            .post("create-contact", &ADA)
            .await
            .expect(401, "AUTH_ERROR");
        assert_eq!(client.get("/t/acme/contacts").await.status, 401);
    }
    // Ended, but not yet removed by the table.
    table.put(&session.pk, &session.sk, &ended);
    for expires in [real.expires, now() - 1] {
        let client = product.client_with(
            &Token {
                expires,
                ..real.clone()
            }
            .sign(&product.keys()),
            "acme",
        );
        let answer = client.post("create-contact", &ADA).await;
        answer.expect(401, "AUTH_ERROR");
        assert_eq!(
            answer.session().as_deref(),
            Some(""),
            "the cookie is removed"
        );
    }
    assert!(table.under("acme:contacts").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_so_many_requests_a_minute_and_refused_ones_count() {
    let table = Table::start().await;
    let product = Launch::new().table(&table).per_user(5).start();
    let (acme, beta) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    within_a_minute(15).await;
    for n in 0..5 {
        let (name, email) = if n % 2 == 0 {
            ("Ada", format!("{n}@example.com"))
        } else {
            ("", String::new())
        };
        let answer = acme
            .post("create-contact", &[("name", name), ("email", &email)])
            .await;
        assert_eq!(answer.status, if n % 2 == 0 { 200 } else { 400 });
    }
    let before = table.saved();
    for n in 1..=2 {
        let refused = acme.post("create-contact", &ADA).await;
        refused.expect(429, "RATE_LIMIT_ERROR");
        let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
        assert_eq!(
            refused.error(),
            format!("Too many requests. Try again in {seconds} seconds")
        );
        assert_eq!(table.under("#rate:user:")[0].get("count"), 5 + n);
    }
    // In HTML it is the form again, with all that was written.
    let page = acme.submit("create-contact", &ADA).await;
    assert!(
        page.status == 429
            && page.text.contains("value=\"Ada\"")
            && page.header("retry-after").is_some()
    );
    assert_eq!(table.saved(), before);
    // Reading goes on, and another user is not concerned.
    assert_eq!(acme.get("/t/acme/contacts").await.status, 200);
    assert_eq!(beta.post("create-contact", &ADA).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_requests_a_minute_where_nobody_is_signed_in() {
    let product = Launch::new().per_ip(4).start();
    within_a_minute(20).await;
    let acme = product.sign_up("Acme").await;
    let client = product.client();
    for n in 0..3 {
        let email = format!("{n}@example.com");
        sign_in(&client, &email, "a wrong password")
            .await
            .expect(401, "AUTH_ERROR");
    }
    sign_up(&product, "more@example.com", "More")
        .await
        .expect(429, "RATE_LIMIT_ERROR");
    for header in [
        "x-forwarded-for",
        "x-real-ip",
        "cloudfront-viewer-address",
        "x-edge-viewer-ip",
        "forwarded",
    ] {
        let fields = [("email", "x@example.com"), ("password", "a wrong password")];
        let spoofed = client
            .action("sign-in")
            .form(&fields)
            .header(header, "203.0.113.9")
            .answer()
            .await;
        spoofed.expect(429, "RATE_LIMIT_ERROR");
    }
    assert_eq!(acme.post("create-contact", &ADA).await.status, 200);
}
