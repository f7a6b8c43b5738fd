//! A table in which one function finds every record that its sample event needs.

use crate::inside::{Answer, Inside, KEY, config, invoke, no_edge};
use crate::samples::{Samples, order};
use crate::{Record, Table};
use action::Role;
use auth::Keys;
use serde_json::{Value, json};
use wrapper::{Config, Runner};

/// The state in which one function gets its sample event: the stored records, and the ids and tokens
/// that the samples have learnt.
pub struct Prepared {
    /// The function's name.
    pub name: &'static str,
    posts: bool,
    /// What the placeholders of the sample stand for.
    pub samples: Samples,
    stored: Vec<Record>,
}

/// A copy of that state in a table of its own.
pub struct Copy {
    /// The functions and the table.
    pub inside: Inside,
    /// The function.
    pub function: Runner,
}

impl Prepared {
    /// The state for each function that takes requests. Runs the samples one after the other, in an order
    /// in which each finds what it needs.
    ///
    /// # Panics
    /// If a sample is refused.
    pub async fn all() -> Vec<Self> {
        let inside = Inside::start().await;
        let functions = functions::runners(&inside.app);
        let mut samples = Samples::default();
        let keys = Keys::new(&KEY, None).expect("a strong key");
        let mut all = Vec::new();
        for name in order() {
            keep_replaced_sessions(&inside.table);
            inside.table.prepare_sample(name);
            let function = functions.iter().find(|function| function.name() == name);
            let function = function.expect(name);
            all.push(Self {
                name,
                posts: function
                    .function()
                    .routes()
                    .iter()
                    .any(|e| e.method == "POST"),
                samples: samples.clone(),
                stored: inside.table.dump(),
            });
            let event = samples.event(name).to_string();
            let reply = function.invoke(event.as_bytes()).await;
            let reply: Value = serde_json::from_slice(&reply).expect("JSON");
            let status = reply["statusCode"].as_u64().unwrap_or_default();
            assert!((200..400).contains(&status), "{name}: {reply}");
            samples.learn(&reply);
            samples.learn_email(&inside.table, &keys);
        }
        all
    }

    /// A copy to try something in.
    pub async fn copy(&self) -> Copy {
        self.copy_with(config()).await
    }

    /// A copy with another configuration.
    ///
    /// # Panics
    /// If there is no such function.
    pub async fn copy_with(&self, config: Config) -> Copy {
        let inside = Inside::with(config, no_edge()).await;
        for record in &self.stored {
            let item = Value::Object(record.item());
            inside.table.put(&record.pk, &record.sk, &item);
        }
        let functions = functions::runners(&inside.app);
        let function = functions
            .into_iter()
            .find(|function| function.name() == self.name);
        Copy {
            inside,
            function: function.expect(self.name),
        }
    }

    /// Whether the function is an action.
    #[must_use]
    pub fn is_action(&self) -> bool {
        self.posts
    }

    /// The stored records.
    #[must_use]
    pub fn stored(&self) -> &[Record] {
        &self.stored
    }

    /// The sample event, changed to ask for JSON.
    #[must_use]
    pub fn event(&self) -> Value {
        let mut event = self.samples.event(self.name);
        event["headers"]["accept"] = json!("application/json");
        event
    }
}

impl Copy {
    /// Passes the event to the function.
    pub async fn send(&self, event: &Value) -> Answer {
        invoke(&self.function, event).await
    }
}

/// Writes a member with this role straight to the table. If the table has another account, also
/// writes an account with the same password. Returns the token of the member's session.
#[must_use]
pub fn person(table: &Table, keys: &Keys, tenant: &str, role: Role) -> String {
    let token = table.member(keys, tenant, role);
    let members = format!("{tenant}:members");
    let member = table.under(&members).pop().expect("a member");
    let email = member.get("email");
    let organization = format!("#tenant:{tenant}");
    if let Some(model) = table.under("#tenant:").pop()
        && table.under(&organization).is_empty()
    {
        let mut item = model.item();
        item.insert("id".to_owned(), json!(tenant));
        item.insert("owners".to_owned(), json!([member.get("id")]));
        table.put(&organization, &model.sk, &Value::Object(item));
    }
    let Some(model) = table.under("#account:").pop() else {
        return token;
    };
    let mut account = model.item();
    account.insert("id".to_owned(), member.get("id"));
    account.insert("email".to_owned(), email.clone());
    account.insert(
        "organizations".to_owned(),
        json!([{ "tenant": tenant, "name": "Acme" }]),
    );
    let key = format!("#account:{}", email.as_str().expect("an email"));
    table.put(&key, &model.sk, &Value::Object(account));
    token
}

/// Moves the ends of replaced sessions an hour into the future. They end after a minute, and a test may
/// take longer.
fn keep_replaced_sessions(table: &Table) {
    for record in table.under("#session:") {
        let mut item = record.item();
        if item.contains_key("replaced") {
            let expires_at = crate::now() + 3_600;
            item.insert("expires_at".to_owned(), json!(expires_at));
            table.put(&record.pk, &record.sk, &Value::Object(item));
        }
    }
}
