//! What revalidation costs: how many items CloudFront is asked to invalidate for 1,000 changes,
//! in three mixes of reads and writes.
//!
//! `cargo bench -p edge-crm-tests --bench invalidations`, with `-- --pace 1000` to leave so many
//! milliseconds between changes, as people do.

use commit::Role;
use edge_crm_tests::fault::random;
use edge_crm_tests::world::{Person, World};
use serde_json::{Value, json};
use std::time::Duration;

const CHANGES: u64 = 1_000;

/// What an item costs beyond the first 1,000 a month, in dollars.
/// Source: <https://aws.amazon.com/cloudfront/pricing/>
const PRICE: f64 = 0.005;
const FREE: f64 = 1_000.0;

const MIXES: [(&str, u64); 3] = [
    ("write-only import", 0),
    ("ten reads a write", 10),
    ("a hundred reads a write", 100),
];

/// A team of one organisation and what it has made.
struct Team {
    world: World,
    people: Vec<Person>,
    contacts: Vec<Value>,
}

impl Team {
    async fn start() -> Self {
        let world = World::start().await;
        let owner = world.sign_up("Acme").await;
        let mut people = vec![owner.clone()];
        people.extend((0..4).map(|_| world.join(&owner, Role::Member)));
        let mut team = Self {
            world,
            people,
            contacts: Vec::new(),
        };
        for n in 0..50 {
            team.create(&format!("Known {n}")).await;
        }
        team.world.settled(Duration::from_secs(60)).await;
        team
    }

    async fn create(&mut self, name: &str) {
        let fields =
            json!({ "name": name, "email": format!("{}@example.com", uuid::Uuid::new_v4()) });
        let contact = self
            .world
            .change(&mut self.people[0], "create-contact", &fields)
            .await;
        self.contacts.push(contact);
    }

    /// Of ten changes five edit, three create and two delete.
    async fn change(&mut self, n: u64, imports: bool) {
        let kind = if imports { 5 } else { random(10) };
        let who = random(self.people.len() as u64) as usize;
        let which = random(self.contacts.len() as u64) as usize;
        match kind {
            0..5 => {
                let mut fields = self.contacts[which].clone();
                fields["name"] = json!(format!("Edited {n}"));
                let person = &mut self.people[who];
                self.contacts[which] = self.world.change(person, "update-contact", &fields).await;
            }
            5..8 => self.create(&format!("Person {n}")).await,
            _ => {
                let gone = self.contacts.swap_remove(which);
                let fields = json!({ "id": gone["id"] });
                self.world
                    .change(&mut self.people[0], "delete-contact", &fields)
                    .await;
            }
        }
    }

    /// Of ten reads seven are of the list, three of one contact.
    async fn read(&mut self) {
        let who = random(self.people.len() as u64) as usize;
        let which = random(self.contacts.len() as u64) as usize;
        let path = match random(10) {
            0..7 => "/contacts".to_owned(),
            _ => format!(
                "/contacts/{}",
                self.contacts[which]["id"].as_str().unwrap_or_default()
            ),
        };
        let seen = self.world.look(&self.people[who], &path).await;
        self.people[who].learn(&seen);
        assert_eq!(seen.status, 200, "{seen:?}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let pace = arguments
        .windows(2)
        .find(|pair| pair[0] == "--pace")
        .and_then(|pair| pair[1].parse().ok())
        .map_or(Duration::ZERO, Duration::from_millis);
    println!(
        "| mix | items for 1,000 changes | two for each | 1 million changes a month | two for each |"
    );
    println!("|---|---:|---:|---:|---:|");
    for (name, reads) in MIXES {
        let mut team = Team::start().await;
        let before = team.world.distribution.counters().items;
        for n in 0..CHANGES {
            for _ in 0..reads {
                team.read().await;
            }
            team.change(n, reads == 0).await;
            tokio::time::sleep(pace).await;
        }
        team.world.settled(Duration::from_secs(60)).await;
        let items = team.world.distribution.counters().items - before;
        let month = |items: u64| (items as f64 * 1_000.0 - FREE).max(0.0) * PRICE;
        let naive = 2 * CHANGES;
        println!(
            "| {name} | {items} | {naive} | ${:.0} | ${:.0} |",
            month(items),
            month(naive)
        );
    }
}
