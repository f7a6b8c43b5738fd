//! Making, renaming and leaving organisations, and deleting an account.

use crate::confirming::{confirmed, invite, token_of};
use crate::password_resets::sign_in;
use edge_crm_tests::{Answer, Client, Product, Table, product_with_table};
use serde_json::{Value, json};

async fn leave(client: &Client) -> Answer {
    let fields = [("userId", client.user.as_str()), ("leave", "yes")];
    client.post("remove-member", &fields).await
}

/// A member who has joined by the link that the inviter sees.
async fn joined(product: &Product, by: &Client, email: &str, role: &str) -> Client {
    let token = token_of(&invite(by, email, role).await);
    let mut client = product.client();
    let fields = [
        ("token", token.as_str()),
        ("name", "Mia"),
        ("password", Client::PASSWORD),
    ];
    let data = client.post("accept-invite", &fields).await.data();
    client.tenant.clone_from(&by.tenant);
    client.user = data["id"].as_str().expect("an id").to_owned();
    email.clone_into(&mut client.email);
    client
}

fn token_in(path: &str) -> String {
    path.split_once("token=").expect("a token").1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_the_last_organisation_signs_in_and_makes_another() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let mia = joined(&product, &acme, "mia@example.com", "member").await;
    assert_eq!(leave(&mia).await.status, 200);
    let (client, signed_in) = sign_in(&product, &mia.email, Client::PASSWORD).await;
    let data = signed_in.data();
    assert_eq!(
        (&data["tenant"], &data["role"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(signed_in.session(), None);
    let form = client
        .submit(
            "sign-in",
            &[("email", &mia.email), ("password", Client::PASSWORD)],
        )
        .await;
    let next = form.header("location").unwrap_or_default().to_owned();
    assert!(next.starts_with("/new-organization?token="), "{form:?}");
    let page = client.page(&next).await;
    assert_eq!(
        (page.status, page.hidden("token")),
        (200, Some(token_in(&next)))
    );
    let key = page.hidden("idempotency_key").expect("a key");
    let fields = |name: &'static str| {
        let token = token_in(&next);
        [
            ("name", name.to_owned()),
            ("token", token),
            ("idempotency_key", key.clone()),
        ]
    };
    let send = |name| {
        let (client, fields) = (client.clone(), fields(name));
        async move {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            client.post("create-organization", &fields).await
        }
    };
    let refused = send("").await;
    assert_eq!(refused.field_error("name"), "Name is required");
    let made = send("Mia’s own").await;
    assert_eq!(made.data()["tenant"], "mias-own", "{made:?}");
    assert_eq!(made.data()["role"], "owner");
    assert!(made.session().is_some());
    // A double click opens the same one.
    let again = send("Mia’s own").await;
    assert!(
        again.is_replayed() && again.data() == made.data(),
        "{again:?}"
    );
    assert_eq!(client.get("/t/mias-own/contacts").await.status, 200);
    assert_eq!(table.under("#tenant:mias-own").len(), 1);
    let signed_in = sign_in(&product, &mia.email, Client::PASSWORD).await.1;
    assert_eq!(signed_in.data()["tenant"], "mias-own");
    table.audit().await.expect_sound();
}

/// Somebody has copied the link from the history of the browser.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_worth_nothing_once_the_user_belongs_to_an_organisation() {
    let (product, _table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let mia = joined(&product, &acme, "mia@example.com", "member").await;
    assert_eq!(leave(&mia).await.status, 200);
    let token = |signed_in: Answer| token_in(signed_in.data()["next"].as_str().expect("a path"));
    let first = token(sign_in(&product, &mia.email, Client::PASSWORD).await.1);
    let fields = [("name", "Own"), ("token", first.as_str())];
    let own = product.client();
    let made = own
        .post_form("create-organization", &fields, Some("k"))
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let thief = product.client();
    let fields = [("name", "Thief"), ("token", first.as_str())];
    for key in [None, Some("k"), Some("other")] {
        let refused = thief.post_form("create-organization", &fields, key).await;
        assert!([401, 422].contains(&refused.status), "{refused:?}");
        assert_eq!(refused.session(), None);
    }
    let zoe = joined(&product, &acme, "zoe@example.com", "member").await;
    assert_eq!(leave(&zoe).await.status, 200);
    let copied = token(sign_in(&product, &zoe.email, Client::PASSWORD).await.1);
    let again = token_of(&invite(&acme, &zoe.email, "admin").await);
    let fields = [("token", again.as_str()), ("password", Client::PASSWORD)];
    assert_eq!(zoe.post("accept-invite", &fields).await.status, 200);
    let fields = [("name", "Thief"), ("token", copied.as_str())];
    thief
        .post("create-organization", &fields)
        .await
        .expect(401, "AUTH_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_makes_one_organisation_although_the_first_request_switches_to_it() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let mut tenants = Vec::new();
    for _ in 0..3 {
        let made = acme
            .post_form("create-organization", &[("name", "Beta")], Some("k"))
            .await;
        tenants.push(made.data()["tenant"].clone());
        assert_eq!(made.is_replayed(), tenants.len() > 1);
    }
    assert_eq!(tenants, ["beta"; 3]);
    assert_eq!(table.under("#tenant:beta").len(), 1);
    assert_eq!(acme.get("/t/beta/contacts").await.status, 200);
}

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
async fn nobody_makes_an_organisation_without_proof() {
    let (product, _table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let mia = joined(&product, &acme, "mia@example.com", "member").await;
    assert_eq!(leave(&mia).await.status, 200);
    let client = product.client();
    for token in ["", "junk", "a.b"] {
        let fields = [("name", "Beta"), ("token", token)];
        let refused = client.post("create-organization", &fields).await;
        refused.expect(401, "AUTH_ERROR");
    }
    let page = client.page("/new-organization").await;
    assert_eq!(
        page.header("location"),
        Some("/sign-in?return_to=/new-organization")
    );
    // A token of before the password was changed is worth nothing.
    let signed_in = sign_in(&product, &mia.email, Client::PASSWORD).await.1;
    let token = token_in(signed_in.data()["next"].as_str().expect("a path"));
    let before = product.wait_for_letters(&mia.email, 1).await.len();
    client
        .post("request-password-reset", &[("email", &mia.email)])
        .await;
    let letters = product.wait_for_letters(&mia.email, before + 1).await;
    let reset = [
        ("token", letters[before].token()),
        ("password", "another password"),
    ];
    assert_eq!(client.post("reset-password", &reset).await.status, 200);
    let fields = [("name", "Beta"), ("token", &token)];
    client
        .post("create-organization", &fields)
        .await
        .expect(401, "AUTH_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_makes_another_organisation_and_signing_in_opens_the_one_used_last() {
    let (product, _table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let viewer = joined(&product, &acme, "viewer@example.com", "viewer").await;
    assert!(
        viewer
            .page("/t/acme/settings")
            .await
            .text
            .contains("/new-organization")
    );
    assert_eq!(viewer.page("/new-organization").await.status, 200);
    let made = viewer
        .post("create-organization", &[("name", "Acme")])
        .await;
    assert_eq!(made.data()["tenant"], "acme-2", "{made:?}");
    assert_eq!(viewer.get("/t/acme-2/contacts").await.status, 200);
    let opened = || async {
        let signed_in = sign_in(&product, &viewer.email, Client::PASSWORD).await.1;
        signed_in.data()["tenant"]
            .as_str()
            .expect("a tenant")
            .to_owned()
    };
    assert_eq!(opened().await, "acme-2");
    let switched = viewer
        .post("switch-organization", &[("tenant", "acme")])
        .await;
    assert_eq!(switched.status, 200, "{switched:?}");
    assert_eq!(opened().await, "acme");
    // The organisation used last may be left since.
    let mut there = viewer.clone();
    there.tenant = "acme".to_owned();
    assert_eq!(leave(&there).await.status, 200);
    assert_eq!(opened().await, "acme-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_renames_the_organisation() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let admin = joined(&product, &acme, "admin@example.com", "admin").await;
    admin
        .post("rename-organization", &[("name", "Mine")])
        .await
        .expect(403, "AUTH_ERROR");
    assert_eq!(
        admin.page("/t/acme/settings/organization").await.status,
        403
    );
    let page = acme.page("/t/acme/settings/organization").await;
    assert!(page.text.contains("value=\"Acme\""), "{}", page.text);
    let renamed = acme
        .post("rename-organization", &[("name", "  Acme & Daughters ")])
        .await;
    assert_eq!(
        renamed.data(),
        json!({ "tenant": "acme", "name": "Acme & Daughters" })
    );
    for client in [&acme, &admin] {
        let settings = client.get("/t/acme/settings").await.data();
        assert_eq!(settings["organizations"][0]["name"], "Acme & Daughters");
        let page = client.page("/t/acme/settings").await;
        assert!(page.text.contains("Acme &#38; Daughters"), "{}", page.text);
    }
    assert_eq!(table.audits("rename-organization").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_look_like_links_are_refused_wherever_a_stranger_would_read_them() {
    let (product, _table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let bait = "Win 1000 EUR at http://evil.example/x";
    let sign_up = |name: &'static str, organization: &'static str| {
        let client = product.client();
        async move {
            let fields = [
                ("name", name),
                ("email", "eve@example.com"),
                ("password", Client::PASSWORD),
                ("organization", organization),
            ];
            client.post("sign-up", &fields).await
        }
    };
    let refused = sign_up("www.evil.example", bait).await;
    for field in ["name", "organization"] {
        assert_eq!(
            refused.field_error(field),
            "Please leave out the link",
            "{refused:?}"
        );
    }
    for action in [
        "update-profile",
        "rename-organization",
        "create-organization",
    ] {
        let refused = acme.post(action, &[("name", bait)]).await;
        assert_eq!(
            refused.field_error("name"),
            "Please leave out the link",
            "{refused:?}"
        );
    }
    let token = token_of(&invite(&acme, "mia@example.com", "member").await);
    let fields = [
        ("token", token.as_str()),
        ("name", bait),
        ("password", Client::PASSWORD),
    ];
    let refused = product.client().post("accept-invite", &fields).await;
    assert_eq!(
        refused.field_error("name"),
        "Please leave out the link",
        "{refused:?}"
    );
    let fine = sign_up("Dr.Meier", "Meier GmbH & Co.KG, St.Gallen").await;
    assert_eq!(fine.status, 200, "{fine:?}");
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
