//! The functions behind the caching edge. Nobody sees a stale page for long, and nobody ever sees a
//! page of someone else.

use edge_crm_tests::Record;
use edge_crm_tests::world::{Response, World};
use std::time::{Duration, Instant};

mod in_flight;
mod outage;
mod profile;
mod property;
mod readers;
mod writers;

/// How long a test waits, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether an outbox record asks for the second purge of pages that may have missed the first.
fn is_second_purge(record: &Record) -> bool {
    !record.get("againAt").is_null()
}

/// Whether an action's response says that the list of contacts has been purged.
fn claims_purge(response: &Response) -> bool {
    let tags = response.json()["revalidated"].clone();
    tags.as_array()
        .is_some_and(|tags| tags.iter().any(|tag| tag == "acme:contacts"))
}

/// Waits until the first purges are done. An action waits 300 ms for CloudFront, and a busy machine
/// may take longer; then the next sweep purges.
async fn purged(world: &World) {
    let late = Instant::now() + PATIENCE;
    while !world.table.under("#outbox:").iter().all(is_second_purge) {
        assert!(Instant::now() < late, "never purged");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
