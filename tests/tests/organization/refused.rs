//! Refusals of signed-in users: counted, bounded, and removed after 30 days.

use action::Role;
use edge_crm_tests::Record;
use edge_crm_tests::fault::{Fault, Strike};
use edge_crm_tests::inside::{Inside, config, no_edge};
use edge_crm_tests::now;
use edge_crm_tests::world::{Person, Response, World};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use wrapper::Config;

const UNKNOWN: &str = "0197a3b0-0000-7000-8000-00000000000f";
const MONTH: i64 = 30 * 86_400;

fn user(person: &Person) -> &str {
    person.session.split('.').nth(3).unwrap()
}

async fn refused(world: &World, person: &Person, action: &str, fields: Value) -> Response {
    let response = world.act(person, action, &fields).await;
    assert!(response.status >= 400, "{response:?}");
    response
}

fn counter(world: &World, person: &Person, action: &str, code: &str) -> Option<Record> {
    let name = format!("{}:{action}:{code}", user(person));
    let counters = world.table.under("#refused:acme");
    counters.into_iter().find(|counter| counter.sk == name)
}

#[tokio::test]
async fn every_reason_has_one_counter_for_each_user_and_action() {
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    let (bob, vic) = (
        world.join(&ada, Role::Member),
        world.join(&ada, Role::Viewer),
    );
    let contact = json!({ "name": "Zoë", "email": "zoe@example.com", "idempotency_key": "k" });
    let created = world.act(&ada, "create-contact", &contact).await.json();
    let id = &created["data"]["id"];
    assert!(
        world.table.under("#refused:").is_empty(),
        "a success is not counted"
    );

    for n in 0..5 {
        let invalid = json!({ "name": "", "email": format!("wrong {n}") });
        refused(&world, &bob, "create-contact", invalid).await;
        refused(&world, &bob, "delete-contact", json!({ "id": id })).await;
    }
    refused(&world, &bob, "delete-contact", json!({ "id": UNKNOWN })).await;
    refused(&world, &vic, "create-contact", contact.clone()).await;
    let twice = json!({ "name": "Zoë", "email": "ZOE@example.com" });
    refused(&world, &ada, "create-contact", twice).await;
    let other = json!({ "name": "Zoë", "email": "bo@example.com", "idempotency_key": "k" });
    refused(&world, &ada, "create-contact", other).await;

    let counted = |person: &Person, action: &str, code: &str| {
        counter(&world, person, action, code).map(|counter| counter.get("count"))
    };
    for (person, action, code, count) in [
        (&bob, "create-contact", "VALIDATION_ERROR", 5),
        (&bob, "delete-contact", "AUTH_ERROR", 5),
        (&bob, "delete-contact", "NOT_FOUND", 1),
        (&vic, "create-contact", "AUTH_ERROR", 1),
        (&ada, "create-contact", "CONFLICT", 1),
        (&ada, "create-contact", "IDEMPOTENCY_ERROR", 1),
    ] {
        assert_eq!(
            counted(person, action, code),
            Some(json!(count)),
            "{action} {code}"
        );
    }
    assert_eq!(world.table.under("#refused:").len(), 6);
    let counter = counter(&world, &bob, "create-contact", "VALIDATION_ERROR").unwrap();
    let left = counter.get("expires_at").as_i64().unwrap() - now();
    assert!((MONTH - 60..=MONTH).contains(&left), "{left}");
    assert!(counter.get("firstAt").as_str() < counter.get("lastAt").as_str());
}

#[tokio::test]
async fn refusals_without_a_live_session_are_not_counted() {
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    let forged = Person {
        session: format!("{}x", ada.session),
        ..ada.clone()
    };
    let invalid = json!({ "name": "" });
    for person in [Person::default(), forged] {
        refused(&world, &person, "create-contact", invalid.clone()).await;
    }
    let wrong = json!({ "email": "nobody@example.com", "password": "a wrong password" });
    refused(&world, &Person::default(), "sign-in", wrong).await;
    assert_eq!(world.act(&ada, "sign-out", &json!({})).await.status, 200);
    refused(&world, &ada, "create-contact", invalid).await;
    assert_eq!(world.table.under("#refused:"), []);
}

