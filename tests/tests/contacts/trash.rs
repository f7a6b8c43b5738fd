//! The trash: a deleted contact can be restored for 30 days.

use action::Role;
use edge_crm_tests::{Answer, Client, now, product_with_table};
use serde_json::{Value, json};

fn id(contact: &Value) -> &str {
    contact["id"].as_str().expect("an id")
}

async fn delete(client: &Client, contact: &Value) {
    let response = client.post("delete-contact", &[("id", id(contact))]).await;
    assert_eq!(response.status, 200, "{response:?}");
}

async fn restore(client: &Client, contact: &Value, email: &str) -> Answer {
    let fields = [("id", id(contact)), ("email", email)];
    client.post("restore-contact", &fields).await
}

async fn trash(client: &Client) -> Vec<Value> {
    let data = client.get(&client.contacts("/trash")).await.data();
    data["contacts"].as_array().expect("contacts").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_contact_frees_its_email_and_is_restored_unchanged() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    delete(&acme, &ada).await;
    assert!(table.under("acme:contacts").is_empty());
    assert!(table.under("#guard:acme:contacts").is_empty());
    let stored = table.under("#trash:acme").remove(0);
    let end = stored.get("expires_at").as_i64().expect("a time");
    let month = 30 * 86_400;
    assert!((now() + month - 60..=now() + month).contains(&end), "{end}");
    let shown = trash(&acme).await.remove(0);
    assert_eq!(
        (shown["name"].as_str(), id(&shown)),
        (Some("Ada"), id(&ada))
    );
    assert!(shown["deletedAt"].is_string() && shown["expiresAt"].is_string());

    let response = restore(&acme, &ada, "").await;
    let back = response.data();
    for field in ["id", "name", "email", "notes", "ownerId", "createdAt"] {
        assert_eq!(back[field], ada[field], "{field}");
    }
    assert_eq!(
        back["version"], 2,
        "a form with version 1 cannot overwrite it"
    );
    assert_eq!(
        response.json()["revalidated"],
        json!(["acme:contacts", format!("acme:contacts:{}", id(&ada))])
    );
    assert!(trash(&acme).await.is_empty());
    let taken = [("name", "Other"), ("email", "ADA@example.com")];
    let refused = acme.post("create-contact", &taken).await;
    assert_eq!(
        refused.expect(409, "CONFLICT").json()["existingId"],
        ada["id"]
    );
    restore(&acme, &ada, "").await.expect(404, "NOT_FOUND");
    delete(&acme, &back).await;
    assert_eq!(trash(&acme).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_whose_email_is_taken_offers_a_choice() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    delete(&acme, &ada).await;
    let other = acme.create("Other Ada", "ada@example.com").await;
    let refused = restore(&acme, &ada, "").await;
    let refused = refused.expect(409, "CONFLICT");
    assert_eq!(refused.json()["existingId"], other["id"]);
    assert_eq!(trash(&acme).await.len(), 1, "nothing is lost");

    // The page without scripts offers the other contact, or another email.
    let page = acme.submit("restore-contact", &[("id", id(&ada))]).await;
    assert_eq!(page.status, 409);
    let link = format!("href=\"{}\"", acme.contacts(&format!("/{}", id(&other))));
    for words in [link.as_str(), "name=\"email\"", "View the existing contact"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let back = restore(&acme, &ada, "ada.king@example.com").await.data();
    assert_eq!(back["email"], "ada.king@example.com");
    assert_eq!(table.under("#guard:acme:contacts").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_contact_is_not_shown_or_restored_while_it_is_still_stored() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    delete(&acme, &ada).await;
    let record = table.under("#trash:acme").remove(0);
    let mut item = record.item();
    item.insert("expires_at".to_owned(), json!(now()));
    table.put(&record.pk, &record.sk, &Value::Object(item));
    assert!(trash(&acme).await.is_empty());
    restore(&acme, &ada, "").await.expect(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_user_who_may_delete_a_contact_may_restore_it() {
    let (product, table) = product_with_table().await;
    let owner = product.sign_up("Acme").await;
    let member = |role| product.client_with(&table.member(&product.keys(), "acme", role), "acme");
    let [mia, other] = [Role::Member, Role::Member].map(member);
    let ada = mia.create("Ada", "ada@example.com").await;
    delete(&mia, &ada).await;
    restore(&other, &ada, "").await.expect(403, "AUTH_ERROR");
    let page = other.page(&other.contacts("/trash")).await.text;
    assert!(page.contains("Ada") && !page.contains("restore-contact"));
    let viewer = member(Role::Viewer);
    restore(&viewer, &ada, "").await.expect(403, "AUTH_ERROR");
    viewer
        .get(&viewer.contacts("/trash"))
        .await
        .expect(403, "AUTH_ERROR");
    let stranger = product.sign_up("Other").await;
    restore(&stranger, &ada, "").await.expect(404, "NOT_FOUND");
    assert_eq!(restore(&owner, &ada, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_delete_page_names_the_30_days_and_the_trash_works_without_scripts() {
    let (product, _table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    let question = acme
        .page(&acme.contacts(&format!("/{}/delete", id(&ada))))
        .await;
    assert!(question.text.contains("It stays in the trash for 30 days"));
    delete(&acme, &ada).await;
    let page = acme.page(&acme.contacts("/trash")).await;
    assert_eq!(page.hidden("id").as_deref(), ada["id"].as_str());
    let key = page.hidden("idempotency_key").expect("a key");
    let fields = [("id", id(&ada)), ("idempotency_key", key.as_str())];
    for _ in 0..2 {
        let sent = acme.submit("restore-contact", &fields).await;
        let there = acme.contacts(&format!("/{}#contact-restored", id(&ada)));
        assert_eq!(
            (sent.status, sent.header("location")),
            (303, Some(there.as_str()))
        );
    }
}
