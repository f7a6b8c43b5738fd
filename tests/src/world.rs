//! The whole product in this process: the functions behind the caching edge, over an embedded
//! DynamoDB. Tests can make functions crash and the edge fail.

use crate::Table;
use crate::fault::Proxy;
use crate::inside::{ORIGIN, config, unhurried};
use action::{Actor, Role, TenantId, UserId};
use auth::{Keys, SessionSecret, Token};
use bytes::Bytes;
use cdn::{CloudFront, Invalidations};
use edge_crm_local::{
    Distribution, DistributionSettings, Edge, Faults, FunctionOrigin, Mailbox, TEMPLATE, Template,
};
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use mail::{Mailer, Ses};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::Store;
use tokio::task::JoinHandle;
use wrapper::{App, Config, Revalidation, Runner};

/// A signing key like those that a deployment generates: 64 letters and digits.
const SESSION_KEY: &str = "kT2vXc8LmN4qRs6WzYb1Dd3Ff5Hh7Jj9Pp0AaEeGgIiKkOoUuCcMmQqSsVvBbNnLl";

const SESSION_COOKIE: &str = "__Host-session";

/// The sender of all emails.
pub const MAIL_FROM: &str = "Edge CRM <crm@example.com>";

/// How often the background functions run.
const TICK: Duration = Duration::from_millis(200);

/// The event that EventBridge sends on a schedule.
#[must_use]
pub fn scheduled_event() -> Value {
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-20T10:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/sweep"],
        "detail": {},
    })
}

/// The product in one process.
pub struct World {
    /// The table.
    pub table: Table,
    /// The edge's cache, its API and its faults.
    pub distribution: Distribution,
    edge: Edge,
    keys: Keys,
    crashes: Arc<AtomicU64>,
    /// The emails that were sent.
    pub mailbox: Mailbox,
    tickers: [JoinHandle<()>; 2],
}

impl Drop for World {
    fn drop(&mut self) {
        for ticker in &self.tickers {
            ticker.abort();
        }
    }
}

impl World {
    /// A world in which an action purges cached pages before it responds.
    pub async fn start() -> Self {
        Self::with(Revalidation::Inline).await
    }

    /// A world with this revalidation setting.
    pub async fn with(revalidation: Revalidation) -> Self {
        Self::configured(Config {
            revalidation,
            ..config()
        })
        .await
    }

    /// A world with this configuration, with its own keys.
    pub async fn configured(config: Config) -> Self {
        let table = Table::start().await;
        let store = Store::connect(unhurried(table.url()));
        Self::over(table, store, config).await
    }

    /// A world whose transactions conflict with each other as DynamoDB's do, and the proxy that sees to
    /// that.
    pub async fn with_conflicts() -> (Self, Proxy) {
        let table = Table::start().await;
        let proxy = Proxy::start(table.url()).await;
        proxy.refuse_conflicts();
        let store = Store::connect(unhurried(&proxy.url));
        (Self::over(table, store, config()).await, proxy)
    }

    async fn over(table: Table, store: Store, config: Config) -> Self {
        store.create_table_if_missing().await.expect("a table");
        let settings = DistributionSettings {
            session_cookie: SESSION_COOKIE.to_owned(),
            ..DistributionSettings::local(443, SESSION_KEY).expect("randomness")
        };
        let keys = Keys::new(SESSION_KEY.as_bytes(), None).expect("a strong key");
        let config = Config {
            origin_secrets: vec![settings.origin_secret().to_owned()],
            keys: keys.clone(),
            ..config
        };
        let distribution = Distribution::start(settings).await.expect("a port");
        let client = Invalidations::connect(CloudFront::local(distribution.endpoint()));
        let mailbox = Mailbox::start().await.expect("a port");
        let mailer = Mailer::connect(Ses::local(mailbox.endpoint(), MAIL_FROM));
        let app = App::with_mail(store, client, mailer, config, functions::SITE);
        let crashes = Arc::new(AtomicU64::new(0));
        let origins: Vec<_> = functions::runners(&app)
            .into_iter()
            .map(|function| crashing(function, &crashes))
            .collect();
        let named = |name: &str| origins.iter().find(|origin| origin.name() == name).cloned();
        let tickers = ["revalidate", "deliver-mail"]
            .map(|name| tokio::spawn(tick(named(name).expect("the function"))));
        let template = Template::parse(TEMPLATE).expect("the template");
        let edge = Edge::new(&template, distribution.clone(), origins).expect("an edge");
        Self {
            table,
            distribution,
            edge,
            keys,
            crashes,
            mailbox,
            tickers,
        }
    }

    /// From now on kills this percentage of invocations, each at a random moment.
    pub fn crash(&self, percent: u64) {
        self.crashes.store(percent, Ordering::Relaxed);
    }

