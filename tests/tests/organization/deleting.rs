//! Deleting an account.

use crate::confirming::{confirmed, invite};
use crate::founding::joined;
use crate::password_resets::sign_in;
use edge_crm_tests::{Client, Table, product_with_table};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_form_to_delete_an_account_is_that_of_its_user_only() {
    let (product, _table) = product_with_table().await;
    let (acme, beta) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    for (page, action) in [("delete", "delete-account"), ("email", "change-email")] {
        let page = acme.page(&format!("/t/acme/settings/{page}")).await;
        let user = page.hidden("for_user").expect("a user");
        assert_eq!(user, acme.user);
        let fields = [
            ("for_user", user.as_str()),
            ("email", "new@example.com"),
            ("password", Client::PASSWORD),
        ];
        beta.post(action, &fields).await.expect(403, "AUTH_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_deleted_with_its_memberships_but_not_as_the_last_owner() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let mia = joined(&product, &acme, "mia@example.com", "member").await;
    let contact = mia.create("Ada", "ada@example.com").await;
    let delete = |client: &Client, password: &'static str| {
        let client = client.clone();
        async move {
            client
                .post("delete-account", &[("password", password)])
                .await
        }
    };
    let last = delete(&acme, Client::PASSWORD).await;
    last.expect(403, "AUTH_ERROR");
    assert!(
        last.error().contains("make somebody else an owner first"),
        "{last:?}"
    );
    assert_eq!(acme.get("/t/acme/contacts").await.status, 200);
    let wrong = delete(&mia, "a wrong password").await;
    wrong.expect(400, "VALIDATION_ERROR");
    assert_eq!(wrong.field_error("password"), "Wrong password");
    let other = sign_in(&product, &mia.email, Client::PASSWORD).await.0;
    let before = product.wait_for_letters(&mia.email, 1).await.len();

    let page = mia.page("/t/acme/settings/delete").await;
    assert!(page.text.contains("This cannot be undone"), "{}", page.text);
    let gone = mia
        .submit("delete-account", &[("password", Client::PASSWORD)])
        .await;
    assert_eq!(
        gone.header("location"),
        Some("/sign-in#account-deleted"),
        "{gone:?}"
    );
    for client in [&mia, &other] {
        assert_eq!(client.get("/t/acme/settings").await.status, 401);
    }
    assert_eq!(
        sign_in(&product, &mia.email, Client::PASSWORD)
            .await
            .1
            .status,
        401
    );
    assert!(table.under("#account:mia@").is_empty());
    let members = acme.get("/t/acme/members").await.data();
    assert_eq!(
        members["members"].as_array().map(Vec::len),
        Some(1),
        "{members}"
    );
    // What they did stays, with their name.
    let id = contact["id"].as_str().expect("an id");
    assert_eq!(
        acme.get(&format!("/t/acme/contacts/{id}")).await.status,
        200
    );
    let audit = acme.page("/t/acme/audit").await;
    assert!(audit.text.contains("Mia (former member)"), "{}", audit.text);
    let letters = product.wait_for_letters(&mia.email, before + 1).await;
    assert_eq!(letters[before].subject, "Your account was deleted");
    // The address is free.
    assert!(invite(&acme, &mia.email, "member").await["link"].is_string());
    table.audit().await.expect_sound();
}

/// So many organisations that one transaction holds them, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_in_many_organisations_is_moved_and_deleted_or_told_to_leave_some() {
    let (product, table) = product_with_table().await;
    for one_more in [0, 1] {
        let ada = product.sign_up("Acme").await;
        confirmed(&product, &ada).await;
        let count = crm::Account::MAX_ORGANIZATIONS_TO_MOVE + one_more;
        add_organizations(&table, &ada, count);
        let new = format!("new{one_more}@example.com");
        let fields = [("email", new.as_str()), ("password", Client::PASSWORD)];
        let sent = ada.post("change-email", &fields).await;
        let password = [("password", Client::PASSWORD)];
        if one_more == 1 {
            sent.expect(403, "AUTH_ERROR");
            ada.post("delete-account", &password)
                .await
                .expect(403, "AUTH_ERROR");
            continue;
        }
        let letters = product.wait_for_letters(&new, 1).await;
        let moved = ada
            .post("confirm-email", &[("token", letters[0].token())])
            .await;
        assert_eq!(moved.status, 200, "{moved:?}");
        let deleted = ada.post("delete-account", &password).await;
        assert_eq!(deleted.status, 200, "{deleted:?}");
        assert_eq!(table.audits("delete-account").len(), count);
    }
}

/// Makes the user an owner, beside another one, in organisations of which there are `count` in all.
fn add_organizations(table: &Table, user: &Client, count: usize) {
    let others = json!([user.user, "0197a3b0-0000-7000-8000-00000000000f"]);
    for number in 1..count {
        let tenant = format!("{}-{number}", user.user);
        let tenant = &tenant[tenant.len() - 20..];
        let tenant = format!("t{}", tenant.trim_start_matches('-'));
        let organization = json!({
            "id": tenant, "name": tenant, "owners": others, "version": 1,
            "createdAt": "2026-01-01T00:00:00Z",
        });
        table.put(&format!("#tenant:{tenant}"), "tenant", &organization);
        table.add_membership(&user.email, &tenant, "owner");
        let guard = json!({ "owner": user.user });
        table.put(
            &format!("#guard:{tenant}:members:email:{}", user.email),
            "guard",
            &guard,
        );
    }
    let own = table.under(&format!("#tenant:{}", user.tenant)).remove(0);
    let mut item = own.item();
    item.insert("owners".to_owned(), others);
    table.put(&own.pk, &own.sk, &Value::Object(item));
}