#[tokio::test]
async fn requests_over_the_limit_are_counted_too() {
    let limited = Config {
        rate_limit_per_user: 2,
        ..config()
    };
    let inside = Inside::with(limited, no_edge()).await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    let mut statuses = Vec::new();
    for n in 0..6 {
        let fields = json!({ "name": "Zoë", "email": format!("z{n}@example.com") });
        statuses.push(inside.post(&create, &cookie, &fields).await.status);
    }
    let too_many = statuses.iter().filter(|status| **status == 429).count();
    assert!(too_many >= 2, "{statuses:?}");
    let counters = inside.table.under("#refused:acme");
    assert_eq!(counters.len(), 1);
    assert!(counters[0].sk.ends_with(":create-contact:RATE_LIMIT_ERROR"));
    assert_eq!(counters[0].get("count"), json!(too_many));
}

#[tokio::test]
async fn a_refusal_does_not_wait_long_for_its_count() {
    let hurried = Config {
        best_effort_timeout: Duration::from_millis(10),
        ..config()
    };
    let inside = Inside::with(hurried, no_edge()).await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    let mut held = Strike::always(Fault::HeldCall);
    held.call = "UpdateItem".to_owned();
    inside.proxy.plan(vec![held]);
    let response = inside.post(&create, &cookie, &json!({ "name": "" })).await;
    assert_eq!(response.status, 400, "{response:?}");
    assert_eq!(inside.table.under("#refused:"), []);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_counted_is_still_returned() {
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    let name = format!("{}:delete-contact:NOT_FOUND", user(&ada));
    let broken = json!({ "count": "many" });
    world.table.put("#refused:acme", &name, &broken);
    let response = refused(&world, &ada, "delete-contact", json!({ "id": UNKNOWN })).await;
    assert_eq!(
        (response.status, &response.json()["code"]),
        (404, &json!("NOT_FOUND"))
    );
    let counter = counter(&world, &ada, "delete-contact", "NOT_FOUND").unwrap();
    assert_eq!(counter.item(), *broken.as_object().unwrap());
}

#[tokio::test]
async fn admins_see_refusals_until_they_expire() {
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    let bob = world.join(&ada, Role::Viewer);
    for (person, action) in [(&bob, "create-contact"), (&ada, "delete-contact")] {
        for _ in 0..2 {
            refused(
                &world,
                person,
                action,
                json!({ "id": UNKNOWN, "name": "", "email": "" }),
            )
            .await;
        }
    }
    let shown = async |query: &str| -> Vec<Value> {
        let path = format!("/t/acme/audit{query}");
        let mut response = world.send(ada.get(&path, "application/json")).await.json();
        serde_json::from_value(response["data"]["refused"].take()).unwrap()
    };
    let all = shown("").await;
    assert_eq!(all.len(), 2);
    let latest = counter(&world, &ada, "delete-contact", "NOT_FOUND").unwrap();
    assert_eq!(
        all[0],
        json!({
            "userId": user(&ada), "userName": "Ada", "action": "delete-contact", "code": "NOT_FOUND",
            "count": 2, "firstAt": latest.get("firstAt"), "lastAt": latest.get("lastAt"),
        })
    );
    assert_eq!(
        (&all[1]["userId"], &all[1]["userName"]),
        (&json!(user(&bob)), &json!("Mia Member"))
    );
    assert_eq!(
        shown(&format!("?user={}", user(&bob))).await,
        [all[1].clone()]
    );
    assert_eq!(shown("?action=delete-contact").await, [all[0].clone()]);
    assert_eq!(
        shown(&format!("?record={UNKNOWN}")).await,
        [Value::Null; 0],
        "refusals belong to no record"
    );
    let page = world.look(&ada, "/audit").await;
    for text in [
        "Refused in the last 30 days",
        "delete-contact: NOT_FOUND, 2 times",
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }

    let mut lapsed = latest.item();
    lapsed.insert("expires_at".to_owned(), json!(now() - 1));
    world
        .table
        .put(&latest.pk, &latest.sk, &Value::Object(lapsed));
    assert_eq!(shown("").await, [all[1].clone()]);
}
