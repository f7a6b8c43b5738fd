//! What readers see before and after a change.

use action::Role;
use edge_crm_local::Faults;
use edge_crm_tests::world::{Person, World};
use serde_json::{Value, json};
use std::time::Duration;
use wrapper::Revalidation;

fn contact(name: &str) -> Value {
    json!({ "name": name, "email": format!("{}@example.com", uuid::Uuid::new_v4()) })
}

/// An organisation with two people, who have both got the list from the cache, and another one.
struct Two {
    world: World,
    writer: Person,
    reader: Person,
    other: Person,
}

impl Two {
    async fn start(revalidation: Revalidation) -> Self {
        let world = World::with(revalidation).await;
        let owner = world.sign_up("Acme").await;
        let [writer, reader] = [Role::Member; 2].map(|role| world.join(&owner, role));
        let elsewhere = world.sign_up("Other").await;
        let other = world.join(&elsewhere, Role::Member);
        world.settled(Duration::from_secs(5)).await;
        let two = Self {
            world,
            writer,
            reader,
            other,
        };
        two.warm().await;
        two
    }

    /// Everybody's list is cached from here on.
    async fn warm(&self) {
        for person in [&self.reader, &self.other] {
            let first = self.world.look(person, "/contacts").await;
            assert_eq!(first.status, 200, "{first:?}");
            assert!(self.world.look(person, "/contacts").await.is_hit());
        }
    }
}

#[tokio::test]
async fn a_list_is_a_miss_and_then_a_hit_for_everybody_of_the_role() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let [first, second] = [Role::Member; 2].map(|role| world.join(&owner, role));
    let admin = world.join(&owner, Role::Admin);
    let miss = world.look(&first, "/contacts").await;
    assert_eq!(miss.header("x-cache"), "Miss from cloudfront");
    let hit = world.look(&second, "/contacts").await;
    assert!(hit.is_hit());
    assert_eq!(hit.text, miss.text);
    assert!(hit.header("age").parse::<u32>().unwrap() < 5);
    assert_eq!(
        hit.header("cache-control"),
        "max-age=0, must-revalidate, s-maxage=300, stale-if-error=0"
    );
    for answer in [&miss, &hit] {
        assert_eq!(answer.header("cache-tag"), "", "a tag names what is inside");
        assert_eq!(answer.header("set-cookie"), "");
    }
    assert!(
        !world.look(&admin, "/contacts").await.is_hit(),
        "another role has another page"
    );
    let json = world
        .send(first.get("/t/acme/contacts", "application/json"))
        .await;
    assert!(!json.is_hit() && json.json()["ok"] == true);
    assert!(
        world
            .send(second.get("/t/acme/contacts", "application/json"))
            .await
            .is_hit()
    );
    let search = world.look(&first, "/contacts?q=zoe&utm_source=mail").await;
    assert!(!search.is_hit());
    assert!(
        world
            .look(&second, "/contacts?q=zoe&fbclid=1")
            .await
            .is_hit(),
        "other names do not count"
    );
}

#[tokio::test]
async fn after_any_change_its_writer_sees_it_at_once_and_everybody_after_the_purge() {
    let mut two = Two::start(Revalidation::Inline).await;
    let created = two
        .world
        .change(&mut two.writer, "create-contact", &contact("First"))
        .await;
    let id = created["id"].as_str().unwrap().to_owned();
    let changes: [(&str, Value, &str); 2] = [
        (
            "update-contact",
            json!({ "id": id, "version": 1, "name": "Second", "email": created["email"] }),
            "Second",
        ),
        ("delete-contact", json!({ "id": id }), "No contacts yet"),
    ];
    let mut expected = "First";
    for step in 0..=changes.len() {
        let own = two.world.look(&two.writer, "/contacts").await;
        assert!(own.text.contains(expected), "{expected} for the writer");
        let others = two.world.look(&two.reader, "/contacts").await;
        assert!(
            !others.is_hit() && others.text.contains(expected),
            "{expected} for others"
        );
        assert!(
            two.world.look(&two.other, "/contacts").await.is_hit(),
            "another organisation's page stays"
        );
        two.warm().await;
        let detail = two
            .world
            .look(&two.reader, &format!("/contacts/{id}"))
            .await;
        assert_eq!(detail.status, if step == 2 { 404 } else { 200 });
        if let Some((action, fields, next)) = changes.get(step) {
            two.world.change(&mut two.writer, action, fields).await;
            expected = next;
        }
    }
}

