//! Former members: their actions keep showing their name, also after they rejoin.

use super::members::remove;
use super::password_resets::{ask, is_live, latest};
use super::rejoining::join;
use edge_crm_tests::people::{PASSWORD, token};
use edge_crm_tests::world::{Person, World};
use edge_crm_tests::{Table, product_with_table};
use serde_json::json;

/// The name of a contact's creator, on the contact's page and on the audit page.
async fn called(world: &World, reader: &Person, contact: &str, user: &str) -> [String; 2] {
    let between = |text: &str, start: &str, end: &str| {
        let rest = text.split_once(start)?.1;
        let within = rest.split_once(end)?.0;
        Some(within.replace("<bdi>", "").replace("</bdi>", ""))
    };
    let contact = world.look(reader, &format!("/contacts/{contact}")).await;
    let audit = world.look(reader, &format!("/audit?user={user}")).await;
    let options = between(&audit.text, "<select id=\"user\"", "</select>");
    let chosen = options.and_then(|text| between(&text, "selected>", "</option>"));
    let by = between(&contact.text, "<span>Created by ", "</span>");
    [by, chosen].map(|name| name.expect("a name"))
}

#[tokio::test]
async fn a_former_member_is_still_named_and_rejoins_under_the_current_name() {
    let world = World::start().await;
    let mut ada = world.sign_up("Acme").await;
    let (mut mia, email) = world.joined(&ada, "member").await;
    let user = mia.user();
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
    let contact = world.change(&mut mia, "create-contact", &fields).await;
    let id = contact["id"].as_str().expect("an id");
    let name = world.member("acme", &user)["name"].clone();
    let name = name.as_str().expect("a name");
    assert_eq!(called(&world, &ada, id, &user).await, [name, name]);

    let removed = json!({ "userId": user });
    world.change(&mut ada, "remove-member", &removed).await;
    let left = format!("{name} (former member)");
    let told = called(&world, &ada, id, &user).await;
    assert_eq!(told, [left.as_str(); 2], "the old page is stale");
    let path = format!("/t/acme/audit?user={user}&action=create-contact");
    let json = world.send(ada.get(&path, "application/json")).await.json();
    assert_eq!(json["data"]["records"][0]["userName"], name);
    let file = world.look(&ada, &format!("/audit.csv?user={user}")).await;
    assert!(file.text.contains(&format!("\"{name}\"")), "{}", file.text);
    let members = world.look(&ada, "/members").await;
    assert!(!members.text.contains(name), "{}", members.text);

    let token = world.invitation(&ada, &email, "member").await;
    let response = world.accept(&Person::default(), &token, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    let fresh = json!({ "name": "Bo", "email": "bo@example.com" });
    world.change(&mut ada, "create-contact", &fresh).await;
    assert_eq!(called(&world, &ada, id, &user).await, [name, name]);
}

#[tokio::test]
async fn a_withdrawn_invitation_leaves_no_name() {
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    world.invitation(&ada, "new@example.com", "member").await;
    let members = world.table.under("acme:members");
    let invited = members
        .iter()
        .find(|member| member.get("status") == "invited");
    let id = invited.expect("an invitation").sk.clone();
    assert_eq!(remove(&world, &ada, &id).await.status, 200);
    assert!(world.table.under("#former:acme").is_empty());
}

/// A saved result may be outdated: a replay opens no session in an organisation that the user has
/// left, or with a role that the user no longer has.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_signs_in_only_current_members_and_with_their_current_role() {
    let (product, table) = product_with_table().await;
    let send = async |action: &str, fields: &[(&str, &str)]| {
        let client = product.client();
        client.post_form(action, fields, Some("k")).await
    };
    let founded = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", PASSWORD),
        ("organization", "Acme"),
    ];
    let first = send("sign-up", &founded).await;
    let ada = product.client_with(&first.session().expect("a session"), "acme");
    let invitation = async |role: &str| {
        let invited = [("email", "eve@example.com"), ("role", role)];
        let data = ada.post("invite-member", &invited).await.data();
        token(data["link"].as_str().expect("a link"))
    };
    let link = invitation("owner").await;
    let accepted = [
        ("token", link.as_str()),
        ("name", "Eve"),
        ("password", PASSWORD),
    ];
    let first = send("accept-invite", &accepted).await;
    let eve = product.client_with(&first.session().expect("a session"), "acme");
    table.confirm_emails();
    ask(&product.client(), "eve@example.com").await;
    let link = latest(&product, &table);
    let reset = [("token", link.as_str()), ("password", PASSWORD)];
    let first = send("reset-password", &reset).await;
    assert_eq!(first.status, 200, "{first:?}");
    let user = first.data()["user"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();

    let change = [("userId", user.as_str()), ("role", "viewer")];
    assert_eq!(ada.post("change-role", &change).await.status, 200);
    for (action, fields) in [("accept-invite", &accepted[..]), ("reset-password", &reset)] {
        let again = send(action, fields).await;
        assert!(again.is_replayed() && again.status == 200, "{again:?}");
        let session = again.session().expect("a session");
        assert!(session.contains(".viewer."), "{action}: {session}");
    }

    let removed = [("userId", user.as_str())];
    assert_eq!(ada.post("remove-member", &removed).await.status, 200);
    for (action, fields) in [("accept-invite", &accepted[..]), ("reset-password", &reset)] {
        let again = send(action, fields).await;
        again.expect(401, "AUTH_ERROR");
        assert_eq!(again.session(), None, "{action}");
    }
    assert!(!is_live(&eve).await);

    let (_, joined) = join(&product, &ada, "bo@example.com", PASSWORD).await;
    let bo = joined.data()["id"].as_str().expect("an id").to_owned();
    let change = [("userId", bo.as_str()), ("role", "owner")];
    assert_eq!(ada.post("change-role", &change).await.status, 200);
    let again = send("sign-up", &founded).await;
    assert!(
        again.is_replayed() && again.session().is_some(),
        "{again:?}"
    );
    assert_eq!(
        ada.post("remove-member", &[("userId", &ada_id(&table))])
            .await
            .status,
        200
    );
    let again = send("sign-up", &founded).await;
    again.expect(401, "AUTH_ERROR");
    assert_eq!(again.session(), None);
}

/// The id of the organisation's founder.
fn ada_id(table: &Table) -> String {
    let members = table.under("acme:members");
    let ada = members.iter().find(|member| member.get("name") == "Ada");
    ada.expect("Ada").sk.clone()
}
