//! Sixteen members of one organisation write at the same time, while others read. Each commit notes its
//! change in the mark of the same list, or closes it, so the commits conflict with each other.

use crate::PATIENCE;
use action::Role;
use edge_crm_tests::world::{Person, World};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use store::{KEPT_AT_EDGE, SETTLING};
use tokio::task::JoinSet;

const WRITERS: usize = 16;
const READERS: usize = 4;

/// How long they write.
const TIME: Duration = Duration::from_secs(60);

/// How long a page that was on its way when its purge was accepted may be stale: until its second purge,
/// which is due at a multiple of 5 s, and time for a busy machine.
const BOUND: Duration = Duration::from_secs(SETTLING.as_secs() + 5 + 10);
const _: () = assert!(BOUND.as_secs() < KEPT_AT_EDGE.as_secs());

/// The ids of the contacts whose creation was answered, with the time of the answer. Ids sort by time.
type Answered = Arc<Mutex<Vec<(Instant, String)>>>;

async fn write(world: Arc<World>, mut person: Person, answered: Answered, end: Instant) {
    while Instant::now() < end {
        let fields = json!({
            "name": "Zoë", "email": format!("{}@example.com", uuid::Uuid::new_v4()),
            "idempotency_key": uuid::Uuid::new_v4().to_string(),
        });
        let contact = world.change(&mut person, "create-contact", &fields).await;
        let id = contact["id"].as_str().unwrap().to_owned();
        answered.lock().unwrap().push((Instant::now(), id));
        // Sixteen of them still keep the table busy, and leave time for the readers.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The newest contact of the list that a reader gets.
async fn newest(world: &World, person: &mut Person) -> String {
    let path = format!("/t/{}/contacts", person.tenant);
    let response = world.send(person.get(&path, "application/json")).await;
    assert_eq!(response.status, 200, "{response:?}");
    person.learn(&response);
    let contacts = response.json()["data"]["contacts"].clone();
    let first = contacts.get(0).and_then(|first| first["id"].as_str());
    first.unwrap_or_default().to_owned()
}

async fn read(world: Arc<World>, mut person: Person, answered: Answered, end: Instant) {
    while Instant::now() < end {
        let since = Instant::now();
        let newest = newest(&world, &mut person).await;
        let is_missing = |(at, id): &&(Instant, String)| *at + BOUND < since && *id > newest;
        let missing = answered.lock().unwrap().iter().find(is_missing).cloned();
        assert_eq!(missing, None, "a page is stale beyond the bound");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_do_not_hold_each_other_up_and_no_page_stays_stale() {
    let (world, proxy) = World::with_conflicts().await;
    let owner = world.sign_up("Acme").await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| world.join(&owner, Role::Member))
        .collect();
    let mut readers: Vec<_> = (0..READERS)
        .map(|_| world.join(&owner, Role::Viewer))
        .collect();
    let (world, answered) = (Arc::new(world), Answered::default());
    let end = Instant::now() + TIME;
    let mut tasks = JoinSet::new();
    for writer in writers {
        tasks.spawn(write(
            Arc::clone(&world),
            writer,
            Arc::clone(&answered),
            end,
        ));
    }
    for reader in &readers {
        tasks.spawn(read(
            Arc::clone(&world),
            reader.clone(),
            Arc::clone(&answered),
            end,
        ));
    }
    tasks.join_all().await;
    let mut attempts = proxy.attempts();
    attempts.sort_unstable();
    let (commits, most) = (attempts.len(), attempts.last().copied().unwrap_or_default());
    let of_99_percent = attempts[commits * 99 / 100];
    let counters = world.distribution.counters();
    println!(
        "{commits} commits; attempts: 99 % within {of_99_percent}, at most {most}; {counters:?}"
    );
    assert!(commits > 16 * 20, "{commits} commits");
    assert!(
        of_99_percent <= 3,
        "99 % of the commits took {of_99_percent} attempts"
    );
    assert!(
        attempts.iter().any(|attempts| *attempts > 1),
        "nothing conflicted"
    );
    assert!(counters.hits > 0, "no page was cached");
    world.settled(BOUND + PATIENCE).await;
    let last = answered
        .lock()
        .unwrap()
        .iter()
        .map(|(_, id)| id.clone())
        .max();
    for reader in &mut readers {
        assert_eq!(Some(newest(&world, reader).await), last, "a page is stale");
    }
}
