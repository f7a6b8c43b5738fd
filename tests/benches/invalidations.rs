//! Measures the cost of revalidation: how many items the product invalidates in CloudFront for 1,000
//! changes, and how many reads the edge serves, in four mixes of reads and writes.
//!
//! ```sh
//! cargo bench --bench invalidations                                   # all mixes, about ten minutes
//! cargo bench --bench invalidations -- --mix 3 --minutes 30           # a longer working day
//! cargo bench --bench invalidations -- --quiet 0 --budget 1000000     # cache at once, at any price
//! ```
//!
//! Three mixes make 1,000 changes as fast as possible (`--changes`). The fourth is a team's working day, in
//! real time: every three minutes somebody makes ten changes, three seconds apart, while the team reads
//! a page each second.

use action::Role;
use edge_crm_tests::fault::random;
use edge_crm_tests::inside::config;
use edge_crm_tests::world::{Person, World};
use serde_json::{Value, json};
use std::time::Duration;
use store::Allowance;
use wrapper::Config;

/// The price of an item beyond the free ones, in dollars.
/// Source: <https://aws.amazon.com/cloudfront/pricing/>
const PRICE: f64 = 0.005;
/// The number of free items each month.
const FREE: f64 = 1_000.0;

/// A mix of reads and writes.
#[derive(Clone, Copy)]
enum Mix {
    /// As fast as possible, with this many reads before each change.
    Reads(u64),
    /// Bursts of changes, pauses, and a read each second.
    Day,
}

const MIXES: [(&str, Mix); 4] = [
    ("write-only import", Mix::Reads(0)),
    ("ten reads a write", Mix::Reads(10)),
    ("a hundred reads a write", Mix::Reads(100)),
    ("a team's working day", Mix::Day),
];

/// The seconds of a working day's cycle, and of its changes.
const CYCLE: u64 = 180;
const BURST: u64 = 30;
const BETWEEN_CHANGES: u64 = 3;

/// The members of one organisation, and its contacts.
struct Team {
    world: World,
    people: Vec<Person>,
    contacts: Vec<Value>,
}

impl Team {
    async fn start(quiet_time: Duration, allowance: Allowance) -> Self {
        let world = World::configured(Config {
            quiet_time,
            allowance,
            ..config()
        })
        .await;
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

impl Team {
    /// Runs a mix. Returns the number of changes.
    async fn work(&mut self, mix: Mix, changes: u64, minutes: u64) -> u64 {
        match mix {
            Mix::Reads(reads) => {
                for n in 0..changes {
                    for _ in 0..reads {
                        self.read().await;
                    }
                    self.change(n, reads == 0).await;
                }
                changes
            }
            Mix::Day => {
                let mut made = 0;
                let mut seconds = tokio::time::interval(Duration::from_secs(1));
                for second in 0..minutes * 60 {
                    seconds.tick().await;
                    let at = second % CYCLE;
                    if at < BURST && at.is_multiple_of(BETWEEN_CHANGES) {
                        self.change(made, false).await;
                        made += 1;
                    }
                    self.read().await;
                }
                made
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let changes = argument("--changes", 1_000);
    let minutes = argument("--minutes", 9);
    let quiet_time = Duration::from_secs(argument("--quiet", Config::QUIET_TIME.as_secs()));
    let allowance = Allowance {
        a_month: argument("--budget", Config::PURGE_BUDGET),
    };
    println!(
        "Quiet time {} s, budget {}.\n",
        quiet_time.as_secs(),
        allowance.a_month
    );
    println!(
        "| mix | changes | items | for 1,000 changes | reads served by the edge | 1 million changes a month | two for each |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let only = argument("--mix", u64::MAX);
    for (at, (name, mix)) in (0..).zip(MIXES) {
        if only != u64::MAX && only != at {
            continue;
        }
        let mut team = Team::start(quiet_time, allowance).await;
        let before = team.world.distribution.counters();
        let made = team.work(mix, changes, minutes).await;
        let hits = team.world.distribution.counters();
        team.world.settled(Duration::from_secs(60)).await;
        let items = team.world.distribution.counters().items - before.items;
        let served = hits.hits - before.hits;
        let reads = served + hits.misses - before.misses + hits.collapsed - before.collapsed;
        let a_thousand = items as f64 * 1_000.0 / made as f64;
        // What the budget does not cover is not bought.
        let most = allowance.a_month as f64;
        let month = |items: f64| (items - FREE).max(0.0) * PRICE;
        println!(
            "| {name} | {made} | {items} | {a_thousand:.0} | {:.0} % | ${:.0} | ${:.0} |",
            served as f64 * 100.0 / reads.max(1) as f64,
            month((a_thousand * 1_000.0).min(most)),
            month(2_000_000.0)
        );
        assert!(items <= allowance.a_month, "the allowance is exceeded");
    }
}
