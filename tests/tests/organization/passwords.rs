//! Changing a known password.

use edge_crm_tests::{Answer, Client, Product, product_with_table, within_a_minute};
use serde_json::json;

const NEW: &str = "staple battery horse";

async fn sign_in(product: &Product, email: &str, password: &str) -> (Client, Answer) {
    let client = product.client();
    let fields = [("email", email), ("password", password)];
    let response = client.post("sign-in", &fields).await;
    (client, response)
}

async fn change(client: &Client, current: &str, new: &str, key: Option<&str>) -> Answer {
    let fields = [("currentPassword", current), ("newPassword", new)];
    client.post_form("change-password", &fields, key).await
}

async fn is_live(client: &Client) -> bool {
    client.get("/t/acme/settings").await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_change_ends_all_other_sessions() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(sign_in(&product, &acme.email, Client::PASSWORD).await.0);
    }
    let token = acme.token();
    let response = change(&acme, Client::PASSWORD, NEW, None).await;
    assert_eq!(response.data(), json!({}));
    assert!(is_live(&acme).await, "this session continues");
    assert_eq!(acme.token(), token, "with the cookie that it had");
    for other in &others {
        assert!(!is_live(other).await);
    }
    let (_, old) = sign_in(&product, &acme.email, Client::PASSWORD).await;
    old.expect(401, "AUTH_ERROR");
    let (again, response) = sign_in(&product, &acme.email, NEW).await;
    assert_eq!(response.status, 200);
    assert!(is_live(&again).await);
    let audits = table.audits("change-password");
    let input = json!({ "currentPassword": "[redacted]", "newPassword": "[redacted]" });
    assert_eq!(audits[0].get("input"), input);
    // Another change ends the second session.
    assert_eq!(
        change(&acme, NEW, "a third password", None).await.status,
        200
    );
    assert!(is_live(&acme).await && !is_live(&again).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_during_a_password_change_is_ended_with_the_others() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let (product, mut current) = (&product, Client::PASSWORD.to_owned());
    let mut entered = 0;
    for round in 0..4 {
        let next = format!("password number {round}");
        let entering = (0..4).map(|_| sign_in(product, &acme.email, &current));
        let (entering, changed) = tokio::join!(
            futures_util::future::join_all(entering),
            change(&acme, &current, &next, None)
        );
        assert_eq!(changed.status, 200, "{changed:?}");
        for (client, response) in entering {
            assert!([200, 401, 429].contains(&response.status), "{response:?}");
            entered += u32::from(response.status == 200);
            assert!(!is_live(&client).await, "a session by the old password");
        }
        assert!(is_live(&acme).await);
        current = next;
    }
    assert!(entered > 0, "no sign-in was in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_the_current_password_and_guesses_are_limited() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    within_a_minute(45).await;
    let saved = table.saved();
    for (current, new, field, message) in [
        ("", NEW, "currentPassword", "Password is required"),
        (Client::PASSWORD, "", "newPassword", "Password is required"),
        (
            Client::PASSWORD,
            "short",
            "newPassword",
            "Password must be at least 8 characters",
        ),
    ] {
        let response = change(&acme, current, new, None).await;
        response.expect(400, "VALIDATION_ERROR");
        assert_eq!(response.json()["fieldErrors"], json!({ field: message }));
    }
    for guess in 0..5 {
        let response = change(&acme, &format!("guess {guess}"), NEW, None).await;
        response.expect(400, "VALIDATION_ERROR");
        let expected = json!({ "currentPassword": "Wrong password" });
        assert_eq!(response.json()["fieldErrors"], expected);
    }
    change(&acme, "guess 6", NEW, None)
        .await
        .expect(429, "RATE_LIMIT_ERROR");
    let right = change(&acme, Client::PASSWORD, NEW, None).await;
    right.expect(429, "RATE_LIMIT_ERROR");
    assert!(right.header("retry-after").is_some());
    assert_eq!(table.saved(), saved);
    // The page without scripts says so too.
    let fields = [("currentPassword", "guess 7"), ("newPassword", NEW)];
    let page = acme.submit("change-password", &fields).await;
    assert_eq!(page.status, 429);
    assert!(page.text.contains("Too many requests") && !page.text.contains("guess 7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_change_succeeds_only_if_the_change_was_made() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let first = change(&acme, Client::PASSWORD, NEW, Some("k")).await;
    assert_eq!(first.status, 200);
    let saved = table.saved();
    let again = change(&acme, Client::PASSWORD, NEW, Some("k")).await;
    assert!(again.is_replayed() && again.status == 200, "{again:?}");
    let other = change(&acme, NEW, "quite another one", Some("k")).await;
    other.expect(422, "IDEMPOTENCY_ERROR");
    assert_eq!(table.saved(), saved);
    let (_, response) = sign_in(&product, &acme.email, NEW).await;
    assert_eq!(response.status, 200);
}

/// The same password as different keyboards send it: in one or in several code points, with spaces of
/// any kind.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_the_same_however_its_characters_are_encoded() {
    let product = Product::start();
    let spellings = [
        "caf\u{e9} \u{212b}ngstr\u{f6}m",
        "cafe\u{301} A\u{30a}ngstro\u{308}m",
        "cafe\u{301}\u{a0}\u{c5}ngstr\u{f6}m",
        "caf\u{e9}\u{3000}\u{c5}ngstr\u{f6}m",
    ];
    for (n, set) in spellings.iter().enumerate() {
        let (email, organization) = (format!("zoe{n}@example.com"), format!("Acme {n}"));
        let fields = [
            ("name", "Zoë"),
            ("email", email.as_str()),
            ("password", set),
            ("organization", &organization),
        ];
        let client = product.client();
        assert_eq!(client.post("sign-up", &fields).await.status, 200);
        for entered in spellings {
            let (_, response) = sign_in(&product, &email, entered).await;
            assert_eq!(response.status, 200, "{set:?} {entered:?}");
        }
        for other in [
            "cafe Angstrom",
            "caf\u{e9}  \u{c5}ngstr\u{f6}m",
            "CAF\u{c9} \u{c5}NGSTR\u{d6}M",
        ] {
            let (_, response) = sign_in(&product, &email, other).await;
            response.expect(401, "AUTH_ERROR");
        }
    }
    // Eight letters, in sixteen code points; and seven in fourteen.
    let letters = |count| "e\u{301}".repeat(count);
    let (eight, seven) = (letters(8), letters(7));
    let acme = product.sign_up("Beta").await;
    let response = change(&acme, Client::PASSWORD, &seven, None).await;
    let message = response.field_error("newPassword");
    assert_eq!(message, "Password must be at least 8 characters");
    assert_eq!(
        change(&acme, Client::PASSWORD, &eight, None).await.status,
        200
    );
    let (_, response) = sign_in(&product, &acme.email, &"\u{e9}".repeat(8)).await;
    assert_eq!(response.status, 200);
}
