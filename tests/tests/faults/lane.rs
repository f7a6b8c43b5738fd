//! One function over its own table, behind proxies, that tries one case after another.

use crate::cases::{Case, HURRIED, UNHURRIED, hurry, is_late};
use crate::effect::{Effect, essence};
use crate::report::First;
use cdn::{CloudFront, Invalidations};
use edge_crm_local::{Distribution, DistributionSettings};
use edge_crm_tests::fault::{Call, Proxy};
use edge_crm_tests::inside::{Answer, DISTRIBUTION, config, invoke, unhurried};
use edge_crm_tests::prepared::{Copy, Prepared};
use edge_crm_tests::{Record, Table};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use store::{Store, TableSettings};
use wrapper::{App, Config, Runner};

/// These actions keep no idempotency record: signing in twice opens two sessions, and after signing
/// out there is no user to return a result to.
pub(crate) const UNRECORDED: [&str; 3] = ["sign-in", "sign-out", "sign-out-everywhere"];

/// After these actions the session has ended, so a request that is sent again may be told to sign in.
const ENDS_SESSION: [&str; 3] = ["sign-out", "sign-out-everywhere", "delete-account"];

/// How often a request is sent again. Once is enough, unless a late call of the first is still on
/// its way.
const TRIES: u32 = 12;

/// The pause before each retry, times the number of the retry.
const PAUSE: Duration = Duration::from_millis(50);

/// A function that takes longer hangs, however busy the machine is.
const HANGS: Duration = Duration::from_secs(120);

/// How many operations of one request may wait for late calls. In production each ends after
/// 4 s, and the function after 15 s.
const LATE_OPERATIONS: usize = 3;

/// How long a lane waits for a run that no slowness of the machine disturbs.
const CALM: Duration = Duration::from_secs(120);

/// A configuration whose rate limits count but never refuse, with production's wait for the count of
/// a refused request, so that a fault in it cannot delay a response for long.
pub(crate) fn counting() -> Config {
    Config {
        rate_limit_per_user: 1_000_000,
        rate_limit_per_ip: 1_000_000,
        best_effort_timeout: Config::BEST_EFFORT_TIMEOUT,
        ..config()
    }
}

/// What the action does if nothing goes wrong.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    data: Value,
    effect: Effect,
    opens_session: bool,
    tags: Vec<String>,
    invalidations: u64,
    /// Its calls of DynamoDB.
    pub(crate) calls: Vec<Call>,
}

/// The outcome of a case.
pub(crate) struct Outcome {
    pub(crate) first: First,
    pub(crate) retries: usize,
    /// Whether it left an outbox record to be drained.
    pub(crate) drained: bool,
    /// Whether the fault struck a call.
    pub(crate) struck: bool,
}

pub(crate) struct Lane {
    name: &'static str,
    event: Value,
    copy: Copy,
    /// With [`UNHURRIED`] limits.
    store: Store,
    /// With [`HURRIED`] limits.
    hurried: Store,
    distribution: Distribution,
    /// The proxy before CloudFront.
    cloudfront: Proxy,
    stored: Vec<Record>,
    /// When pages were marked as cached.
    live: Option<Instant>,
    pub(crate) expected: Arc<Expected>,
}

fn is_outbox(record: &Record) -> bool {
    record.pk.starts_with("#outbox:")
}

impl Lane {
    /// A lane for this function that has learnt what the function does. If `live`, the edge has pages
    /// that it makes stale.
    pub(crate) async fn start(prepared: &Prepared, live: bool) -> Self {
        let mut lane = Self::knowing(prepared, Arc::default(), false).await;
        lane.learn().await;
        if live {
            lane.mark_pages().await;
            lane.learn().await;
        }
        lane
    }

