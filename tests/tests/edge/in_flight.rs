//! A page that is read before a change and reaches the cache after the change's purge.

use action::Role;
use edge_crm_local::Faults;
use edge_crm_tests::world::World;
use serde_json::json;
use std::time::Duration;

/// From the mark to the second purge at the latest: what settles, the neighbours that share a
/// purge, and two sweeps.
const BOUND: Duration = Duration::from_secs(30 + 5 + 2);

#[tokio::test]
async fn a_page_that_misses_its_purge_is_purged_once_more() {
    let world = World::start().await;
    let mut writer = world.sign_up("Acme").await;
    let reader = world.join(&writer, Role::Member);
    world.settled(Duration::from_secs(5)).await;
    let second = Duration::from_secs(1);
    world.faults(Faults {
        transit: (second, second),
        ..Faults::default()
    });
    let change = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        world.faults(Faults::default());
        let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
        let answer = world.act(&writer, "create-contact", &fields).await;
        let tags = answer.json()["revalidated"].as_array().map(Vec::len);
        assert_eq!(tags, Some(2), "the purge was accepted: {answer:?}");
        answer
    };
    let (old, answer) = tokio::join!(world.look(&reader, "/contacts"), change);
    writer.learn(&answer);
    assert!(!old.text.contains("Zoë"), "it was read before the change");
    assert!(
        world.look(&writer, "/contacts").await.text.contains("Zoë"),
        "its writer sees it"
    );
    let stale = world.look(&reader, "/contacts").await;
    assert!(
        stale.is_hit() && !stale.text.contains("Zoë"),
        "the danger is real"
    );
    assert_eq!(world.table.under("#outbox:").len(), 1, "and known");
    world.settled(BOUND).await;
    let purged = world.look(&reader, "/contacts").await;
    assert!(!purged.is_hit() && purged.text.contains("Zoë"));
}
