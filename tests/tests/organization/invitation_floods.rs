//! Invitations do not flood an address, and each link that was sent keeps working.

use crate::confirming::{confirmed, invite, token_of};
use edge_crm_tests::{Client, Product, Table, now, product_with_table};
use serde_json::{Value, json};

async fn owner(product: &Product, organization: &str) -> Client {
    let owner = product.sign_up(organization).await;
    confirmed(product, &owner).await;
    owner
}

/// Moves the emails to all addresses this many seconds into the past.
fn age(table: &Table, seconds: i64) {
    for record in table.under("#emails:") {
        let mut item = Value::Object(record.item());
        let sent = item["sentAt"].as_array().map_or(0, Vec::len) as i64;
        let times = (0..sent).map(|n| {
            let then = now() - seconds - (sent - 1 - n);
            json!(
                jiff::Timestamp::from_second(then)
                    .expect("a time")
                    .to_string()
            )
        });
        item["sentAt"] = times.collect();
        table.put(&record.pk, &record.sk, &item);
    }
}

async fn accept(product: &Product, token: &str) -> u16 {
    let fields = [
        ("token", token),
        ("name", "Mia"),
        ("password", Client::PASSWORD),
    ];
    product.client().post("accept-invite", &fields).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_one_email_of_sixty_invitations_and_its_link_works() {
    let (product, _table) = product_with_table().await;
    let (acme, beta) = (owner(&product, "Acme").await, owner(&product, "Beta").await);
    let mia = "mia@example.com";
    let first = invite(&acme, mia, "member").await;
    assert_eq!(first["notEmailed"], Value::Null);
    let (mut shown, mut last) = (vec![token_of(&first)], first);
    for _ in 0..29 {
        last = invite(&acme, mia, "member").await;
        assert_eq!(last["notEmailed"], "just-emailed");
        shown.push(token_of(&last));
        // Other organisations are paused too.
        assert_eq!(
            invite(&beta, mia, "member").await["notEmailed"],
            "just-emailed"
        );
    }
    let id = last["id"].as_str().expect("an id");
    let page = acme.page(&format!("/t/acme/members/{id}/edit")).await;
    assert!(
        page.text.contains(shown.last().expect("a link")),
        "{}",
        page.text
    );
    let letters = product.wait_for_letters(mia, 1).await;
    // The links that the inviter saw are replaced, that of the email is not.
    assert_eq!(accept(&product, &shown[0]).await, 403);
    assert_eq!(accept(&product, letters[0].token()).await, 200);
    assert_eq!(accept(&product, shown.last().expect("a link")).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_email_is_sent_after_a_pause_that_grows_and_ten_a_day() {
    let (product, table) = product_with_table().await;
    let acme = owner(&product, "Acme").await;
    let mia = "mia@example.com";
    for (sent, pause) in [(1, 60), (2, 120), (3, 240)] {
        assert_eq!(
            invite(&acme, mia, "member").await["notEmailed"],
            Value::Null
        );
        age(&table, pause - 5);
        assert_eq!(
            invite(&acme, mia, "member").await["notEmailed"],
            "just-emailed"
        );
        age(&table, pause);
        product.wait_for_letters(mia, sent).await;
    }
    // All of them work, whatever was sent since.
    let letters = product.letters(mia).await;
    assert_eq!(accept(&product, letters[0].token()).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_sends_a_hundred_invitations_a_day() {
    let (product, table) = product_with_table().await;
    let acme = owner(&product, "Acme").await;
    invite(&acme, "first@example.com", "member").await;
    let sent = table.under("#invitations:acme").remove(0);
    let mut item = Value::Object(sent.item());
    item["count"] = json!(crm::SentInvitations::MAX_A_DAY - 1);
    table.put(&sent.pk, &sent.sk, &item);
    let hundredth = invite(&acme, "last@example.com", "member").await;
    assert_eq!(hundredth["notEmailed"], Value::Null);
    let more = invite(&acme, "more@example.com", "member").await;
    assert_eq!(more["notEmailed"], "too-many-today");
    assert_eq!(accept(&product, &token_of(&more)).await, 200);
}

/// The admin who invited first is removed. What they know is worth nothing; the email that they caused is,
/// because another admin has invited the address again.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_inviter_cannot_use_the_link_they_saw() {
    let (product, _table) = product_with_table().await;
    let acme = owner(&product, "Acme").await;
    let token = token_of(&invite(&acme, "admin@example.com", "admin").await);
    let admin = product.client();
    let fields = [
        ("token", token.as_str()),
        ("name", "Al"),
        ("password", Client::PASSWORD),
    ];
    let joined = admin.post("accept-invite", &fields).await.data();
    let seen = token_of(&invite(&admin, "mia@example.com", "member").await);
    let id = joined["id"].as_str().expect("an id");
    let removed = acme.post("remove-member", &[("userId", id)]).await;
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(accept(&product, &seen).await, 403);
    invite(&acme, "mia@example.com", "member").await;
    assert_eq!(accept(&product, &seen).await, 403);
}
