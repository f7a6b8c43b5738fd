//! What can grow still fits one transaction, whose items DynamoDB limits to 100.

use crm::Account;
use edge_crm_tests::{Client, product_with_table};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_many_organisations_can_change_the_account_and_joins_no_more() {
    let (product, table) = product_with_table().await;
    let ada = product.sign_up("Acme").await;
    for number in 1..Account::MAX_ORGANIZATIONS {
        let tenant = format!("tenant-{number}");
        let organization = json!({
            "id": tenant, "name": tenant, "owners": [], "version": 1,
            "createdAt": "2026-01-01T00:00:00Z",
        });
        table.put(&format!("#tenant:{tenant}"), "tenant", &organization);
        table.add_membership(&ada.email, &tenant, "member");
        if [1, 2, 15, Account::MAX_ORGANIZATIONS - 1].contains(&number) {
            let before = table.audits("update-profile").len();
            let name = format!("Ada {number}");
            let renamed = ada.post("update-profile", &[("name", &name)]).await;
            assert_eq!(renamed.status, 200, "{number}: {renamed:?}");
            let records = table.audits("update-profile").len() - before;
            assert_eq!(records, number + 1, "one in each organisation");
        }
    }
    let eve = product.sign_up("Eve").await;
    let fields = [("email", ada.email.as_str()), ("role", "member")];
    let invited = eve.post("invite-member", &fields).await;
    let link = invited.data()["link"].as_str().expect("a link").to_owned();
    let (_, token) = link.split_once("token=").expect("a token");
    let refused = ada.post("accept-invite", &[("token", token)]).await;
    assert!((400..500).contains(&refused.status), "{refused:?}");
    let change = [
        ("currentPassword", Client::PASSWORD),
        ("newPassword", "another password"),
    ];
    assert_eq!(ada.post("change-password", &change).await.status, 200);
    assert_eq!(ada.post("sign-out-everywhere", &[]).await.status, 200);
}
