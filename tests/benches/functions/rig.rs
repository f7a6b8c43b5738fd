//! The table and the event with which a function is measured. The table has the records that the sample
//! event needs, and a page of contacts. It is restored before each event, so that each invocation does
//! the same work.

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

/// The number of contacts of the organisation: a page of the list.
const CONTACTS: u32 = 50;

/// The function in whose prepared state background functions are measured, because it has an email to
/// send.
const WAITING: &str = "reset-password";

/// The state for one function.
pub struct Rig {
    name: String,
    inside: Inside,
    event: Value,
    /// All records before the event.
    saved: Vec<Record>,
    /// Whether the function writes.
    writes: bool,
    mailbox: Mailbox,
    /// The TLS proxy in front of the table, if any.
    front: Option<TlsFront>,
}

impl Rig {
    pub async fn new(name: &str, tls: bool) -> Self {
        let all = Prepared::all().await;
        let find = |name: &str| all.iter().find(|prepared| prepared.name == name);
        let prepared = find(name)
            .or_else(|| find(WAITING))
            .expect("a prepared state");
        // Leave the revalidation for the new contacts to `revalidate`.
        let background = Config {
            revalidation: Revalidation::Background,
            ..config()
        };
        let inside = prepared.copy_with(background).await.inside;
        // The table is empty for `sign-up`.
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

    /// The environment of the function's process.
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

    /// Restores the table and returns the event.
    pub fn event(&self) -> String {
        if self.writes {
            self.inside.table.restore(&self.saved);
        }
        self.event.to_string()
    }

    /// Panics unless the invocation succeeded and, if the function writes, changed the table.
    pub fn expect_success(&self, outcome: &Outcome) {
        let name = &self.name;
        let Outcome::Answer(response) = outcome else {
            panic!("{name}: {outcome:?}")
        };
        let status = response["statusCode"].as_u64().unwrap_or(200);
        assert!((200..400).contains(&status), "{name}: {response}");
        let idle = self.writes && self.inside.table.dump() == self.saved;
        assert!(!idle, "{name} wrote nothing: {response}");
    }
}

/// Adds contacts like the sample's, as another member of the organisation.
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
        let response = invoke(&create, &event).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
}

/// Puts the key of the first record of this kind into an event of the table's stream.
fn name_first(event: &mut Value, inside: &Inside, kind: &str) {
    let pending = inside.table.under(kind);
    let first = pending
        .first()
        .unwrap_or_else(|| panic!("no pending {kind}"));
    event["Records"][0]["dynamodb"]["Keys"] =
        json!({ "pk": { "S": first.pk }, "sk": { "S": first.sk } });
}
