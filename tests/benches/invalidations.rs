//! Measures the cost of revalidation: how many items the product invalidates in CloudFront for 1,000
//! changes, in three mixes of reads and writes.
//!
//! `cargo bench --bench invalidations` makes the changes as fast as possible. That is the worst case:
//! every page is read in the half minute before it changes, and must be purged twice. With
//! `-- --changes 60 --pace 30000` it makes 60 changes, 30,000 ms apart, with the reads spread between
//! them, as users do. `--reads 10` runs only one of the mixes.

use action::Role;
use edge_crm_tests::fault::random;
use edge_crm_tests::world::{Person, World};
use serde_json::{Value, json};
use std::time::Duration;

/// The price of an item beyond the free ones, in dollars.
/// Source: <https://aws.amazon.com/cloudfront/pricing/>
const PRICE: f64 = 0.005;
/// The number of free items each month.
const FREE: f64 = 1_000.0;

const MIXES: [(&str, u64); 3] = [
    ("write-only import", 0),
    ("ten reads a write", 10),
    ("a hundred reads a write", 100),
];

/// The members of one organisation, and its contacts.
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

    /// Makes a random change: of ten, five edit, three create and two delete.
    async fn change(&mut self, n: u64, imports: bool) {
        let kind = if imports { 5 } else { random(10) };
        let member = random(self.people.len() as u64) as usize;
        let contact = random(self.contacts.len() as u64) as usize;
        match kind {
            0..5 => {
                let mut fields = self.contacts[contact].clone();
                fields["name"] = json!(format!("Edited {n}"));
                let person = &mut self.people[member];
                self.contacts[contact] = self.world.change(person, "update-contact", &fields).await;
            }
            5..8 => self.create(&format!("Person {n}")).await,
            _ => {
                let gone = self.contacts.swap_remove(contact);
                let fields = json!({ "id": gone["id"] });
                self.world
                    .change(&mut self.people[0], "delete-contact", &fields)
                    .await;
            }
        }
    }

    /// Reads a random page: of ten, seven are the list and three a contact.
    async fn read(&mut self) {
        let member = random(self.people.len() as u64) as usize;
        let contact = random(self.contacts.len() as u64) as usize;
        let path = match random(10) {
            0..7 => "/contacts".to_owned(),
            _ => format!(
                "/contacts/{}",
                self.contacts[contact]["id"].as_str().unwrap_or_default()
            ),
        };
        let response = self.world.look(&self.people[member], &path).await;
        self.people[member].learn(&response);
        assert_eq!(response.status, 200, "{response:?}");
    }
}

/// The number after this name in the arguments, or the default.
fn argument(name: &str, default: u64) -> u64 {
    let arguments: Vec<_> = std::env::args().collect();
    let mut pairs = arguments.windows(2);
    let given = pairs.find(|pair| pair[0] == name);
    given.map_or(default, |pair| pair[1].parse().expect("a whole number"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let changes = argument("--changes", 1_000);
    let pace = Duration::from_millis(argument("--pace", 0));
    println!(
        "| mix | items for 1,000 changes | two for each | 1 million changes a month | two for each |"
    );
    println!("|---|---:|---:|---:|---:|");
    let only = argument("--reads", u64::MAX);
    let wanted = |reads: u64| only == u64::MAX || only == reads;
    for (name, reads) in MIXES.into_iter().filter(|(_, reads)| wanted(*reads)) {
        let mut team = Team::start().await;
        let before = team.world.distribution.counters().items;
        for n in 0..changes {
            let pause = pace / u32::try_from(reads + 1).unwrap_or(u32::MAX);
            for _ in 0..reads {
                team.read().await;
                tokio::time::sleep(pause).await;
            }
            team.change(n, reads == 0).await;
            tokio::time::sleep(pause).await;
        }
        team.world.settled(Duration::from_secs(60)).await;
        let items = team.world.distribution.counters().items - before;
        let month = |a_thousand: f64| (a_thousand * 1_000.0 - FREE).max(0.0) * PRICE;
        let a_thousand = items as f64 * 1_000.0 / changes as f64;
        println!(
            "| {name} | {a_thousand:.0} | 2000 | ${:.0} | ${:.0} |",
            month(a_thousand),
            month(2_000.0)
        );
    }
}
