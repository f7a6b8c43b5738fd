//! Idempotency: a request that is sent twice is done once.

use edge_crm_tests::{Answer, Client, product_with_table};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ADA: [(&str, &str); 2] = [("name", "Ada Lovelace"), ("email", "ada@example.com")];

/// Sends the same request `count` times at once.
async fn at_once(
    client: &Client,
    count: usize,
    action: &str,
    fields: &[(&str, &str)],
    key: &str,
) -> Vec<Answer> {
    let send = |_| {
        let (client, action, key) = (client.clone(), action.to_owned(), key.to_owned());
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        tokio::spawn(async move {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            client.post_form(&action, &fields, Some(&key)).await
        })
    };
    join_all((0..count).map(send))
        .await
        .into_iter()
        .map(|response| response.expect("a response"))
        .collect()
}

/// Asserts that all responses are the same success, and that all but one are marked as replays.
fn assert_one_result(responses: &[Answer]) -> Value {
    let essences: Vec<_> = responses.iter().map(Answer::without_request_id).collect();
    assert!(
        essences.iter().all(|essence| essence == &essences[0]),
        "{essences:#?}"
    );
    let replayed = responses
        .iter()
        .filter(|response| response.is_replayed())
        .count();
    assert_eq!(replayed, responses.len() - 1);
    responses[0].data()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_concurrent_equal_posts_make_one_contact() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let responses = at_once(&acme, 20, "create-contact", &ADA, "twenty").await;
    let contact = assert_one_result(&responses);

    let contacts = table.under("acme:contacts");
    assert_eq!(contacts.len(), 1);
    assert_eq!(Value::Object(contacts[0].item()), contact);
    assert_eq!(table.audits("create-contact").len(), 1);
    assert_eq!(table.results("create-contact").len(), 1);
    assert_eq!(table.under("#guard:acme:contacts").len(), 1);
    assert_eq!(
        acme.get(&acme.contacts("")).await.data()["contacts"],
        json!([contact])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_concurrent_equal_updates_change_a_contact_once() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let id = contact["id"].as_str().unwrap();
    let fields = [
        ("id", id),
        ("version", "1"),
        ("name", "Ada King"),
        ("email", "king@example.com"),
    ];
    let responses = at_once(&acme, 20, "update-contact", &fields, "update").await;

    let changed = assert_one_result(&responses);
    assert_eq!(
        (&changed["version"], &changed["name"]),
        (&json!(2), &json!("Ada King"))
    );
    assert_eq!(table.audits("update-contact").len(), 1);
    assert_eq!(table.results("update-contact").len(), 1);
    let guards = table.under("#guard:acme:contacts");
    assert_eq!(guards.len(), 1);
    assert!(guards[0].pk.ends_with(":king@example.com"), "{guards:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_concurrent_equal_deletes_all_succeed() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let id = contact["id"].as_str().unwrap();
    let responses = at_once(&acme, 20, "delete-contact", &[("id", id)], "delete").await;

    assert_eq!(assert_one_result(&responses), json!({ "id": id }));
    assert_eq!(table.audits("delete-contact").len(), 1);
    assert!(table.under("acme:contacts").is_empty());
    assert!(table.under("#guard:acme:contacts").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_equal_sign_ups_make_one_account_and_each_gets_a_session() {
    let (product, table) = product_with_table().await;
    let fields = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", Client::PASSWORD),
        ("organization", "Acme"),
    ];
    let responses = at_once(&product.client(), 6, "sign-up", &fields, "sign-up").await;

    assert_eq!(assert_one_result(&responses)["tenant"], "acme");
    assert_eq!(table.under("#account:").len(), 1);
    assert_eq!(table.under("#tenant:").len(), 1);
    assert_eq!(table.audits("sign-up").len(), 1);
    let tokens: BTreeSet<_> = responses.iter().filter_map(Answer::session).collect();
    assert_eq!(tokens.len(), responses.len());
    for token in tokens {
        let client = product.client_with(&token, "acme");
        assert_eq!(client.get("/t/acme/contacts").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_sign_up_with_another_password_opens_no_session() {
    let (product, table) = product_with_table().await;
    let fields = |password| {
        [
            ("name", "Ada"),
            ("email", "ada@example.com"),
            ("password", password),
            ("organization", "Acme"),
        ]
    };
    let first = product
        .client()
        .post_form("sign-up", &fields(Client::PASSWORD), Some("k"))
        .await;
    assert_eq!(first.status, 200);
    let before = table.saved();
    let replay = product
        .client()
        .post_form("sign-up", &fields("another password"), Some("k"))
        .await;
    replay.expect(422, "IDEMPOTENCY_ERROR");
    assert!(
        replay.session().is_none_or(|token| token.is_empty()),
        "{replay:?}"
    );
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_keys_with_one_email_make_one_contact_and_49_conflicts() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let send = |n: usize| {
        let acme = acme.clone();
        // Emails that differ only in case are equal.
        let email = if n.is_multiple_of(2) {
            "ada@example.com"
        } else {
            "ADA@Example.com"
        };
        tokio::spawn(async move {
            acme.post_form(
                "create-contact",
                &[("name", "Ada"), ("email", email)],
                Some(&format!("key-{n}")),
            )
            .await
        })
    };
    let responses: Vec<_> = join_all((0..50).map(send))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();

    let (made, refused): (Vec<_>, Vec<_>) = responses
        .iter()
        .partition(|response| response.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 49));
    let id = made[0].data()["id"].clone();
    for response in refused {
        response.expect(409, "CONFLICT");
        assert_eq!(
            response.field_error("email"),
            "Contact with this email already exists"
        );
        assert_eq!(response.json()["existingId"], id);
    }
    assert_eq!(table.under("acme:contacts").len(), 1);
    assert_eq!(table.audits("create-contact").len(), 1);
    assert_eq!(table.results("create-contact").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_twice_by_a_browser_ends_on_the_same_page() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let key = acme
        .page(&acme.contacts("/new"))
        .await
        .hidden("idempotency_key")
        .expect("a key");
    let fields = [ADA[0], ADA[1], ("idempotency_key", key.as_str())];
    let (first, second) = tokio::join!(
        acme.submit("create-contact", &fields),
        acme.submit("create-contact", &fields)
    );
    assert_eq!((first.status, second.status), (303, 303));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(table.under("acme:contacts").len(), 1);
}
