//! A page that is read before a change and reaches the cache after the change's purge.

use crate::{PATIENCE, is_second_purge, purged};
use action::Role;
use edge_crm_local::Faults;
use edge_crm_tests::now;
use edge_crm_tests::world::{Person, World};
use serde_json::json;
use std::time::{Duration, Instant};

/// From the mark until the second purge is due, in milliseconds: the settling time, and the wait for
/// neighbours that share the purge.
const DUE: i64 = (30 + 5) * 1_000;

/// How long each response is on its way to the edge.
const TRANSIT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_page_that_misses_its_purge_is_purged_once_more() {
    // On a slow machine the page may be read after the change, or the purge may be later than the
    // page. Neither is the danger, so the test then begins again.
    for _ in 0..30 {
        let world = World::start().await;
        let mut writer = world.sign_up("Acme").await;
        let reader = world.join(&writer, Role::Member);
        world.settled(PATIENCE).await;
        if !misses_its_purge(&world, &mut writer, &reader).await {
            continue;
        }
        let second = world.table.under("#outbox:");
        assert!(
            second.len() == 1 && second.iter().all(is_second_purge),
            "the second purge is recorded: {second:?}"
        );
        let due = second[0].get("dueAt").as_i64().unwrap();
        assert!(due <= now() * 1_000 + DUE, "{second:?}");
        world.settled(PATIENCE).await;
        let page = world.look(&reader, "/contacts").await;
        assert!(!page.is_hit() && page.text.contains("Zoë"));
        return;
    }
    panic!("no page ever misses its purge");
}

/// Whether a page that was read before a change is in the cache after the change's purge.
async fn misses_its_purge(world: &World, writer: &mut Person, reader: &Person) -> bool {
    world.faults(Faults {
        transit: (TRANSIT, TRANSIT),
        ..Faults::default()
    });
    let change = async {
        // A view marks its tags just before it reads.
        let late = Instant::now() + PATIENCE;
        while world.table.under("#mark:").is_empty() {
            assert!(Instant::now() < late, "the page is never rendered");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
        let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
        world.act(writer, "create-contact", &fields).await
    };
    let (old, response) = tokio::join!(world.look(reader, "/contacts"), change);
    assert_eq!(response.status, 200, "{response:?}");
    world.faults(Faults::default());
    writer.learn(&response);
    purged(world).await;
    assert!(
        world.look(writer, "/contacts").await.text.contains("Zoë"),
        "the writer sees the change"
    );
    let cached = world.look(reader, "/contacts").await;
    !old.text.contains("Zoë") && cached.is_hit() && !cached.text.contains("Zoë")
}