    /// A lane for this function that another lane has learnt about.
    pub(crate) async fn knowing(prepared: &Prepared, expected: Arc<Expected>, live: bool) -> Self {
        let copy = prepared.copy_with(counting()).await;
        let settings = DistributionSettings {
            id: DISTRIBUTION.to_owned(),
            ..DistributionSettings::local(443, &"k".repeat(64)).expect("randomness")
        };
        let distribution = Distribution::start(settings).await.expect("a port");
        let url = &copy.inside.proxy.url;
        let [store, hurried] = [UNHURRIED, HURRIED].map(|patience| {
            Store::connect(TableSettings {
                patience,
                ..unhurried(url)
            })
        });
        let mut lane = Self {
            name: prepared.name,
            event: prepared.event(),
            store,
            hurried,
            cloudfront: Proxy::start(distribution.endpoint()).await,
            stored: prepared.stored().to_vec(),
            live: None,
            expected,
            distribution,
            copy,
        };
        if live {
            lane.mark_pages().await;
        }
        lane
    }

    /// The function, in a process that has just started.
    pub(crate) fn function(&self, name: &str) -> Runner {
        self.function_over(&self.store, name)
    }

    fn function_over(&self, store: &Store, name: &str) -> Runner {
        let client = Invalidations::connect(CloudFront::local(&self.cloudfront.url));
        let app = App::new(store.clone(), client, counting(), functions::SITE);
        let mut functions = functions::runners(&app).into_iter();
        functions
            .find(|function| function.name() == name)
            .expect("a function")
    }

    fn restore(&self) {
        self.copy.inside.table.restore(&self.stored);
    }

    pub(crate) fn table(&self) -> &Table {
        &self.copy.inside.table
    }

    fn outbox(&self) -> Vec<Record> {
        let mut records = self.table().dump();
        records.retain(is_outbox);
        records
    }

    /// Learns what the action does if nothing goes wrong. An action waits 300 ms for CloudFront,
    /// which a busy machine may exceed, so this repeats until a purge was in time.
    async fn learn(&mut self) {
        let late = Instant::now() + CALM;
        while !self.has_learnt().await {
            assert!(
                Instant::now() < late,
                "{}: an outbox record is left, though nothing goes wrong",
                self.name
            );
        }
    }

    async fn has_learnt(&mut self) -> bool {
        self.restore();
        let proxy = &self.copy.inside.proxy;
        proxy.calls();
        let before = self.distribution.counters().invalidations;
        let response = invoke(&self.function(self.name), &self.event).await;
        assert_eq!(response.status, 200, "{}: {response:?}", self.name);
        let tags = response.json["revalidated"]
            .as_array()
            .into_iter()
            .flatten();
        self.cloudfront.quiet().await;
        self.expected = Arc::new(Expected {
            data: essence(&response.json["data"]),
            effect: Effect::between(&self.stored, &self.copy.inside.table.dump()),
            opens_session: response.session().contains('.'),
            tags: tags
                .filter_map(|tag| Some(tag.as_str()?.to_owned()))
                .collect(),
            invalidations: self.distribution.counters().invalidations - before,
            calls: proxy.detailed_calls(),
        });
        self.outbox().is_empty()
    }

    /// Marks the action's tags as cached at the edge, a minute ago.
    async fn mark_pages(&mut self) {
        self.restore();
        let then = (edge_crm_tests::now() - 60) * 1000;
        // What the action creates gets a new id, which is on no page.
        let is_stored = |tag: &str| match tag.split(':').nth(2) {
            Some(id) => self.stored.iter().any(|record| record.sk == id),
            None => true,
        };
        for tag in self.expected.tags.iter().filter(|tag| is_stored(tag)) {
            self.copy.inside.table.mark(tag, DISTRIBUTION, then);
        }
        self.stored = self.copy.inside.table.dump();
        self.live = Some(Instant::now());
    }

