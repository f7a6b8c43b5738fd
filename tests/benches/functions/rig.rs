//! What a function is measured with: a table with an organisation and fifty contacts in it, and
//! its sample event, made anew each time so that each does its work again.

use action::Function;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge_crm_tests::bootstrap::{Environment, but, environment};
use edge_crm_tests::inside::Inside;
use edge_crm_tests::samples::{Samples, body};
use edge_crm_tests::tls::TlsFront;
use edge_crm_tests::{Record, Table};
use serde_json::{Value, json};

/// The contacts of the organisation: what a page of the list holds.
const CONTACTS: u32 = 50;

pub struct Rig {
    name: String,
    inside: Inside,
    functions: Vec<Function>,
    samples: Samples,
    /// The record of the session that the samples use.
    session: Record,
    made: u32,
    /// TLS before the table, where that is asked for.
    front: Option<TlsFront>,
}

impl Rig {
    pub async fn new(name: &str, tls: bool) -> Self {
        let inside = Inside::start().await;
        let front = match tls {
            true => Some(TlsFront::start(inside.table.url()).await),
            false => None,
        };
        let functions = edge_crm_local::functions(&inside.app);
        let mut samples = Samples::default();
        samples.learn(&invoke(&functions, "sign-up", &samples.event("sign-up")).await);
        let session = inside.table.under("#session:").remove(0);
        let mut rig = Self {
            name: name.to_owned(),
            inside,
            functions,
            samples,
            session,
            made: 0,
            front,
        };
        for _ in 0..CONTACTS {
            rig.create().await;
        }
        rig.project().await;
        rig
    }

    /// What a process of the function is started with.
    pub fn environment(&self) -> Environment {
        match &self.front {
            None => environment(&self.name, self.inside.table.url()),
            Some(front) => but(
                environment(&self.name, front.url()),
                "AWS_CA_BUNDLE",
                front.authority().to_str(),
            ),
        }
    }

    /// The next event, which finds what it needs.
    pub async fn event(&mut self) -> String {
        self.made += 1;
        let event = match self.name.as_str() {
            "create-contact" => self.created(),
            "update-contact" => {
                let event = self.samples.event("update-contact");
                // The versions of one contact, from the first.
                let version = json!(self.made);
                keyed(with_body(event, |body| body["version"] = version))
            }
            "delete-contact" => {
                self.create().await;
                keyed(self.samples.event("delete-contact"))
            }
            "create-project" => keyed(self.samples.event("create-project")),
            "rename-project" => {
                let event = self.samples.event("rename-project");
                let version = json!(self.made);
                keyed(with_body(event, |body| body["version"] = version))
            }
            "archive-project" | "restore-project" => {
                self.project().await;
                keyed(self.samples.event(&self.name))
            }
            "restore-contact" => {
                self.create().await;
                let event = keyed(self.samples.event("delete-contact"));
                invoke(&self.functions, "delete-contact", &event).await;
                keyed(self.samples.event("restore-contact"))
            }
            "sign-up" => self.signed_up(),
            "sign-out" => {
                put(&self.inside.table, &self.session);
                self.samples.event("sign-out")
            }
            "revalidate" => self.pending(),
            name => self.samples.event(name),
        };
        event.to_string()
    }

    /// Adds a contact, which is the one that later samples are about.
    async fn create(&mut self) {
        let event = self.created();
        let reply = invoke(&self.functions, "create-contact", &event).await;
        self.samples.learn(&reply);
    }

    /// Adds a project, which is the one that later samples are about; where that is to be
    /// restored, archives it.
    async fn project(&mut self) {
        let event = keyed(self.samples.event("create-project"));
        let reply = invoke(&self.functions, "create-project", &event).await;
        self.samples.learn(&reply);
        if self.name == "restore-project" {
            let event = keyed(self.samples.event("archive-project"));
            invoke(&self.functions, "archive-project", &event).await;
        }
    }

    /// The event that adds another contact.
    fn created(&self) -> Value {
        let email = json!(format!("{}@example.com", uuid::Uuid::new_v4()));
        let event = self.samples.event("create-contact");
        keyed(with_body(event, |body| body["email"] = email))
    }

    /// The event that founds another organisation.
    fn signed_up(&self) -> Value {
        let mut event = self.samples.event("sign-up");
        let mut form = body(&event);
        for (name, value) in [("email=", "email=x"), ("organization=", "organization=x")] {
            form = form.replace(name, &format!("{value}{}", self.made));
        }
        let (rest, _) = form.split_once("&idempotency_key=").expect("a key");
        let form = format!("{rest}&idempotency_key={}", uuid::Uuid::new_v4());
        event["body"] = json!(STANDARD.encode(form));
        event
    }

    /// The event of an outbox record that is there, for tags that nothing cached carries.
    fn pending(&self) -> Value {
        let event = self.samples.event("revalidate");
        let keys = &event["Records"][0]["dynamodb"]["Keys"];
        let key = |name: &str| keys[name]["S"].as_str().expect("a key");
        let (due_at, id) = key("sk").split_once(':').expect("a time and an id");
        let due_at: i64 = due_at.parse().expect("a time");
        let record =
            json!({ "id": id, "tags": ["acme:contacts"], "createdAt": due_at, "dueAt": due_at });
        self.inside.table.put(key("pk"), key("sk"), &record);
        event
    }
}

fn put(table: &Table, record: &Record) {
    table.put(&record.pk, &record.sk, &Value::Object(record.item()));
}

/// The event with a JSON body that differs.
fn with_body(mut event: Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut fields = serde_json::from_str(&body(&event)).expect("JSON");
    change(&mut fields);
    event["body"] = json!(fields.to_string());
    event
}

/// The event with an idempotency key of its own.
fn keyed(mut event: Value) -> Value {
    event["headers"]["idempotency-key"] = json!(uuid::Uuid::new_v4().to_string());
    event
}

async fn invoke(functions: &[Function], name: &str, event: &Value) -> Value {
    let function = functions.iter().find(|function| function.name == name);
    let event = event.to_string();
    let reply = function.expect("a function").invoke(event.as_bytes());
    serde_json::from_slice(&reply.await).expect("an answer")
}