    /// From now on injects these faults at the edge.
    pub fn faults(&self, faults: Faults) {
        self.distribution.set_faults(faults);
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Response {
        let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let (parts, body) = self.edge.respond(request, peer).await.into_parts();
        let bytes = body
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default();
        Response {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Signs up an organisation. Returns its owner.
    pub async fn sign_up(&self, organization: &str) -> Person {
        let nobody = Person::default();
        let fields = json!({
            "name": "Ada", "email": format!("{}@example.com", uuid::Uuid::new_v4()),
            "password": "correct horse", "organization": organization,
        });
        let answer = self.act(&nobody, "sign-up", &fields).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.table.confirm_emails();
        let mut person = nobody;
        person.learn(&answer);
        person.tenant = answer.json()["data"]["tenant"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        person
    }

    /// Writes a new member with this role into the organisation of `owner`, straight to the table.
    /// Returns the member, signed in.
    pub fn join(&self, owner: &Person, role: Role) -> Person {
        let user: UserId = uuid::Uuid::now_v7().into();
        let tenant = TenantId::parse(&owner.tenant).expect("a slug");
        let secret = SessionSecret::random().expect("randomness");
        let now = crate::now();
        let membership = json!({
            "id": user, "name": "Mia Member", "email": format!("{user}@example.com"), "role": role,
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "version": 1,
        });
        self.table
            .put(&format!("{tenant}:members"), user.as_str(), &membership);
        let session =
            json!({ "tenant": tenant, "user": user, "createdAt": now, "expires_at": now + 86_400 });
        self.table
            .put(&format!("#session:{user}"), &secret.hash(), &session);
        let actor = Actor { tenant, user, role };
        let token = Token {
            secret,
            actor,
            expires: now + auth::TOKEN_LIFETIME,
        };
        Person {
            tenant: owner.tenant.clone(),
            session: token.sign(&self.keys),
            fresh: String::new(),
        }
    }

    /// The person with a changed token, which is validly signed.
    pub fn signed_again(&self, person: &Person, change: impl FnOnce(&mut Token)) -> Person {
        let mut token = Token::verify(&person.session, &self.keys).expect("a token");
        change(&mut token);
        Person {
            session: token.sign(&self.keys),
            ..person.clone()
        }
    }

    /// Gets a page of the person's organisation.
    pub async fn look(&self, person: &Person, path: &str) -> Response {
        self.send(person.get(&format!("/t/{}{path}", person.tenant), "text/html"))
            .await
    }

    /// Runs an action with these fields as JSON.
    pub async fn act(&self, person: &Person, action: &str, fields: &Value) -> Response {
        let request = Request::post(format!("/actions/{action}"))
            .header("content-type", "application/json")
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .header("cookie", person.cookies())
            .body(Full::from(fields.to_string()))
            .expect("a request");
        self.send(request).await
    }

    /// Runs an action that must succeed. The person keeps the cookies that it sets. Returns the `data`.
    pub async fn change(&self, person: &mut Person, action: &str, fields: &Value) -> Value {
        let answer = self.act(person, action, fields).await;
        assert_eq!(answer.status, 200, "{action}: {answer:?}");
        person.learn(&answer);
        answer.json()["data"].clone()
    }

    /// Waits until the outbox is empty.
    pub async fn settled(&self, patience: Duration) {
        let late = tokio::time::Instant::now() + patience;
        loop {
            let left = self.table.under("#outbox:");
            if left.is_empty() {
                return;
            }
            assert!(
                tokio::time::Instant::now() < late,
                "never drained: {left:?}"
            );
            tokio::time::sleep(TICK).await;
        }
    }
}

/// The function as an origin that may be killed while it runs. Its response is empty then.
fn crashing(function: Runner, crashes: &Arc<AtomicU64>) -> FunctionOrigin {
    let (name, function) = (function.name(), Arc::new(function));
    let crashes = Arc::clone(crashes);
    FunctionOrigin::new(name, move |event: Vec<u8>| {
        let function = Arc::clone(&function);
        let dies = crate::fault::random(100) < crashes.load(Ordering::Relaxed);
        async move {
            let run = tokio::spawn(async move { function.invoke(&event).await });
            if !dies {
                return run.await.unwrap_or_default();
            }
            let moment = Duration::from_micros(crate::fault::random(30_000));
            tokio::time::sleep(moment).await;
            // Calls that it has made by then have taken effect. It makes no others.
            run.abort();
            run.now_or_never().and_then(Result::ok).unwrap_or_default()
        }
    })
}

async fn tick(function: FunctionOrigin) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        function
            .invoke(scheduled_event().to_string().into_bytes())
            .await;
    }
}

/// A user's browser: its cookies.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// The slug of the user's organisation.
    pub tenant: String,
    /// The token in the session cookie.
    pub session: String,
    /// The value of the cookie `fresh`.
    pub fresh: String,
}

impl Person {
    /// The `Cookie` header.
    #[must_use]
    pub fn cookies(&self) -> String {
        let pairs = [(SESSION_COOKIE, &self.session), ("fresh", &self.fresh)];
        let set = pairs.iter().filter(|(_, value)| !value.is_empty());
        set.map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// A GET with the person's cookies.
    #[must_use]
    pub fn get(&self, path: &str, accept: &str) -> Request<Full<Bytes>> {
        Request::get(path)
            .header("accept", accept)
            .header("cookie", self.cookies())
            .body(Full::default())
            .expect("a request")
    }

    /// Keeps the cookies that a response sets.
    pub fn learn(&mut self, answer: &Response) {
        if let Some(session) = answer.cookie(SESSION_COOKIE) {
            self.session = session;
        }
        if let Some(fresh) = answer.cookie("fresh") {
            self.fresh = fresh;
        }
    }

    /// The person without the cookie `fresh`, as one who has changed nothing.
    #[must_use]
    pub fn stale(&self) -> Self {
        Self {
            fresh: String::new(),
            ..self.clone()
        }
    }
}

/// A response as the viewer gets it.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Response {
    /// Whether the response came from the cache.
    #[must_use]
    pub fn is_hit(&self) -> bool {
        self.header("x-cache") == "Hit from cloudfront"
    }

    /// A header's value. Empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as JSON, or null.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The value to which the response sets a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all("set-cookie").iter();
        set.filter_map(|cookie| cookie.to_str().ok()?.split(';').next()?.split_once('='))
            .find_map(|(key, value)| (key == name).then(|| value.to_owned()))
    }
}
