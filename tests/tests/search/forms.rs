//! An index whose texts have an earlier form: that of the version before an update.

use crate::scene::{SMALL, Scene};
use action::Entity;
use crm::{Contact, ContactFields};
use edge_crm_local::{RebuildOptions, rebuild_search};
use serde_json::{Value, json};

const HEAD: (&str, &str) = ("#search:acme:contacts", "head");

/// A contact without an email, which the earlier form does not find by its phone number.
async fn with_phone(scene: &Scene, at: u64) -> Contact {
    let fields = ContactFields {
        name: "Zoë".into(),
        phone: Some("+1 (555) 123-4567".into()),
        ..ContactFields::default()
    };
    let contact = Contact {
        details: fields.details().unwrap(),
        ..scene.contact("", at)
    };
    scene
        .commit(contact.clone().create(&scene.actor.tenant))
        .await;
    contact
}

/// Makes the index one of the version before: without the form, and without the lists that it lacked.
fn age_index(scene: &Scene) {
    let mut head = head(scene);
    head.as_object_mut().unwrap().remove("form");
    scene.table.put(HEAD.0, HEAD.1, &head);
    for list in scene.table.under("#search:acme:contacts:1") {
        if list.sk.contains("555") || list.sk.contains("zoe") {
            scene.table.remove(&list.pk, &list.sk);
        }
    }
}

fn head(scene: &Scene) -> Value {
    let mut records = scene.table.under(HEAD.0);
    records.retain(|record| record.pk == HEAD.0);
    Value::Object(records.remove(0).item())
}

async fn old_scene() -> (Scene, Contact) {
    let scene = Scene::new(Some(SMALL)).await;
    let zoe = with_phone(&scene, 0).await;
    for n in 1..8 {
        scene.create(&format!("Person {n}"), n * 1_000).await;
    }
    assert_eq!(scene.index().await, 8);
    age_index(&scene);
    (scene, zoe)
}

#[tokio::test]
async fn a_search_does_not_trust_an_index_of_an_earlier_form() {
    let (scene, zoe) = old_scene().await;
    for query in ["5551234567", "zoe", "zoë (555)"] {
        let found = scene.search(query, None, 5).await;
        assert_eq!(found, [zoe.id.to_string()], "{query}");
    }
}

#[tokio::test]
async fn an_index_of_an_earlier_form_is_built_again_by_itself() {
    let (scene, zoe) = old_scene().await;
    scene.create("Ada", 9_000).await;
    scene.index().await;
    let head = head(&scene);
    assert_eq!(head["form"], json!(Contact::TEXTS_FORM));
    assert_eq!(
        (&head["generation"], &head["stale"]),
        (&json!(2), &json!([1]))
    );
    let lists = scene.table.under("#search:acme:contacts:2");
    assert!(lists.iter().any(|list| list.sk.starts_with("3555:")));
    assert!(lists.iter().any(|list| list.sk.starts_with("3zoe:")));
    assert!(scene.table.under("#unindexed:").is_empty());
    for query in ["5551234567", "zoe", "zoë (555)"] {
        let found = scene.search(query, None, 5).await;
        assert_eq!(found, [zoe.id.to_string()], "{query}");
    }
    assert_eq!(scene.search("person", None, 50).await.len(), 7);
}

/// Nobody has saved a contact since the update, but somebody searches.
#[tokio::test]
async fn a_search_asks_for_the_index_that_it_misses() {
    let (scene, zoe) = old_scene().await;
    assert_eq!(scene.index().await, 0);
    for _ in 0..2 {
        let found = scene.search("5551234567", None, 5).await;
        assert_eq!(found, [zoe.id.to_string()]);
    }
    let waiting = scene.table.under("#unindexed:");
    assert_eq!(waiting.len(), 1);
    // An action's own record stays as it is.
    let before = scene.create("Ada", 9_000).await;
    scene.search("zoe", None, 5).await;
    let records = scene.table.under("#unindexed:");
    let own = records
        .iter()
        .find(|one| one.sk.ends_with(before.id.as_str()));
    assert_eq!(
        own.map(|own| own.get("texts")[0].clone()),
        Some(json!("ada"))
    );

    assert!(scene.index().await >= 8);
    assert_eq!(head(&scene)["form"], json!(Contact::TEXTS_FORM));
    assert!(scene.table.under("#unindexed:").is_empty());
    for (query, count) in [("5551234567", 1), ("person", 7), ("ada", 1)] {
        assert_eq!(scene.search(query, None, 50).await.len(), count, "{query}");
    }
}

#[tokio::test]
async fn the_command_builds_an_index_of_an_earlier_form_again() {
    let (scene, zoe) = old_scene().await;
    let options = RebuildOptions {
        target: scene.table.target(),
        tenant: None,
    };
    let built = rebuild_search(&options).await.unwrap();
    assert_eq!(built[0].1.map(|built| built.entities), Some(8));
    let head = head(&scene);
    assert_eq!(head["form"], json!(Contact::TEXTS_FORM));
    assert_eq!(
        (&head["generation"], &head["stale"]),
        (&json!(2), &json!([]))
    );
    let found = scene.search("5551234567", None, 5).await;
    assert_eq!(found, [zoe.id.to_string()]);
}

/// A contact that the version before has saved, and nobody has indexed yet.
#[tokio::test]
async fn a_waiting_record_of_an_earlier_form_is_found_and_indexed_as_the_contact_is() {
    let scene = Scene::new(Some(SMALL)).await;
    for n in 0..5 {
        scene.create(&format!("Person {n}"), n * 1_000).await;
    }
    assert_eq!(scene.index().await, 5);
    let zoe = with_phone(&scene, 500).await;
    let record = scene.table.under("#unindexed:").remove(0);
    let mut old = record.item();
    old.remove("form");
    old.insert("texts".to_owned(), json!(["zoë"]));
    scene.table.put(&record.pk, &record.sk, &Value::Object(old));
    let expected = [zoe.id.to_string()];
    assert_eq!(scene.search("5551234567", None, 5).await, expected);
    assert_eq!(scene.index().await, 1);
    assert!(scene.table.under("#unindexed:").is_empty());
    assert_eq!(scene.search("5551234567 zoe", None, 5).await, expected);
    let lists = scene.table.under("#search:acme:contacts:1");
    assert!(lists.iter().any(|list| list.sk.starts_with("3555:")));
}
