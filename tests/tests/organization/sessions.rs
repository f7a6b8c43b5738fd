//! Sessions: the cookie, what it proves, and for how long.

use auth::{SessionSecret, Token};
use edge_crm_tests::{Answer, Client, Launch, Product, Table, now, product_with_table};
use serde_json::{Value, json};

const ADA: [(&str, &str); 2] = [("name", "Ada"), ("email", "ada@example.com")];

async fn sign_in(client: &Client, email: &str, password: &str) -> Answer {
    client
        .post("sign-in", &[("email", email), ("password", password)])
        .await
}

fn token(product: &Product, client: &Client) -> Token {
    Token::verify(&client.token(), &product.keys()).expect("a token of ours")
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_out_ends_the_session_at_once() {
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

    let response = acme.post("sign-out", &[]).await;
    assert_eq!(
        (response.data(), response.session().as_deref()),
        (json!({}), Some(""))
    );
    let cleared = response.cookies();
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
    // Other sessions continue, and a second sign-out succeeds.
    assert_eq!(elsewhere.get("/t/acme/contacts").await.status, 200);
    assert_eq!(acme.post("sign-out", &[]).await.status, 200);
    assert_eq!(old.post("sign-out", &[]).await.status, 200);
}

/// A double click on "Sign out", many times over: each session is ended once, and everybody is told
/// that they are signed out.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_sign_out_at_the_same_moment_are_recorded_once() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let sign_outs = |table: &Table| {
        let records = table.under("#audit:acme").into_iter();
        records
            .filter(|record| record.get("action") == "sign-out")
            .count()
    };
    for round in 1..=10 {
        let client = product.client();
        let response = sign_in(&client, &acme.email, Client::PASSWORD).await;
        assert_eq!(response.status, 200);
        let twins: Vec<_> = (0..6)
            .map(|_| product.client_with(&client.token(), "acme"))
            .collect();
        let sent = twins.iter().map(|twin| twin.post("sign-out", &[]));
        for response in futures_util::future::join_all(sent).await {
            assert_eq!(response.status, 200, "{response:?}");
        }
        assert_eq!(sign_outs(&table), round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_this_site_only_and_not_for_scripts() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let cookies = sign_in(&product.client(), &acme.email, Client::PASSWORD)
        .await
        .cookies();
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
    let response = direct
        .invoke("sign-up", &edge_crm_tests::event(&[], body))
        .await;
    let cookies = response["cookies"].as_array().unwrap().iter();
    let mut cookies = cookies.filter_map(serde_json::Value::as_str);
    let secure = cookies
        .find(|cookie| cookie.contains("session="))
        .expect("a session");
    assert!(secure.starts_with("__Host-session=1."), "{secure}");
    assert!(
        secure.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure"),
        "{secure}"
    );
    let hsts = &response["headers"]["strict-transport-security"];
    assert_eq!(
        hsts, "max-age=63072000",
        "subdomains are for the operator to decide"
    );
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
    let foreign = auth::Keys::new(&[7; 32], None).unwrap();
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
        // Another letter or digit, so that it remains a valid cookie value.
        bytes[at] = if bytes[at] == b'b' { b'c' } else { b'b' };
        String::from_utf8(bytes).unwrap()
    }));
    table.settled().await;
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
    // It does not prevent a sign-in.
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
    for response in [
        old().post("create-contact", &ADA).await,
        old().get("/t/acme/contacts").await,
        old().page("/t/acme/contacts/new").await,
    ] {
        assert_eq!(response.status, 200);
        let renewed =
            Token::verify(&response.session().expect("a new cookie"), &product.keys()).unwrap();
        assert!((now() + 100..=now() + 120).contains(&renewed.expires));
        assert_eq!(
            (&renewed.secret, &renewed.actor),
            (&fresh.secret, &fresh.actor)
        );
    }
    // A new token is not renewed.
    assert_eq!(acme.get("/t/acme/contacts").await.session(), None);
    // A session ends 30 days after its last use.
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
async fn a_valid_token_without_its_session_is_refused() {
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
        actor: action::Actor {
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
    // Expired, but not yet removed by DynamoDB.
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
        let response = client.post("create-contact", &ADA).await;
        response.expect(401, "AUTH_ERROR");
        assert_eq!(
            response.session().as_deref(),
            Some(""),
            "the cookie is removed"
        );
    }
    assert!(table.under("acme:contacts").is_empty());
}