    /// Tries a case.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub(crate) async fn try_case(&mut self, case: &Case) -> Result<Outcome, String> {
        // Before the marks expire.
        if self
            .live
            .is_some_and(|since| since.elapsed() > Duration::from_secs(100))
        {
            self.mark_pages().await;
        }
        self.restore();
        let made = |proxy: &Proxy| proxy.made.load(Ordering::Relaxed);
        let proxy = &self.copy.inside.proxy;
        let before = made(proxy) + made(&self.cloudfront);
        let purged = self.distribution.counters().invalidations;
        proxy.plan(case.database.clone());
        self.cloudfront.plan(case.others.clone());
        proxy.calls();
        let hurried = hurry(&case.database);
        let store = if hurried { &self.hurried } else { &self.store };
        let function = self.function_over(store, self.name);
        let response = self.send(&function).await?;
        let struck = made(proxy) + made(&self.cloudfront) > before;
        self.waits_in_bounds()?;
        let first = self.judge(&response, Some(case))?;
        let retries = match first {
            First::Success => 0,
            _ => {
                proxy.plan(Vec::new());
                match hurried {
                    true => self.insist(&self.function(self.name)).await?,
                    false => self.insist(&function).await?,
                }
            }
        };
        proxy.plan(Vec::new());
        proxy.quiet().await;
        self.cloudfront.plan(Vec::new());
        self.cloudfront.quiet().await;
        let now = self.table().dump();
        self.written(&now, retries + 1)?;
        let drained = self.drain(&now).await?;
        let later = if drained { self.table().dump() } else { now };
        self.purged(&later, purged, case.renews)?;
        Ok(Outcome {
            first,
            retries,
            drained,
            struck,
        })
    }

    /// Whether few enough operations waited for late calls that the function ends before its own
    /// timeout in production.
    fn waits_in_bounds(&self) -> Result<(), String> {
        let calls = self.database().detailed_calls();
        let late = calls
            .iter()
            .filter(|call| call.fault.as_ref().is_some_and(is_late));
        let operations: BTreeSet<_> = late.map(|call| &call.invocation).collect();
        match operations.len() {
            0..=LATE_OPERATIONS => Ok(()),
            more => Err(format!(
                "{more} operations waited for late calls: {calls:?}"
            )),
        }
    }

    async fn send(&self, function: &Runner) -> Result<Answer, String> {
        let sent = tokio::time::timeout(HANGS, invoke(function, &self.event));
        sent.await.map_err(|_| "it hangs".to_owned())
    }

    /// Sends the request again until it succeeds. Returns how often.
    pub(crate) async fn insist(&self, function: &Runner) -> Result<usize, String> {
        for tries in 1..=TRIES {
            let response = self.send(function).await?;
            let ended = response.status == 401 && ENDS_SESSION.contains(&self.name);
            if ended || self.judge(&response, None)? == First::Success {
                return Ok(tries as usize);
            }
            tokio::time::sleep(PAUSE * tries).await;
        }
        Err("sent again and again, it does not succeed".to_owned())
    }

    /// What the response says, if that may be true: that the action was done or may be sent again. It
    /// may claim a bug or a conflict only if the service said so in this case.
    pub(crate) fn judge(&self, response: &Answer, case: Option<&Case>) -> Result<First, String> {
        let denied = case.is_some_and(|case| case.denies);
        let is_bug = case.is_some_and(|case| case.is_bug);
        let code = response.json["code"].as_str().unwrap_or_default();
        let first = match (response.status, code) {
            (200, "") => First::Success,
            (503, "DATABASE_ERROR") => First::Unavailable,
            (504, "NETWORK_ERROR") => First::Late,
            (409, "CONFLICT") if denied => First::Conflict,
            (500, "UNKNOWN") if is_bug => First::Bug,
            _ => return Err(format!("unexpected response {response:?}")),
        };
        let caching = response.headers.get("cache-control").map(String::as_str);
        if caching != Some("private, no-store") {
            return Err(format!("it may be cached: {response:?}"));
        }
        if first == First::Success {
            let data = essence(&response.json["data"]);
            if data != self.expected.data {
                return Err(format!(
                    "another result: {data}, not {}",
                    self.expected.data
                ));
            }
            if self.expected.opens_session && !response.session().contains('.') {
                return Err("no session".to_owned());
            }
        } else {
            for secret in ["injected", "dynamodb", "127.0.0.1", ".rs", "#idempotency"] {
                if response.text.contains(secret) {
                    return Err(format!("it contains {secret}: {response:?}"));
                }
            }
        }
        Ok(first)
    }

    /// Whether exactly the expected effect has been written after this many requests.
    pub(crate) fn written(&self, now: &[Record], tries: usize) -> Result<(), String> {
        let effect = Effect::between(&self.stored, now);
        let expected = &self.expected.effect;
        let most = if UNRECORDED[0] == self.name { tries } else { 1 };
        if !effect.is_of(expected, most) {
            let (is, of) = (&effect.changes, &expected.changes);
            let unexpected = is
                .iter()
                .filter(|change| of.get(change.0) != Some(change.1));
            let missing = of
                .iter()
                .filter(|change| is.get(change.0) != Some(change.1));
            let (unexpected, missing) =
                (unexpected.collect::<Vec<_>>(), missing.collect::<Vec<_>>());
            return Err(format!("wrote {unexpected:#?} instead of {missing:#?}"));
        }
        // One with the commit, and one with each replay, whose response may be lost too.
        let most = if expected.sessions == 0 { 0 } else { 2 * tries };
        let opened = expected.sessions..=most;
        if !opened.contains(&effect.sessions) {
            return Err(format!(
                "{} sessions after {tries} requests",
                effect.sessions
            ));
        }
        Ok(())
    }

    /// Drains the outbox, as after an event of the table's stream. Returns whether there was anything
    /// in it.
    async fn drain(&self, now: &[Record]) -> Result<bool, String> {
        let left: Vec<_> = now
            .iter()
            .filter(|record| is_outbox(record))
            .cloned()
            .collect();
        if left.is_empty() {
            return Ok(false);
        }
        // A record is due a second after the commit. Its key contains that time, and CloudFront knows
        // a repeated purge by its key, so here the time must pass.
        if self.expected.invalidations > 0 {
            tokio::time::sleep(Duration::from_millis(1_050)).await;
        } else {
            left.iter().for_each(|record| self.table().make_due(record));
        }
        let records = self.outbox().into_iter().map(|record| {
            let keys = json!({ "pk": { "S": record.pk }, "sk": { "S": record.sk } });
            json!({ "eventName": "INSERT", "dynamodb": { "Keys": keys } })
        });
        let event = json!({ "Records": records.collect::<Vec<_>>() });
        let event = event.to_string();
        // Lambda retries a batch that has failed.
        for tries in 1..=TRIES {
            self.function("revalidate").invoke(event.as_bytes()).await;
            if self.outbox().is_empty() {
                return Ok(true);
            }
            tokio::time::sleep(PAUSE * tries).await;
        }
        Err(format!("the outbox is not drained: {:?}", self.outbox()))
    }

    /// Whether everything live has been purged, and nothing twice. If `renewed`, the service said that
    /// a page has been rendered since, and its mark stays open.
    fn purged(&self, now: &[Record], before: u64, renewed: bool) -> Result<(), String> {
        let purged = self.distribution.counters().invalidations - before;
        if purged != self.expected.invalidations {
            return Err(format!("{purged} invalidations"));
        }
        let tags: BTreeSet<_> = self.expected.tags.iter().map(String::as_str).collect();
        let open = now.iter().find(|record| {
            let tag = record.pk.strip_prefix("#mark:");
            let is_open = !record.get("markedAt").is_null() && record.get("closed").is_null();
            let is_pending = !record.get("pending").is_null();
            tag.is_some_and(|tag| tags.contains(tag)) && (is_open || is_pending)
        });
        match open {
            Some(mark) if !renewed => Err(format!("still open: {mark:?}")),
            _ => Ok(()),
        }
    }

    /// The proxy before the database.
    pub(crate) fn database(&self) -> &Proxy {
        &self.copy.inside.proxy
    }

    /// Restores the state before any request.
    pub(crate) fn reset(&self) {
        self.database().plan(Vec::new());
        self.restore();
    }

    /// The broken chains of audit records.
    pub(crate) async fn broken_chains(&self) -> Vec<String> {
        self.copy.inside.table.broken_chains().await
    }

    /// Sends the request from another process, until it succeeds.
    pub(crate) async fn twin(self: Arc<Self>) -> Result<First, String> {
        let function = self.function(self.name);
        let response = self.send(&function).await?;
        let first = self.judge(&response, None)?;
        if first != First::Success {
            self.insist(&function).await?;
        }
        Ok(first)
    }
}
