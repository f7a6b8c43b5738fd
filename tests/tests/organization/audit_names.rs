//! Whom the audit names: every organisation that a change touches has a record, with the names of its
//! day.

use super::password_resets::{ask, latest, reset};
use edge_crm_tests::{Client, Product, Table, product_with_table};
use serde_json::{Value, json};

/// A user of two organisations, signed in to the first one, and the owner of the second.
async fn in_two(product: &Product) -> (Client, Client) {
    let (ada, eve) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    let fields = [("email", ada.email.as_str()), ("role", "member")];
    let invited = eve.post("invite-member", &fields).await;
    let link = invited.data()["link"].as_str().expect("a link").to_owned();
    let (_, token) = link.split_once("token=").expect("a token");
    assert_eq!(
        ada.post("accept-invite", &[("token", token)]).await.status,
        200
    );
    let back = ada.post("switch-organization", &[("tenant", "acme")]).await;
    assert_eq!(back.status, 200);
    (ada, eve)
}

fn of(table: &Table, tenant: &str, action: &str) -> Vec<edge_crm_tests::Record> {
    let mut records = table.audits(action);
    records.retain(|record| record.pk == format!("#audit:{tenant}"));
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_is_recorded_everywhere_and_blames_nobody_for_what_was_before() {
    let (product, table) = product_with_table().await;
    let (ada, eve) = in_two(&product).await;
    ada.post("switch-organization", &[("tenant", "beta")]).await;
    let contact = [("name", "Grace"), ("email", "grace@example.com")];
    let created = ada.post("create-contact", &contact).await;
    let id = created.data()["id"].as_str().expect("an id").to_owned();
    ada.post("switch-organization", &[("tenant", "acme")]).await;
    let renamed = ada.post("update-profile", &[("name", "Adam Admin")]).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");

    let email = json!(ada.email);
    for (tenant, role) in [("acme", "owner"), ("beta", "member")] {
        let record = of(&table, tenant, "update-profile").remove(0);
        assert_eq!(record.get("userName"), "Olive Owner", "{tenant}");
        assert_eq!(record.get("userEmail"), email);
        assert_eq!(record.get("role"), role);
        assert_eq!(record.get("input"), json!({ "name": "Adam Admin" }));
    }
    let audit = eve.get("/t/beta/audit").await;
    let records = audit.data()["records"].as_array().expect("records").clone();
    let by = |action: &str| -> Vec<Value> {
        let own = records.iter().filter(|record| record["action"] == action);
        own.map(|record| record["userName"].clone()).collect()
    };
    assert_eq!(by("create-contact"), ["Olive Owner"]);
    let page = eve.page("/t/beta/audit?action=create-contact").await;
    assert!(
        !page.text.contains("by <a") || !page.text.contains("<bdi>Adam Admin</bdi></a> (member)")
    );
    let file = eve.page("/t/beta/audit.csv").await;
    let line = file
        .text
        .lines()
        .find(|line| line.contains("\"create-contact\""));
    assert!(
        line.expect("a line").contains("\"Olive Owner\""),
        "{line:?}"
    );
    let history = eve.page(&format!("/t/beta/contacts/{id}")).await;
    assert!(history.text.contains("Olive Owner") && !history.text.contains("Adam Admin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_an_account_is_recorded_in_each_of_its_organisations() {
    let (product, table) = product_with_table().await;
    let (ada, _eve) = in_two(&product).await;
    let fields = [
        ("currentPassword", Client::PASSWORD),
        ("newPassword", "another password"),
    ];
    assert_eq!(ada.post("change-password", &fields).await.status, 200);
    table.confirm_emails();
    ask(&ada, &ada.email).await;
    let token = latest(&product, &table);
    assert_eq!(reset(&ada, &token, "a third password").await.status, 200);
    assert_eq!(ada.post("sign-out-everywhere", &[]).await.status, 200);
    for action in ["change-password", "reset-password", "sign-out-everywhere"] {
        for (tenant, role) in [("acme", "owner"), ("beta", "member")] {
            let records = of(&table, tenant, action);
            assert_eq!(records.len(), 1, "{action} in {tenant}");
            assert_eq!(records[0].get("userId"), ada.user.as_str());
            assert_eq!(records[0].get("role"), role, "{action} in {tenant}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_of_one_name_are_told_apart() {
    let (product, _table) = product_with_table().await;
    let (ada, eve) = in_two(&product).await;
    // Both are called Olive Owner.
    let page = eve.page("/t/beta/audit").await;
    for email in [&ada.email, &eve.email] {
        let shown = format!("Olive Owner ({email})");
        assert!(page.text.contains(&shown), "{shown}");
    }
}
