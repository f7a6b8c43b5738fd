//! What readers see before and after a change.

use crate::{PATIENCE, claims_purge, purged};
use action::Role;
use edge_crm_local::Faults;
use edge_crm_tests::world::{Person, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use wrapper::Revalidation;

fn contact(name: &str) -> Value {
    json!({ "name": name, "email": format!("{}@example.com", uuid::Uuid::new_v4()) })
}

/// An organisation with two members, and a member of another organisation. The lists of contacts of
/// both organisations are cached.
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
        let other_owner = world.sign_up("Other").await;
        let other = world.join(&other_owner, Role::Member);
        world.settled(PATIENCE).await;
        let two = Self {
            world,
            writer,
            reader,
            other,
        };
        two.warm().await;
        two
    }

    /// Caches the lists of both organisations.
    async fn warm(&self) {
        for person in [&self.reader, &self.other] {
            let first = self.world.look(person, "/contacts").await;
            assert_eq!(first.status, 200, "{first:?}");
            assert!(self.world.look(person, "/contacts").await.is_hit());
        }
    }

    /// Runs an action of the writer, and returns its `data` once its purge is done: at once, or after
    /// a sweep if the response does not claim the purge.
    async fn change(&mut self, action: &str, fields: &Value) -> Value {
        let response = self.world.act(&self.writer, action, fields).await;
        assert_eq!(response.status, 200, "{action}: {response:?}");
        self.writer.learn(&response);
        if !claims_purge(&response) {
            purged(&self.world).await;
        }
        response.json()["data"].clone()
    }
}

#[tokio::test]
async fn a_list_is_a_miss_and_then_a_hit_for_everyone_with_the_role() {
    let (world, began) = (World::start().await, Instant::now());
    let owner = world.sign_up("Acme").await;
    let [first, second] = [Role::Member; 2].map(|role| world.join(&owner, role));
    let admin = world.join(&owner, Role::Admin);
    let miss = world.look(&first, "/contacts").await;
    assert_eq!(miss.header("x-cache"), "Miss from cloudfront");
    let hit = world.look(&second, "/contacts").await;
    assert!(hit.is_hit());
    assert_eq!(hit.text, miss.text);
    let age: u64 = hit.header("age").parse().unwrap();
    assert!(age <= began.elapsed().as_secs(), "{age}");
    assert_eq!(
        hit.header("cache-control"),
        "max-age=0, must-revalidate, s-maxage=300, stale-if-error=0"
    );
    for response in [&miss, &hit] {
        assert_eq!(
            response.header("cache-tag"),
            "",
            "a tag would reveal what is inside"
        );
        assert_eq!(response.header("set-cookie"), "");
    }
    assert!(
        !world.look(&admin, "/contacts").await.is_hit(),
        "another role gets another page"
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
        "unknown parameters do not count"
    );
}

#[tokio::test]
async fn the_writer_sees_a_change_at_once_and_everyone_after_the_purge() {
    let mut two = Two::start(Revalidation::Inline).await;
    let created = two.change("create-contact", &contact("First")).await;
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
        let writers = two.world.look(&two.writer, "/contacts").await;
        assert!(writers.text.contains(expected), "{expected} for the writer");
        let others = two.world.look(&two.reader, "/contacts").await;
        assert!(
            !others.is_hit() && others.text.contains(expected),
            "{expected} for others"
        );
        assert!(
            two.world.look(&two.other, "/contacts").await.is_hit(),
            "another organisation's page stays cached"
        );
        two.warm().await;
        let detail = two
            .world
            .look(&two.reader, &format!("/contacts/{id}"))
            .await;
        assert_eq!(detail.status, if step == 2 { 404 } else { 200 });
        if let Some((action, fields, next)) = changes.get(step) {
            two.change(action, fields).await;
            expected = next;
        }
    }
}

#[tokio::test]
async fn with_background_purges_the_writer_sees_a_change_at_once_and_everyone_soon() {
    let mut two = Two::start(Revalidation::Background).await;
    let fields = contact("First");
    let response = two.world.act(&two.writer, "create-contact", &fields).await;
    two.writer.learn(&response);
    assert_eq!(
        response.json()["revalidated"],
        json!([]),
        "the response does not claim the purge"
    );
    assert!(
        two.world
            .look(&two.writer, "/contacts")
            .await
            .text
            .contains("First")
    );
    let late = Instant::now() + PATIENCE;
    while Instant::now() < late {
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
async fn a_change_to_a_page_that_nobody_looks_at_costs_no_purge() {
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

/// The first change purges. The others rely on it, as nobody has looked since.
#[tokio::test]
async fn many_changes_after_one_look_share_a_purge() {
    let mut two = Two::start(Revalidation::Inline).await;
    let before = two.world.distribution.counters().items;
    for n in 0..20 {
        let fields = contact(&format!("Person {n}"));
        two.change("create-contact", &fields).await;
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

/// A page is rendered after the first change's purge took effect and before the change knows of it.
/// The second change must purge that page.
#[tokio::test]
async fn a_reader_who_looks_during_a_purge_sees_the_next_change_too() {
    let mut two = Two::start(Revalidation::Inline).await;
    let late = Instant::now() + PATIENCE;
    for n in 0.. {
        assert!(Instant::now() < late, "no purge is ever in time");
        let (first, second) = (format!("First {n}."), format!("Second {n}."));
        let purges = || two.world.distribution.counters().invalidations;
        let before = purges();
        two.world.faults(Faults {
            response_delay: Duration::from_millis(200),
            ..Faults::default()
        });
        let look = async {
            while purges() == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            two.world.look(&two.reader, "/contacts").await
        };
        let fields = contact(&first);
        let change = two.world.act(&two.writer, "create-contact", &fields);
        let (response, seen) = tokio::join!(change, look);
        assert!(
            !seen.is_hit() && seen.text.contains(&first),
            "purged, though CloudFront has not responded yet"
        );
        let in_time = claims_purge(&response);
        two.writer.learn(&response);
        two.world.faults(Faults::default());
        // On a busy machine the action did not wait for the response, and the sweep purges again.
        if !in_time {
            purged(&two.world).await;
            two.warm().await;
            continue;
        }
        assert!(two.world.look(&two.reader, "/contacts").await.is_hit());
        two.change("create-contact", &contact(&second)).await;
        let seen = two.world.look(&two.reader, "/contacts").await;
        assert!(seen.text.contains(&second));
        return;
    }
}

#[tokio::test]
async fn malformed_values_of_the_cookie_fresh_are_ignored() {
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
    let writer = Person {
        fresh: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ..two.reader.clone()
    };
    assert!(!two.world.look(&writer, "/contacts").await.is_hit());
}
