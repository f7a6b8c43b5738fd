//! Making, renaming and leaving organisations.

use crate::confirming::{invite, token_of};
use crate::password_resets::sign_in;
use edge_crm_tests::{Answer, Client, Product, product_with_table};
use serde_json::{Value, json};

async fn leave(client: &Client) -> Answer {
    let fields = [("userId", client.user.as_str()), ("leave", "yes")];
    client.post("remove-member", &fields).await
}

/// A member who has joined by the link that the inviter sees.
pub(super) async fn joined(product: &Product, by: &Client, email: &str, role: &str) -> Client {
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
