//! The rate limits.

use edge_crm_tests::{
    Answer, Client, Exchange, Launch, Product, Table, now, product_with_table, within_a_minute,
};
use futures_util::future::join_all;

const ADA: [(&str, &str); 2] = [("name", "Ada"), ("email", "ada@example.com")];

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

#[tokio::test(flavor = "multi_thread")]
async fn five_failed_sign_ins_are_free_and_the_sixth_waits() {
    let (product, table) = product_with_table().await;
    sign_up(&product, "ada@example.com", "Acme").await;
    sign_up(&product, "eve@example.com", "Beta").await;
    within_a_minute(45).await;
    let client = product.client();
    for _ in 0..5 {
        sign_in(&client, "ada@example.com", "a wrong password")
            .await
            .expect(401, "AUTH_ERROR");
    }
    // The right password still works, from any address, and resets nothing.
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
    // More guesses are refused, even with the right password. Other accounts are not affected.
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
async fn a_user_has_a_number_of_requests_a_minute_and_refused_ones_count() {
    let table = Table::start().await;
    let product = Launch::new().table(&table).per_user(5).start();
    let (acme, beta) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    within_a_minute(40).await;
    for n in 0..5 {
        let (name, email) = if n % 2 == 0 {
            ("Ada", format!("{n}@example.com"))
        } else {
            ("", String::new())
        };
        let response = acme
            .post("create-contact", &[("name", name), ("email", &email)])
            .await;
        assert_eq!(response.status, if n % 2 == 0 { 200 } else { 400 });
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
    // As HTML it is the form again, with the input.
    let page = acme.submit("create-contact", &ADA).await;
    assert!(
        page.status == 429
            && page.text.contains("value=\"Ada\"")
            && page.header("retry-after").is_some()
    );
    assert_eq!(table.saved(), before);
    // Reads still work, and other users are not affected.
    assert_eq!(acme.get("/t/acme/contacts").await.status, 200);
    assert_eq!(beta.post("create-contact", &ADA).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_number_of_requests_a_minute_if_no_user_is_signed_in() {
    let product = Launch::new().per_ip(4).start();
    within_a_minute(45).await;
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
        "x-crm-viewer-ip",
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

/// Concurrent attempts allow no more guesses than consecutive ones.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_guesses_are_counted_before_they_are_checked() {
    const ACCOUNTS: usize = 4;
    let product = Launch::new().per_ip(0).start();
    let emails: Vec<_> = (0..ACCOUNTS).map(|n| format!("{n}@example.com")).collect();
    for (n, email) in emails.iter().enumerate() {
        sign_up(&product, email, &format!("Organization {n}")).await;
    }
    within_a_minute(45).await;
    let client = product.client();
    let mut guessed = 0;
    for email in &emails {
        for _ in 0..5 {
            let wrong = sign_in(&client, email, "a wrong password").await;
            wrong.expect(401, "AUTH_ERROR");
        }
        // One more attempt is checked, and hardly ever with the right password.
        let guesses = (0..10).map(|n| {
            let password = if n == 9 {
                Client::PASSWORD
            } else {
                "a wrong password"
            };
            sign_in(&client, email, password)
        });
        let responses = join_all(guesses).await;
        let others = responses
            .iter()
            .filter(|response| response.status == 429)
            .count();
        let right = responses
            .iter()
            .filter(|response| response.status == 200)
            .count();
        assert_eq!(others + right, 10, "{responses:?}");
        guessed += right;
    }
    assert!(
        guessed < ACCOUNTS,
        "the right password was checked every time"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_sign_ins_with_the_right_password_all_succeed() {
    let product = Launch::new().per_ip(0).start();
    sign_up(&product, "ada@example.com", "Acme").await;
    let client = product.client();
    let attempts = (0..9).map(|_| sign_in(&client, "ada@example.com", Client::PASSWORD));
    for response in join_all(attempts).await {
        assert_eq!(response.status, 200, "{response:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_an_ended_session_do_not_count_for_its_user() {
    let table = Table::start().await;
    let product = Launch::new().table(&table).per_user(6).per_ip(0).start();
    within_a_minute(45).await;
    let acme = product.sign_up("Acme").await;
    let first = sign_in(&product.client(), &acme.email, Client::PASSWORD).await;
    let stolen = product.client_with(&first.session().expect("a session"), "acme");
    assert_eq!(acme.post("sign-out-everywhere", &[]).await.status, 200);
    let back = product.client();
    let signed_in = sign_in(&back, &acme.email, Client::PASSWORD).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    for _ in 0..8 {
        let name = [("name", "Eve")];
        stolen
            .post("update-profile", &name)
            .await
            .expect(401, "AUTH_ERROR");
    }
    assert_eq!(back.post("create-contact", &ADA).await.status, 200);
}

/// A repetition with the same key checks the password again, so it is one more way to guess.
#[tokio::test(flavor = "multi_thread")]
async fn repeating_a_sign_up_allows_no_more_guesses_than_signing_in() {
    let product = Launch::new().start();
    let sign_up = |password: &'static str| {
        let fields = [
            ("name", "Ada"),
            ("email", "ada@example.com"),
            ("password", password),
            ("organization", "Acme"),
        ];
        let client = product.client();
        async move { client.post_form("sign-up", &fields, Some("k")).await }
    };
    within_a_minute(45).await;
    assert_eq!(sign_up(Client::PASSWORD).await.status, 200);
    for _ in 0..5 {
        sign_up("a wrong password")
            .await
            .expect(422, "IDEMPOTENCY_ERROR");
    }
    sign_up("a wrong password")
        .await
        .expect(429, "RATE_LIMIT_ERROR");
    let right = sign_up(Client::PASSWORD).await;
    right.expect(429, "RATE_LIMIT_ERROR");
    assert!(right.session().is_none_or(|token| token.is_empty()));
    // The guesses count for signing in, too.
    sign_in(&product.client(), "ada@example.com", "a wrong password")
        .await
        .expect(429, "RATE_LIMIT_ERROR");
}

/// An account made for the purpose is no way around the limit of an address.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_does_not_lift_the_limit_of_its_address() {
    let product = Launch::new().per_ip(4).start();
    within_a_minute(45).await;
    let acme = product.sign_up("Acme").await;
    for n in 0..3 {
        let email = format!("{n}@example.com");
        sign_in(&acme, &email, "a wrong password")
            .await
            .expect(401, "AUTH_ERROR");
    }
    for action in ["sign-in", "sign-up", "request-password-reset"] {
        let fields = [
            ("name", "Eve"),
            ("email", "eve@example.com"),
            ("password", "a wrong password"),
            ("organization", "Eve"),
        ];
        acme.post(action, &fields)
            .await
            .expect(429, "RATE_LIMIT_ERROR");
    }
    // What only members may do has the limit of the user.
    assert_eq!(acme.post("create-contact", &ADA).await.status, 200);
}
