//! Users without an organisation, and users who rejoin: how they return, and what stays gone.

use super::members::{change, remove};
use super::password_resets::{NEW, ask, expect_gone, is_live, latest, reset, sign_in};
use edge_crm_tests::people::PASSWORD;
use edge_crm_tests::world::{Person, World};
use edge_crm_tests::{Answer, Client, Product, product_with_table};
use serde_json::json;

#[tokio::test]
async fn a_user_who_rejoins_gets_no_old_session_back() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let (mia, email) = world.joined(&owner, "member").await;
    assert_eq!(world.look(&mia, "/contacts/new").await.status, 200);
    assert_eq!(remove(&world, &owner, &mia.user()).await.status, 200);
    let ada = json!({ "name": "Ada", "email": "ada@example.com" });
    assert_eq!(world.act(&mia, "create-contact", &ada).await.status, 401);

    let token = world.invitation(&owner, &email, "member").await;
    let response = world.accept(&Person::default(), &token, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    let mut back = Person {
        tenant: "acme".to_owned(),
        ..Person::default()
    };
    back.learn(&response);
    assert_eq!(back.user(), mia.user());
    assert_eq!(world.act(&mia, "create-contact", &ada).await.status, 401);
    let door = world.look(&mia, "/contacts/new").await;
    assert!(door.header("location").starts_with("/sign-in"), "{door:?}");
    assert_eq!(world.act(&back, "create-contact", &ada).await.status, 200);

    // Nor if only the second at which the session was opened is stored.
    let sessions = world.table.under(&format!("#session:{}", mia.user()));
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        let mut item = session.item();
        item.remove("id");
        let opened = item["createdAt"].as_i64().unwrap();
        item.insert("createdAt".to_owned(), json!(opened - 60));
        world.table.put(&session.pk, &session.sk, &json!(item));
    }
    for person in [&mia, &back] {
        assert_eq!(world.look(person, "/contacts/new").await.status, 303);
    }
}

#[tokio::test]
async fn a_user_who_changes_organisation_or_role_keeps_the_session() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let other = world.sign_up("Other").await;
    let (mut mia, email) = world.joined(&owner, "viewer").await;
    let response = change(&world, &owner, &mia.user(), "member").await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(world.look(&mia, "/contacts/new").await.status, 200);
    let token = world.invitation(&other, &email, "member").await;
    let response = world.accept(&mia, &token, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    for tenant in ["acme", "other"] {
        let to = json!({ "tenant": tenant });
        world.change(&mut mia, "switch-organization", &to).await;
        mia.tenant = tenant.to_owned();
        assert_eq!(world.look(&mia, "/contacts/new").await.status, 200);
    }
}

/// A user whom their only organisation, that of `owner`, has removed. Returns their email and id.
async fn removed(product: &Product, owner: &Client) -> (String, String) {
    let email = format!("{}@example.com", uuid::Uuid::new_v4());
    let (_, joined) = join(product, owner, &email, Client::PASSWORD).await;
    let id = joined.data()["id"].as_str().expect("an id").to_owned();
    let response = owner.post("remove-member", &[("userId", &id)]).await;
    assert_eq!(response.status, 200, "{response:?}");
    (email, id)
}

/// Invites a user, who accepts with this password.
pub(super) async fn join(
    product: &Product,
    by: &Client,
    email: &str,
    password: &str,
) -> (Client, Answer) {
    let fields = [("email", email), ("role", "member")];
    let invited = by.post("invite-member", &fields).await.data();
    let link = invited["link"].as_str().expect("a link");
    let (_, token) = link.split_once("?token=").expect("a token");
    let client = product.client();
    let fields = [("token", token), ("name", "Mia"), ("password", password)];
    let response = client.post("accept-invite", &fields).await;
    (client, response)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_an_organisation_resets_the_password_and_accepts_an_invitation_with_it() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let (email, id) = removed(&product, &acme).await;
    ask(&product.client(), &email).await;
    let token = latest(&product, &table);
    let sessions = table.under("#session:").len();
    let user = json!({ "id": id, "name": "Mia", "email": email });
    for replayed in [false, true] {
        let client = product.client();
        let fields = [("token", token.as_str()), ("password", NEW)];
        let response = client.post_form("reset-password", &fields, Some("k")).await;
        assert_eq!(
            response.data(),
            json!({ "user": user, "tenant": null, "role": null })
        );
        assert_eq!(
            (response.is_replayed(), response.session()),
            (replayed, None)
        );
    }
    assert_eq!(table.under("#session:").len(), sessions);
    let generation = table.under(&format!("#generation:{id}"));
    assert_eq!(generation[0].get("generation"), 1);
    assert!(table.audits("reset-password").is_empty());
    let client = product.client();
    let fields = [("token", token.as_str()), ("password", "another one")];
    let other = client.post_form("reset-password", &fields, Some("k")).await;
    other.expect(422, "IDEMPOTENCY_ERROR");
    expect_gone(&reset(&client, &token, "another one").await);

    let (_, old) = sign_in(&product, &email, Client::PASSWORD).await;
    old.expect(401, "AUTH_ERROR");
    let (_, homeless) = sign_in(&product, &email, NEW).await;
    assert_eq!(
        (homeless.session(), &homeless.data()["role"]),
        (None, &json!(null))
    );
    let (back, joined) = join(&product, &acme, &email, NEW).await;
    assert_eq!(joined.data()["id"], json!(id));
    assert!(is_live(&back).await);
    assert_eq!(sign_in(&product, &email, NEW).await.1.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_an_organisation_is_redirected_to_sign_in() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let (email, _) = removed(&product, &acme).await;
    let client = product.client();
    ask(&client, &email).await;
    let token = latest(&product, &table);
    let page = client.page(&format!("/reset-password?token={token}")).await;
    let key = page.hidden("idempotency_key").expect("a key");
    let fields = [
        ("token", token.as_str()),
        ("password", NEW),
        ("idempotency_key", &key),
    ];
    for _ in 0..2 {
        let done = client.submit("reset-password", &fields).await;
        assert_eq!(
            (done.status, done.header("location")),
            (303, Some("/sign-in#password-set"))
        );
        assert_eq!(done.session(), None);
    }
    let fields = [("email", email.as_str()), ("password", NEW)];
    let told = client.submit("sign-in", &fields).await;
    let next = told.header("location").unwrap_or_default().to_owned();
    assert!(next.starts_with("/new-organization?token="), "{told:?}");
    let page = client.page(&next).await;
    assert!(
        page.text
            .contains("ask an admin of yours for an invitation"),
        "{page:?}"
    );
}
