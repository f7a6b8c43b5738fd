//! The history of a contact, on its page.

use action::Role;
use edge_crm_tests::Record;
use edge_crm_tests::inside::{Inside, event, invoke};
use edge_crm_tests::world::{Person, World};
use serde_json::{Value, json};
use std::sync::Arc;

fn user(person: &Person) -> &str {
    person.session.split('.').nth(3).unwrap()
}

/// The lines of the history on a contact's page.
async fn history(world: &World, person: &Person, id: &str) -> Vec<String> {
    let page = world.look(person, &format!("/contacts/{id}")).await;
    assert_eq!(page.status, 200, "{page:?}");
    let list = page.text.split("<ol class=\"events\">").nth(1);
    let Some(list) = list.and_then(|rest| rest.split("</ol>").next()) else {
        return Vec::new();
    };
    let line = |item: &str| {
        let span = item.split("<span>").nth(1)?.split("</span>").next()?;
        assert!(item.contains("<time datetime=\"20"), "{item}");
        Some(span.replace("<bdi>", "").replace("</bdi>", ""))
    };
    list.split("<li>").filter_map(line).collect()
}

fn membership(world: &World, person: &Person) -> Record {
    let members = world.table.under("acme:members");
    let member = members.into_iter().find(|member| member.sk == user(person));
    member.expect("a membership")
}

/// Gives a member another name, directly in the table.
fn rename(world: &World, person: &Person, name: &str) {
    let member = membership(world, person);
    let mut item = member.item();
    item.insert("id".to_owned(), json!(user(person)));
    item.insert("name".to_owned(), json!(name));
    world
        .table
        .put(&member.pk, &member.sk, &Value::Object(item));
}

#[tokio::test]
async fn a_history_shows_the_names_of_its_day() {
    let world = World::start().await;
    let mut ada = world.sign_up("Acme").await;
    let mut bob = world.join(&ada, Role::Member);
    rename(&world, &bob, "Bob <b>");
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
    let contact = world.change(&mut ada, "create-contact", &fields).await;
    let id = contact["id"].as_str().unwrap().to_owned();
    let fields = json!({ "id": id, "version": 1, "name": "Zoë", "email": "z@example.com" });
    world.change(&mut bob, "update-contact", &fields).await;
    assert_eq!(
        history(&world, &bob, &id).await,
        ["Updated by Bob &#60;b&#62;", "Created by Ada"]
    );

    rename(&world, &bob, "Robert");
    let member = membership(&world, &ada);
    world.table.remove(&member.pk, &member.sk);
    // No action made these changes, so the edge still has the old page. A user who has just saved
    // something bypasses it.
    let fields = json!({ "name": "Bo", "email": "bo@example.com" });
    world.change(&mut bob, "create-contact", &fields).await;
    assert_eq!(
        history(&world, &bob, &id).await,
        [
            "Updated by Bob &#60;b&#62;",
            "Created by Ada (former member)"
        ]
    );
}

#[tokio::test]
async fn a_history_shows_twenty_entries_and_is_not_in_the_json() {
    let world = World::start().await;
    let mut ada = world.sign_up("Acme").await;
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
    let mut contact = world.change(&mut ada, "create-contact", &fields).await;
    let id = contact["id"].as_str().unwrap().to_owned();
    for version in 1..=22 {
        let fields =
            json!({ "id": id, "version": version, "name": "Zoë", "email": "z@example.com" });
        contact = world.change(&mut ada, "update-contact", &fields).await;
    }
    assert_eq!(history(&world, &ada, &id).await, ["Updated by Ada"; 20]);
    let entries = world.table.under(&format!("#timeline:acme:contacts:{id}"));
    assert_eq!(entries.len(), 23);
    let audits: Vec<_> = world.table.audits("update-contact");
    assert_eq!(
        entries[22].sk, audits[21].sk,
        "an entry has the id of its audit record"
    );
    let path = format!("/t/acme/contacts/{id}");
    let json = world.send(ada.get(&path, "application/json")).await.json();
    assert_eq!(json, json!({ "ok": true, "data": contact }));
}

/// The history and the rest of the page are read concurrently with the contact.
#[tokio::test]
async fn a_history_costs_no_additional_round_trip() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
    let created = inside.post(&create, &cookie, &fields).await;
    let id = created.json["data"]["id"].as_str().unwrap();
    let get = edge_crm_tests::runner(Arc::clone(&inside.app), "get-contact");
    inside.proxy.calls();
    let request = event("GET", &format!("/t/acme/contacts/{id}"), &cookie, "");
    assert_eq!(invoke(&get, &request).await.status, 200);
    let mut calls = inside.proxy.calls();
    calls.sort();
    assert_eq!(calls, ["BatchGetItem", "Query", "Query"]);
}

#[tokio::test]
async fn a_refused_change_leaves_no_entry() {
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
    let created = world.act(&ada, "create-contact", &fields).await.json();
    let before = world.table.under("#timeline:");
    let fields = json!({ "id": created["data"]["id"], "version": 7, "name": "Z", "email": "z@b" });
    assert_eq!(world.act(&ada, "update-contact", &fields).await.status, 409);
    assert_eq!(world.table.under("#timeline:"), before);
}
