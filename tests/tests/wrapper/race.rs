//! Concurrent creates, updates, deletes and moves of emails between contacts, while transactions are
//! cancelled for random reasons and responses are lost. Afterwards every contact has exactly its
//! guard, every guard its contact, every success its audit record, and every chain of audit records
//! is whole.

use edge_crm_tests::fault::{Faults, random};
use edge_crm_tests::inside::{Answer, Inside};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use wrapper::Runner;

const WORKERS: usize = 8;
const STEPS: usize = 200;
const EMAILS: u64 = 5;

/// What the workers share: the latest state of each contact that they have seen.
struct Race {
    inside: Inside,
    create: Runner,
    update: Runner,
    delete: Runner,
    cookie: String,
    seen: Mutex<Vec<Value>>,
}

impl Race {
    async fn start(faults: Faults) -> Arc<Self> {
        let inside = Inside::start().await;
        let (cookie, tenant) = inside.sign_up("Acme").await;
        inside.proxy.make(faults);
        assert_eq!(tenant, "acme");
        let app = &inside.app;
        Arc::new(Self {
            create: edge_crm_tests::runner(Arc::clone(app), "create-contact"),
            update: edge_crm_tests::runner(Arc::clone(app), "update-contact"),
            delete: edge_crm_tests::runner(Arc::clone(app), "delete-contact"),
            cookie,
            seen: Mutex::new(Vec::new()),
            inside,
        })
    }

    fn pick(&self) -> Option<Value> {
        let seen = self.seen.lock().unwrap();
        (!seen.is_empty()).then(|| seen[random(seen.len() as u64) as usize].clone())
    }

    fn learn(&self, record: &Value) {
        let mut seen = self.seen.lock().unwrap();
        seen.retain(|other| other["id"] != record["id"]);
        seen.push(record.clone());
    }

    /// Sends a random action, again with the same key until the response is final. Returns whether it
    /// was done.
    async fn step(&self) -> bool {
        let letter = |c: char| {
            if random(2) == 0 {
                c.to_ascii_uppercase()
            } else {
                c
            }
        };
        let email: String = format!("person{}@example.com", random(EMAILS))
            .chars()
            .map(letter)
            .collect();
        let (function, mut fields) = match (random(6), self.pick()) {
            (0 | 1, _) | (_, None) => (&self.create, json!({ "name": "New", "email": email })),
            (2, Some(old)) => (&self.delete, json!({ "id": old["id"] })),
            (_, Some(old)) => (
                &self.update,
                json!({ "id": old["id"], "version": old["version"], "name": "Changed", "email": email }),
            ),
        };
        fields["idempotency_key"] = json!(uuid::Uuid::new_v4().to_string());
        let response = self.insist(function, &fields).await;
        let data = &response.json["data"];
        match response.status {
            200 if data["version"].is_u64() => self.learn(data),
            200 => self
                .seen
                .lock()
                .unwrap()
                .retain(|other| other["id"] != data["id"]),
            409 if response.json["current"].is_object() => self.learn(&response.json["current"]),
            404 => self
                .seen
                .lock()
                .unwrap()
                .retain(|other| other["id"] != fields["id"]),
            409 => {}
            _ => panic!("{fields} got {response:?}"),
        }
        response.status == 200
    }

    async fn insist(&self, function: &Runner, fields: &Value) -> Answer {
        for _ in 0..50 {
            let response = self.inside.post(function, &self.cookie, fields).await;
            if response.status != 503 {
                return response;
            }
            assert_eq!(response.json["code"], "DATABASE_ERROR");
        }
        panic!("{fields} never got a final response");
    }

    /// Asserts that the table is consistent, apart from the outbox, and that every success has its
    /// audit record and its saved result.
    async fn audit(&self, done: usize) {
        let mut audit = self.inside.table.audit().await;
        audit.flaws.retain(|flaw| !flaw.starts_with("#outbox:"));
        assert_eq!(audit.flaws, BTreeSet::new());
        // Sign-up made one too.
        assert_eq!(audit.successes.values().sum::<usize>(), done + 1);
        assert_eq!(self.inside.table.under("#idempotency:acme:").len(), done);
    }
}

async fn race(faults: Faults) -> Arc<Race> {
    let race = Race::start(faults).await;
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let race = Arc::clone(&race);
            tokio::spawn(async move {
                let mut done = 0;
                for _ in 0..STEPS {
                    done += usize::from(race.step().await);
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for worker in workers {
        done += worker.await.unwrap();
    }
    assert!(done > STEPS, "only {done} steps did anything");
    race.audit(done).await;
    race
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_and_guards_agree_after_a_race() {
    let race = race(Faults::default()).await;
    assert!(
        race.inside.table.under("#outbox:").is_empty(),
        "an outbox record is left"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_and_guards_agree_after_a_race_with_every_fault() {
    let faults = Faults {
        contention: 15,
        mixture: 60,
        lost_answer: 10,
        unprocessed: 5,
    };
    race(faults).await;
}
