//! Accounts: sign-up and sign-in.

use edge_crm_tests::{Answer, Client, Product, product_with_table, within_a_minute};
use serde_json::{Value, json};

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

#[tokio::test(flavor = "multi_thread")]
async fn each_organisation_gets_its_own_slug() {
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
async fn concurrent_sign_ups_of_organisations_with_one_name_all_succeed() {
    let (product, table) = product_with_table().await;
    let (product, emails) = (
        &product,
        (0..8)
            .map(|n| format!("{n}@example.com"))
            .collect::<Vec<_>>(),
    );
    let responses =
        futures_util::future::join_all(emails.iter().map(|email| sign_up(product, email, "Acme")))
            .await;
    let slugs: std::collections::BTreeSet<_> = responses
        .iter()
        .map(|response| response.data()["tenant"].as_str().unwrap().to_owned())
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
async fn each_validation_rule_of_sign_up_has_its_message() {
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
        let response = product.client().post("sign-up", &fields).await;
        assert_eq!(response.json()["fieldErrors"], json!({ field: message }));
    }
    for email in ["taken@example.com", "TAKEN@Example.com"] {
        let response = sign_up(&product, email, "Other").await;
        response.expect(409, "CONFLICT");
        assert!(!response.field_error("email").is_empty());
        assert_eq!(
            response.json()["existingId"],
            Value::Null,
            "the response does not say whose account it is"
        );
        assert_eq!(response.session(), None);
    }
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_sign_ups_with_one_email_make_one_account() {
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
async fn sign_in_ignores_the_case_of_the_email_and_not_of_the_password() {
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
    within_a_minute(40).await;
    let client = product.client();
    for n in 0..5 {
        let nobody = format!("nobody-{n}@example.com");
        let mut responses = Vec::new();
        for email in ["ada@example.com", &nobody] {
            let response = sign_in(&client, email, "a wrong password").await;
            assert_eq!((response.status, response.error().as_str()), (401, WRONG));
            assert_eq!(response.session(), None);
            responses.push(response.without_request_id());
        }
        assert_eq!(responses[0], responses[1]);
    }
}
