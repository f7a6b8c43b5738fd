//! Who may do what to a contact.
//!
//! Members other than owners are written directly to the table, without invitations.

use action::Role;
use edge_crm_tests::{Client, Product, Table, product_with_table};
use serde_json::{Value, json};

fn id(contact: &Value) -> &str {
    contact["id"].as_str().expect("an id")
}

fn member(product: &Product, table: &Table, role: Role) -> Client {
    product.client_with(&table.member(&product.keys(), "acme", role), "acme")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_deleted_by_its_owner_or_an_admin_and_edited_by_any_member() {
    let (product, table) = product_with_table().await;
    let owner = product.sign_up("Acme").await;
    let [mia, other, admin] =
        [Role::Member, Role::Member, Role::Admin].map(|role| member(&product, &table, role));
    let contact = mia.create("Ada", "ada@example.com").await;
    let contact = other
        .update(&contact, "1", "Ada King", "ada@example.com")
        .await
        .data();
    other.delete(&contact).await.expect(403, "AUTH_ERROR");
    assert_eq!(table.under("acme:contacts").len(), 1);
    assert_eq!(mia.delete(&contact).await.status, 200);

    let contact = mia.create("Ada", "ada@example.com").await;
    assert_eq!(admin.delete(&contact).await.status, 200);
    let contact = mia.create("Ada", "ada@example.com").await;
    assert_eq!(owner.delete(&contact).await.status, 200);
    assert!(table.under("acme:contacts").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_and_changes_nothing() {
    let (product, table) = product_with_table().await;
    let owner = product.sign_up("Acme").await;
    let contact = owner.create("Ada", "ada@example.com").await;
    let viewer = member(&product, &table, Role::Viewer);
    let before = table.saved();
    let path = viewer.contacts(&format!("/{}", id(&contact)));
    assert_eq!(viewer.get(&path).await.data(), contact);
    assert_eq!(viewer.all("").await, std::slice::from_ref(&contact));
    viewer
        .post(
            "create-contact",
            &[("name", "Eve"), ("email", "eve@example.com")],
        )
        .await
        .expect(403, "AUTH_ERROR");
    viewer
        .update(&contact, "1", "Eve", "eve@example.com")
        .await
        .expect(403, "AUTH_ERROR");
    viewer.delete(&contact).await.expect(403, "AUTH_ERROR");
    for page in [
        viewer.contacts("/new"),
        format!("{path}/edit"),
        format!("{path}/delete"),
    ] {
        viewer.get(&page).await.expect(403, "AUTH_ERROR");
    }
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_applies_at_once_and_a_removed_member_is_refused() {
    let (product, table) = product_with_table().await;
    product.sign_up("Acme").await;
    let mia = member(&product, &table, Role::Member);
    let contact = mia.create("Ada", "ada@example.com").await;
    let membership = table
        .under("acme:members")
        .into_iter()
        .find(|record| record.sk == contact["ownerId"])
        .unwrap();
    let mut item = Value::Object(membership.item());
    item["role"] = json!("viewer");
    table.put(&membership.pk, &membership.sk, &item);
    let refused = mia.update(&contact, "1", "Eve", "eve@example.com").await;
    refused.expect(403, "AUTH_ERROR");
    assert!(
        refused
            .session()
            .is_some_and(|token| token.contains(".viewer.")),
        "{refused:?}"
    );

    table.remove(&membership.pk, &membership.sk);
    let refused = mia.update(&contact, "1", "Eve", "eve@example.com").await;
    refused.expect(401, "AUTH_ERROR");
    assert_eq!(
        refused.session().as_deref(),
        Some(""),
        "the cookie is removed"
    );
    assert_eq!(mia.get(&mia.contacts("")).await.status, 401);
}
