//! What a function is measured with: a table with an organisation and fifty contacts in it, and
//! its sample event, made anew each time so that each does its work again.

use action::Function;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge::Keys;
use edge_crm_tests::bootstrap::{Environment, but, environment};
use edge_crm_tests::inside::{Inside, KEY};
use edge_crm_tests::samples::{Samples, body};
use edge_crm_tests::tls::TlsFront;
use edge_crm_tests::{Record, Table};
use serde_json::{Value, json};

/// The contacts of the organisation: what a page of the list holds.
const CONTACTS: u32 = 50;

/// What changes an account or its sessions, and so finds another state the next time.
const OWN: [&str; 8] = [
    "change-password",
    "end-session",
    "request-password-reset",
    "reset-password",
    "sign-out",
    "sign-out-everywhere",
    "switch-organization",
    "update-profile",
];

/// Where that state is.
const CHANGED: [&str; 6] = [
    "#account:",
    "#generation:",
    "#idempotency:",
    "#reset:",
    "#session:",
    "acme:members",
];

pub struct Rig {
    name: String,
    inside: Inside,
    functions: Vec<Function>,
    samples: Samples,
    /// Everything stored once all that the samples need is there.
    saved: Vec<Record>,
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
        let mut rig = Self {
            name: name.to_owned(),
            inside,
            functions,
            samples,
            saved: Vec::new(),
            made: 0,
            front,
        };
        for _ in 0..CONTACTS {
            rig.create().await;
        }
        rig.project().await;
        if OWN.contains(&name) {
            rig.prepare().await;
        }
        rig.saved = rig.inside.table.dump();
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
            name if OWN.contains(&name) => {
                self.restore();
                self.samples.event(name)
            }
            "revalidate" => self.pending(),
            name => self.samples.event(name),
        };
        event.to_string()
    }

    /// Another session, and a link to set the password anew.
    async fn prepare(&mut self) {
        for name in ["sign-in", "settings", "request-password-reset"] {
            let reply = invoke(&self.functions, name, &self.samples.event(name)).await;
            self.samples.learn(&reply);
        }
        let keys = Keys::new(&KEY, None).expect("a strong key");
        self.samples.learn_letter(&self.inside.table, &keys);
        if self.name == "request-password-reset" {
            for record in self.inside.table.under("#reset:") {
                self.inside.table.remove(&record.pk, &record.sk);
            }
        }
    }

    /// Puts back what an event before has changed of accounts and sessions.
    fn restore(&self) {
        let table = &self.inside.table;
        for kind in CHANGED {
            let was: Vec<_> = self
                .saved
                .iter()
                .filter(|r| r.pk.starts_with(kind))
                .collect();
            for record in table
                .under(kind)
                .iter()
                .filter(|record| !was.contains(record))
            {
                table.remove(&record.pk, &record.sk);
            }
            for record in was {
                put(table, record);
            }
        }
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
