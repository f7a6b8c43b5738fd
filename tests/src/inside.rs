//! The functions in this process, invoked with events as Lambda invokes them, over an embedded
//! DynamoDB.

use crate::Table;
use crate::fault::Proxy;
use auth::Keys;
use cdn::{CloudFront, Invalidations};
use edge_crm_local::{Distribution, DistributionSettings};
use mail::Mailer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Allowance, Patience, Store, TableSettings};
use wrapper::{App, Config, Revalidation, Runner};

/// The only origin whose pages may post.
pub const ORIGIN: &str = "https://crm.example";

/// The secret that proves that a request came through the edge.
pub const ORIGIN_SECRET: &str = "an origin secret for the tests only";

/// The CloudFront distribution that the events of [`through_edge`] come through.
pub const DISTRIBUTION: &str = "ETESTS";

/// The signing key of every app here.
pub const KEY: [u8; 32] = *b"a signing key for the tests only";

/// Time limits that no call exceeds, even on a busy machine.
pub const UNHURRIED: Patience = Patience {
    connect: Duration::from_secs(60),
    attempt: Duration::from_secs(60),
    operation: Duration::from_secs(120),
    wait: None,
};

/// Settings for the table at `url` with limits so long that no call fails because the machine is busy.
#[must_use]
pub fn unhurried(url: &str) -> TableSettings {
    TableSettings {
        patience: UNHURRIED,
        ..TableSettings::local(url, "edge-crm")
    }
}

/// The functions over one table.
pub struct Inside {
    /// The app that the functions share.
    pub app: Arc<App>,
    /// The table, behind the proxy.
    pub table: Table,
    /// The proxy that can inject faults into calls to the table.
    pub proxy: Proxy,
}

/// A response.
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
    /// The session cookie that the response sets, in the form in which a request sends it.
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
    /// The functions over an empty table.
    pub async fn start() -> Self {
        Self::with(config(), no_edge()).await
    }

    /// Functions that accept only requests with [`ORIGIN_SECRET`].
    pub async fn behind_edge() -> Self {
        let guarded = Config {
            origin_secrets: vec![ORIGIN_SECRET.to_owned()],
            ..config()
        };
        Self::with(guarded, no_edge()).await
    }

    /// Functions with this configuration and this CDN client, that send no email.
    pub async fn with(config: Config, edge: Invalidations) -> Self {
        Self::with_mail(config, edge, Mailer::default()).await
    }

    /// The same, with a mailer.
    pub async fn with_mail(config: Config, edge: Invalidations, mailer: Mailer) -> Self {
        let table = Table::start().await;
        let direct = Store::connect(unhurried(table.url()));
        direct.create_table_if_missing().await.expect("a table");
        let proxy = Proxy::start(table.url()).await;
        let store = Store::connect(unhurried(&proxy.url));
        let app = App::with_mail(store, edge, mailer, config, functions::SITE);
        Self { app, table, proxy }
    }

    /// Starts the functions again over the same table, as in another process: they have learned nothing yet.
    #[must_use]
    pub fn in_another_process(self, config: Config, edge: Invalidations) -> Self {
        let store = Store::connect(unhurried(&self.proxy.url));
        Self {
            app: App::new(store, edge, config, functions::SITE),
            ..self
        }
    }

    /// Posts a form to an action with this session cookie, as a page of the product does.
    pub async fn post(&self, function: &Runner, cookie: &str, fields: &Value) -> Answer {
        let mut event = event(
            "POST",
            &format!("/actions/{}", function.name()),
            cookie,
            &fields.to_string(),
        );
        event["headers"]["x-crm-secret"] = json!(ORIGIN_SECRET);
        invoke(function, &event).await
    }

    /// Signs up, with a confirmed address. Returns the session cookie and the tenant.
    pub async fn sign_up(&self, organization: &str) -> (String, String) {
        let fields = json!({
            "name": "Ada", "email": format!("{}@example.com", uuid::Uuid::new_v4()),
            "password": "correct horse", "organization": organization,
            "idempotency_key": uuid::Uuid::new_v4().to_string(),
        });
        let answer = self
            .post(
                &crate::runner(Arc::clone(&self.app), "sign-up"),
                "",
                &fields,
            )
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.table.confirm_emails();
        (
            answer.session(),
            answer.json["data"]["tenant"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

/// A client of a CDN that cannot be reached.
pub fn no_edge() -> Invalidations {
    Invalidations::connect(CloudFront::local("http://127.0.0.1:1"))
}

/// The API of a CDN with the distribution [`DISTRIBUTION`], and its client.
///
/// # Panics
/// If it cannot be started.
pub async fn edge() -> (Distribution, Invalidations) {
    let settings = DistributionSettings::local(443, &"k".repeat(64)).expect("settings");
    let settings = DistributionSettings {
        id: DISTRIBUTION.to_owned(),
        ..settings
    };
    let distribution = Distribution::start(settings).await.expect("a port");
    let client = Invalidations::connect(CloudFront::local(distribution.endpoint()));
    (distribution, client)
}

/// The default configuration here: https, no rate limits, pages may be cached at once and purged at any
/// price, no log, and every refused request is counted, however busy the machine is.
pub fn config() -> Config {
    Config {
        https: true,
        allowed_origins: vec![ORIGIN.to_owned()],
        origin_secrets: Vec::new(),
        keys: Keys::new(&KEY, None).expect("a strong key"),
        rate_limit_per_user: 0,
        rate_limit_per_ip: 0,
        body_limit: Config::BODY_LIMIT,
        revalidation: Revalidation::Inline,
        inline_purge_timeout: Config::INLINE_PURGE_TIMEOUT,
        quiet_time: Duration::ZERO,
        allowance: Allowance { a_month: 1_000_000 },
        best_effort_timeout: UNHURRIED.operation,
        log: |_| (),
    }
}

/// The event of a request that has a JSON body and asks for JSON.
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

/// The event of a GET that came through the edge, with `key` as the variable part of the cache key.
pub fn through_edge(path: &str, cookie: &str, accept: &str, key: &str) -> Value {
    let mut event = event("GET", path, cookie, "");
    event["headers"] = json!({
        "accept": accept,
        "x-crm-secret": ORIGIN_SECRET, "x-crm-distribution": DISTRIBUTION,
        "x-crm-domain": "d111111abcdef8.cloudfront.net", "x-crm-viewer-ip": "192.0.2.1",
        "x-crm-key": key,
    });
    event
}

/// Invokes a function with an event.
pub async fn invoke(function: &Runner, event: &Value) -> Answer {
    let response: Value =
        serde_json::from_slice(&function.invoke(event.to_string().as_bytes()).await)
            .expect("a JSON response");
    let text = response["body"].as_str().unwrap_or_default().to_owned();
    let headers = response["headers"].as_object().into_iter().flatten();
    let cookies = response["cookies"].as_array().into_iter().flatten();
    Answer {
        status: response["statusCode"].as_u64().unwrap_or_default(),
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
