//! The functions invoked directly with events, for tests of what HTTP cannot carry.

use crate::Table;
use crate::inside::{config, unhurried};
use auth::{Keys, SessionSecret, Token};
use serde_json::{Value, json};
use store::Store;
use wrapper::{App, Config, Runner};

/// The functions over a table.
#[derive(Debug)]
pub struct Direct {
    functions: Vec<Runner>,
    keys: Keys,
}

impl Direct {
    /// The functions over `table`. Creates the table itself if it does not exist.
    pub async fn new(table: &Table) -> Self {
        let store = Store::connect(unhurried(table.url()));
        store.create_table_if_missing().await.expect("a table");
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("randomness");
        let keys = Keys::new(&key, None).expect("a strong key");
        let config = Config {
            keys: keys.clone(),
            ..config()
        };
        let app = App::new(store, crate::inside::no_edge(), config, functions::SITE);
        Self {
            functions: functions::runners(&app),
            keys,
        }
    }

    /// Invokes a function with an event and returns its response.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let response = self
            .invoke_bytes(function, event.to_string().as_bytes())
            .await;
        serde_json::from_slice(&response).expect("a JSON response")
    }

    /// Invokes a function with any bytes.
    pub async fn invoke_bytes(&self, function: &str, event: &[u8]) -> Vec<u8> {
        let function = self
            .functions
            .iter()
            .find(|f| f.name() == function)
            .expect("a function");
        function.invoke(event).await
    }

    /// Writes a member of an organisation to `table`. Returns the cookie of the member's live session.
    #[must_use]
    pub fn member(&self, table: &Table, tenant: &str, role: action::Role) -> String {
        format!("__Host-session={}", table.member(&self.keys, tenant, role))
    }
}

impl Table {
    /// Writes a member of an organisation and a live session straight to the table. Returns the
    /// session's token.
    #[must_use]
    pub fn member(&self, keys: &Keys, tenant: &str, role: action::Role) -> String {
        let secret = SessionSecret::random().expect("randomness");
        let user = action::UserId::from(uuid::Uuid::now_v7());
        let session = json!({
            "tenant": tenant, "user": user, "createdAt": crate::now(), "expires_at": crate::now() + 86_400,
        });
        self.put(&format!("#session:{user}"), &secret.hash(), &session);
        let member = json!({
            "id": user, "name": "Mia Member", "email": format!("{user}@example.com"), "role": role,
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "version": 1,
        });
        self.put(&format!("{tenant}:members"), user.as_str(), &member);
        let tenant = action::TenantId::parse(tenant).expect("a slug");
        let actor = action::Actor { tenant, user, role };
        Token {
            secret,
            actor,
            expires: crate::now() + auth::TOKEN_LIFETIME,
        }
        .sign(keys)
    }
}

/// The event of a request to a function URL: a form posted from a page of the product, with
/// `headers` added or replaced.
#[must_use]
pub fn event(headers: &[(&str, &str)], body: &str) -> Value {
    let mut event = json!({
        "version": "2.0",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
            "origin": "https://crm.example",
            "sec-fetch-site": "same-origin",
        },
        "requestContext": {
            "http": { "method": "POST", "path": "/", "sourceIp": "192.0.2.1" },
            "requestId": "test",
        },
        "body": body,
        "isBase64Encoded": false,
    });
    for (name, value) in headers {
        event["headers"][*name] = json!(value);
    }
    event
}
