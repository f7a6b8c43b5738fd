//! CloudFront's API fails for a minute.

use action::Role;
use edge_crm_local::Faults;
use edge_crm_tests::world::World;
use serde_json::json;
use std::time::{Duration, Instant};

const OUTAGE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn through_a_minute_without_purges_nothing_is_lost_and_its_writer_sees_it() {
    let world = World::start().await;
    let mut writer = world.sign_up("Acme").await;
    let reader = world.join(&writer, Role::Member);
    world.look(&reader, "/contacts").await;
    let failing = Faults {
        refused: 40,
        lost_before: 30,
        throttled: 30,
        answer_delay: Duration::from_millis(700),
        ..Faults::default()
    };
    world.faults(failing);
    let began = Instant::now();
    let (mut written, mut slowest) = (0, Duration::ZERO);
    while began.elapsed() < OUTAGE {
        let asked = Instant::now();
        let fields = json!({ "name": format!("Person {written}."), "email": format!("p{written}@example.com") });
        world.change(&mut writer, "create-contact", &fields).await;
        slowest = slowest.max(asked.elapsed());
        let own = world.look(&writer, "/contacts").await;
        assert!(
            own.text.contains(&format!("Person {written}.")),
            "the writer sees it"
        );
        written += 1;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("{written} changes in the outage, the slowest answered in {slowest:?}");
    // An action gives CloudFront 300 ms, not until the outage ends; the rest is for a busy machine.
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    assert!(
        !world.table.under("#outbox:").is_empty(),
        "what is not purged is not forgotten"
    );
    assert!(
        world.look(&reader, "/contacts").await.is_hit(),
        "others still get the old page"
    );
    world.faults(Faults::default());
    // The backoff by then, what settles, and the sweeps.
    world.settled(Duration::from_secs(60 + 37)).await;
    let seen = world.look(&reader, "/contacts").await;
    assert!(
        seen.text.contains(&format!("Person {}.", written - 1)),
        "and then it is purged"
    );
    assert_eq!(world.table.under("acme:contacts").len(), written);
}
