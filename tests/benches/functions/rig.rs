//! What a function is measured with: the world in which its sample event finds what it needs,
//! with a page of contacts in it, put back before each event so that each does its work again.

use auth::Keys;
use edge_crm_local::Mailbox;
use edge_crm_tests::Record;
use edge_crm_tests::bootstrap::{Environment, environment, with_variable};
use edge_crm_tests::inside::{Inside, KEY, config, invoke};
use edge_crm_tests::prepared::{Prepared, person};
use edge_crm_tests::runtime_api::Outcome;
use edge_crm_tests::samples::{Samples, body};
use edge_crm_tests::tls::TlsFront;
use edge_crm_tests::world::MAIL_FROM;
use serde_json::{Value, json};
use std::sync::Arc;
use wrapper::{Config, Revalidation};

/// The contacts of the organisation: what a page of the list holds.
const CONTACTS: u32 = 50;

/// Whose turn it is when those that answer no requests are measured: a letter waits.
const WAITING: &str = "reset-password";

/// One function's world.
pub struct Rig {
    name: String,
    inside: Inside,
    event: Value,
    /// Everything stored when the event comes.
    saved: Vec<Record>,
    /// Whether the function writes.
    writes: bool,
    mailbox: Mailbox,
    /// TLS before the table, where that is asked for.
    front: Option<TlsFront>,
}

impl Rig {
    pub async fn new(name: &str, tls: bool) -> Self {
        let all = Prepared::all().await;
        let turn = |name: &str| all.iter().find(|prepared| prepared.name == name);
        let prepared = turn(name).or_else(|| turn(WAITING)).expect("a turn");
        // What the contacts make stale is left to the function whose work that is.
        let left = Config {
            revalidation: Revalidation::Background,
            ..config()
        };
        let inside = prepared.copy_with(left).await.inside;
        // Whoever signs up finds nobody.
        if !prepared.stored().is_empty() {
            fill(&inside, &prepared.samples).await;
        }
        let mut event = prepared.samples.event(name);
        match name {
            "revalidate" => name_first(&mut event, &inside, "#outbox:"),
            "deliver-mail" => name_first(&mut event, &inside, "#mail:"),
            _ => (),
        }
        let front = match tls {
            true => Some(TlsFront::start(inside.table.url()).await),
            false => None,
        };
        Self {
            name: name.to_owned(),
            event,
            writes: prepared.is_action() || prepared.name != name,
            saved: inside.table.dump(),
            inside,
            mailbox: Mailbox::start().await.expect("a port"),
            front,
        }
    }

    /// What a process of the function is started with.
    pub fn environment(&self) -> Environment {
        let environment = match &self.front {
            None => environment(&self.name, self.inside.table.url()),
            Some(front) => with_variable(
                environment(&self.name, front.url()),
                "AWS_CA_BUNDLE",
                front.authority().to_str(),
            ),
        };
        let environment = with_variable(environment, "SES_URL", Some(self.mailbox.endpoint()));
        with_variable(environment, "MAIL_FROM", Some(MAIL_FROM))
    }

    /// The event, which finds what it needs.
    pub fn event(&self) -> String {
        if self.writes {
            self.inside.table.restore(&self.saved);
        }
        self.event.to_string()
    }

    /// Panics unless the event was answered well, and what it asks for was done.
    pub fn expect_success(&self, outcome: &Outcome) {
        let name = &self.name;
        let Outcome::Answer(answer) = outcome else {
            panic!("{name}: {outcome:?}")
        };
        let status = answer["statusCode"].as_u64().unwrap_or(200);
        assert!((200..400).contains(&status), "{name}: {answer}");
        let idle = self.writes && self.inside.table.dump() == self.saved;
        assert!(!idle, "{name} wrote nothing: {answer}");
    }
}

/// Adds contacts like the sample's, as somebody else of the organisation.
async fn fill(inside: &Inside, samples: &Samples) {
    let keys = Keys::new(&KEY, None).expect("a strong key");
    let samples = Samples {
        session: person(&inside.table, &keys, "acme", action::Role::Owner),
        ..samples.clone()
    };
    let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
    for _ in 0..CONTACTS {
        let mut event = samples.event("create-contact");
        let mut fields: Value = serde_json::from_str(&body(&event)).expect("JSON");
        fields["email"] = json!(format!("{}@example.com", uuid::Uuid::new_v4()));
        event["body"] = json!(fields.to_string());
        event["isBase64Encoded"] = json!(false);
        event["headers"]["idempotency-key"] = json!(uuid::Uuid::new_v4().to_string());
        let answer = invoke(&create, &event).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// Has an event of the table's stream name the first record of that kind.
fn name_first(event: &mut Value, inside: &Inside, kind: &str) {
    let waiting = inside.table.under(kind);
    let first = waiting.first().unwrap_or_else(|| panic!("no {kind} waits"));
    event["Records"][0]["dynamodb"]["Keys"] =
        json!({ "pk": { "S": first.pk }, "sk": { "S": first.sk } });
}
