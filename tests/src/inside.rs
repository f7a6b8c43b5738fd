//! The functions in this process, given events as Lambda gives them, over an embedded DynamoDB.

use crate::fault::Proxy;
use action::{App, Config, Function};
use dynoxide::actions::scan::ScanRequest;
use dynoxide::actions::update_item::UpdateItemRequest;
use dynoxide::{AttributeValue, Database};
use edge::Keys;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Settings, Store};
use tokio::net::TcpListener;

/// The one origin that may post.
pub const ORIGIN: &str = "https://crm.example";

/// The signing key of every such app.
pub const KEY: [u8; 32] = *b"a signing key for the tests only";

/// The functions over one table.
pub struct Inside {
    /// What they share.
    pub app: Arc<App>,
    /// The engine behind the proxy.
    pub database: Database,
    /// What gets in their way.
    pub proxy: Proxy,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u64,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The body as it is.
    pub text: String,
    /// The body as JSON, or null.
    pub json: Value,
}

impl Answer {
    /// The session cookie that it sets, as a request sends it.
    pub fn session(&self) -> String {
        let cookie = self
            .cookies
            .iter()
            .find(|cookie| cookie.contains("session="));
        cookie
            .and_then(|cookie| cookie.split(';').next())
            .unwrap_or_default()
            .to_owned()
    }
}

impl Inside {
    /// Functions over an empty table.
    pub async fn start() -> Self {
        let database = Database::memory().expect("an engine");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        let direct = Store::connect(Settings::local(&url, "edge-crm"));
        direct.create_table_if_missing().await.expect("a table");
        let proxy = Proxy::start(&url).await;
        let store = Store::connect(Settings::local(&proxy.url, "edge-crm"));
        let app = App::new(store, config(), pages::problem);
        Self {
            app,
            database,
            proxy,
        }
    }

    /// Sends a form to an action as a page of ours would, with a session's cookie.
    pub async fn post(&self, function: &Function, cookie: &str, fields: &Value) -> Answer {
        let event = event(
            "POST",
            &format!("/actions/{}", function.name),
            cookie,
            &fields.to_string(),
        );
        invoke(function, &event).await
    }

    /// Signs up; gives the session's cookie and the tenant.
    pub async fn sign_up(&self, organization: &str) -> (String, String) {
        let fields = json!({
            "name": "Ada", "email": format!("{}@example.com", uuid::Uuid::new_v4()),
            "password": "correct horse", "organization": organization,
            "idempotency_key": uuid::Uuid::new_v4().to_string(),
        });
        let answer = self
            .post(&sign_up::function(Arc::clone(&self.app)), "", &fields)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        (
            answer.session(),
            answer.json["data"]["tenant"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

/// The configuration: over https, with no limits and no log.
pub fn config() -> Config {
    Config {
        https: true,
        allowed_origins: vec![ORIGIN.to_owned()],
        origin_secrets: Vec::new(),
        keys: Keys::new(&KEY, None).expect("a strong key"),
        rate_limit_per_user: 0,
        rate_limit_per_ip: 0,
        body_limit: Config::BODY_LIMIT,
        log: |_| (),
    }
}

/// An event with a JSON body that asks for JSON.
pub fn event(method: &str, path: &str, cookie: &str, body: &str) -> Value {
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "cookies": if cookie.is_empty() { vec![] } else { vec![cookie] },
        "headers": {
            "accept": "application/json", "content-type": "application/json",
            "origin": ORIGIN, "sec-fetch-site": "same-origin",
        },
        "requestContext": {
            "http": { "method": method, "path": path, "sourceIp": "192.0.2.1" },
            "requestId": uuid::Uuid::new_v4().to_string(),
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

/// Passes an event to a function.
pub async fn invoke(function: &Function, event: &Value) -> Answer {
    let reply: Value = serde_json::from_slice(&function.invoke(event.to_string().as_bytes()).await)
        .expect("a JSON answer");
    let text = reply["body"].as_str().unwrap_or_default().to_owned();
    let headers = reply["headers"].as_object().into_iter().flatten();
    let cookies = reply["cookies"].as_array().into_iter().flatten();
    Answer {
        status: reply["statusCode"].as_u64().unwrap_or_default(),
        headers: headers
            .map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned()))
            .collect(),
        cookies: cookies
            .map(|cookie| cookie.as_str().unwrap_or_default().to_owned())
            .collect(),
        json: serde_json::from_str(&text).unwrap_or_default(),
        text,
    }
}

/// One item as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
    /// Every attribute.
    pub item: Value,
}

impl Inside {
    /// Every stored item whose partition key begins with `prefix`.
    pub fn stored(&self, prefix: &str) -> Vec<Stored> {
        let mut stored = Vec::new();
        let mut from = None;
        loop {
            let request = ScanRequest {
                table_name: "edge-crm".to_owned(),
                exclusive_start_key: from,
                ..ScanRequest::default()
            };
            let page = self.database.scan(request).expect("a scan");
            let items = serde_json::to_value(page.items.unwrap_or_default()).expect("JSON");
            stored.extend(items.as_array().into_iter().flatten().map(|item| {
                let item = plain(&json!({ "M": item }));
                let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
                Stored {
                    pk: text("pk"),
                    sk: text("sk"),
                    item,
                }
            }));
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        stored.retain(|stored| stored.pk.starts_with(prefix));
        stored
    }

    /// Writes one attribute of a stored item, behind the product's back.
    pub fn tamper(&self, pk: &str, sk: &str, name: &str, value: AttributeValue) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let request = UpdateItemRequest {
            table_name: "edge-crm".to_owned(),
            key: [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))].into(),
            update_expression: Some("SET #name = :value".to_owned()),
            expression_attribute_names: Some([("#name".to_owned(), name.to_owned())].into()),
            expression_attribute_values: Some([(":value".to_owned(), value)].into()),
            ..UpdateItemRequest::default()
        };
        self.database.update_item(request).expect("an update");
    }
}

/// A value without DynamoDB's type names.
fn plain(typed: &Value) -> Value {
    let Some((kind, value)) = typed.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "N" => value
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default(),
        "NULL" => Value::Null,
        "L" => value.as_array().into_iter().flatten().map(plain).collect(),
        "M" => value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => value.clone(),
    }
}