#[tokio::test]
async fn in_the_background_the_writer_still_sees_it_at_once_and_everybody_soon() {
    let mut two = Two::start(Revalidation::Background).await;
    let fields = contact("First");
    let answer = two.world.act(&two.writer, "create-contact", &fields).await;
    two.writer.learn(&answer);
    assert_eq!(
        answer.json()["revalidated"],
        json!([]),
        "it is not said to be done"
    );
    assert!(
        two.world
            .look(&two.writer, "/contacts")
            .await
            .text
            .contains("First")
    );
    for _ in 0..50 {
        if two
            .world
            .look(&two.reader, "/contacts")
            .await
            .text
            .contains("First")
        {
            assert!(two.world.look(&two.other, "/contacts").await.is_hit());
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the page stays stale");
}

#[tokio::test]
async fn a_change_to_what_nobody_looks_at_costs_no_purge() {
    let world = World::start().await;
    let mut owner = world.sign_up("Acme").await;
    let before = world.distribution.counters().invalidation_requests;
    for n in 0..20 {
        world
            .change(
                &mut owner,
                "create-contact",
                &contact(&format!("Person {n}")),
            )
            .await;
    }
    assert_eq!(world.distribution.counters().invalidation_requests, before);
    assert!(world.table.under("#outbox:").is_empty());
}

/// One purge when the first of them is made; the others rely on it, as nobody has looked since.
#[tokio::test]
async fn many_changes_after_one_look_share_a_purge() {
    let mut two = Two::start(Revalidation::Inline).await;
    let before = two.world.distribution.counters().items;
    for n in 0..20 {
        let fields = contact(&format!("Person {n}"));
        two.world
            .change(&mut two.writer, "create-contact", &fields)
            .await;
    }
    assert_eq!(two.world.distribution.counters().items, before + 1);
    assert_eq!(
        two.world.table.under("#outbox:").len(),
        1,
        "the second purge is still to come"
    );
    let seen = two.world.look(&two.reader, "/contacts").await;
    assert!(seen.text.contains("Person 19"));
}

/// Its page is in the cache when the first change is done with its purge: the second must purge
/// anew.
#[tokio::test]
async fn who_looks_while_a_purge_is_under_way_sees_the_next_change_too() {
    let mut two = Two::start(Revalidation::Inline).await;
    let world = &two.world;
    world.faults(Faults {
        answer_delay: Duration::from_millis(200),
        ..Faults::default()
    });
    let (first, second) = (contact("First"), contact("Second"));
    let look = async {
        tokio::time::sleep(Duration::from_millis(120)).await;
        world.look(&two.reader, "/contacts").await
    };
    let (answer, seen) = tokio::join!(world.act(&two.writer, "create-contact", &first), look);
    assert!(
        !seen.is_hit() && seen.text.contains("First"),
        "purged, and not yet answered"
    );
    assert!(world.look(&two.reader, "/contacts").await.is_hit());
    two.writer.learn(&answer);
    two.world.faults(Faults::default());
    two.world
        .change(&mut two.writer, "create-contact", &second)
        .await;
    assert!(
        two.world
            .look(&two.reader, "/contacts")
            .await
            .text
            .contains("Second")
    );
}

#[tokio::test]
async fn values_of_fresh_of_another_shape_are_ignored() {
    let two = Two::start(Revalidation::Inline).await;
    for junk in [
        "x",
        "AAAAAAAAAAAAAAAAAAAAA|",
        "AAAAAAAAAAAAAAAAAAAAAAA",
        "owner|html",
    ] {
        let odd = Person {
            fresh: junk.to_owned(),
            ..two.reader.clone()
        };
        assert!(two.world.look(&odd, "/contacts").await.is_hit(), "{junk}");
    }
    let own = Person {
        fresh: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ..two.reader.clone()
    };
    assert!(!two.world.look(&own, "/contacts").await.is_hit());
}
