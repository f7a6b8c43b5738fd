//! Who has left: what they did stays theirs by name, until they come back.

use super::members::remove;
use edge_crm_tests::people::PASSWORD;
use edge_crm_tests::world::{Person, World};
use serde_json::json;

/// What the page of a contact and that of the audit call whoever made the contact.
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
async fn who_has_left_is_still_named_and_comes_back_under_the_name_of_then() {
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
    assert_eq!(told, [left.as_str(); 2], "the page of before is stale");
    let path = format!("/t/acme/audit?user={user}&action=create-contact");
    let json = world.send(ada.get(&path, "application/json")).await.json();
    assert_eq!(json["data"]["records"][0]["userName"], name);
    let file = world.look(&ada, &format!("/audit.csv?user={user}")).await;
    assert!(file.text.contains(&format!("\"{name}\"")), "{}", file.text);
    let members = world.look(&ada, "/members").await;
    assert!(!members.text.contains(name), "{}", members.text);

    let token = world.invitation(&ada, &email, "member").await;
    let answer = world.accept(&Person::default(), &token, PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let fresh = json!({ "name": "Bo", "email": "bo@example.com" });
    world.change(&mut ada, "create-contact", &fresh).await;
    assert_eq!(called(&world, &ada, id, &user).await, [name, name]);
}

#[tokio::test]
async fn of_an_invitation_that_is_withdrawn_no_name_is_kept() {
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    world.invitation(&ada, "new@example.com", "member").await;
    let members = world.table.under("acme:members");
    let invited = members.iter().find(|member| member.get("status") == "invited");
    let id = invited.expect("an invitation").sk.clone();
    assert_eq!(remove(&world, &ada, &id).await.status, 200);
    assert!(world.table.under("#former:acme").is_empty());
}
