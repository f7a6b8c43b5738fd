//! CloudFront's API is down for a minute.

use crate::PATIENCE;
use action::Role;
use edge_crm_local::Faults;
use edge_crm_tests::world::World;
use serde_json::json;
use std::time::{Duration, Instant};

const OUTAGE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn in_a_minute_without_purges_nothing_is_lost_and_writers_see_their_changes() {
    let world = World::start().await;
    let mut writer = world.sign_up("Acme").await;
    let reader = world.join(&writer, Role::Member);
    world.look(&reader, "/contacts").await;
    let failing = Faults {
        refused: 40,
        lost_before: 30,
        throttled: 30,
        response_delay: Duration::from_millis(700),
        ..Faults::default()
    };
    world.faults(failing);
    let began = Instant::now();
    let (mut written, mut slowest) = (0, Duration::ZERO);
    while began.elapsed() < OUTAGE {
        let sent = Instant::now();
        let fields = json!({ "name": format!("Person {written}."), "email": format!("p{written}@example.com") });
        world.change(&mut writer, "create-contact", &fields).await;
        slowest = slowest.max(sent.elapsed());
        let page = world.look(&writer, "/contacts").await;
        assert!(
            page.text.contains(&format!("Person {written}.")),
            "the writer sees the change"
        );
        written += 1;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("{written} changes in the outage, the slowest took {slowest:?}");
    // An action waits 300 ms for CloudFront, not until the outage ends. The rest is for a busy machine.
    assert!(slowest < OUTAGE / 2, "{slowest:?}");
    assert!(
        !world.table.under("#outbox:").is_empty(),
        "the outbox keeps what is not purged"
    );
    assert!(
        world.look(&reader, "/contacts").await.is_hit(),
        "other users still get the old page"
    );
    world.faults(Faults::default());
    // The backoff at that time, the settling time, the sweeps, and time for a busy machine.
    world.settled(Duration::from_secs(60 + 37) + PATIENCE).await;
    let seen = world.look(&reader, "/contacts").await;
    assert!(
        seen.text.contains(&format!("Person {}.", written - 1)),
        "then the page is purged"
    );
    assert_eq!(world.table.under("acme:contacts").len(), written);
}
