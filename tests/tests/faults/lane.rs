//! One function over a table of its own, behind proxies, in which case after case is tried.

use crate::cases::Case;
use crate::effect::{Effect, essence};
use crate::report::First;
use cdn::{CloudFront, Invalidations};
use edge_crm_local::{Distribution, DistributionSettings};
use edge_crm_tests::fault::{Call, Proxy};
use edge_crm_tests::inside::{Answer, DISTRIBUTION, config, invoke};
use edge_crm_tests::prepared::{Copy, Prepared};
use edge_crm_tests::{Record, Table};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use store::{Patience, Store, TableSettings};
use wrapper::{App, Config, Runner};

/// These keep no result for a repeated key: signing in twice makes two sessions, and who has signed
/// out is nobody to tell a result.
pub(crate) const UNRECORDED: [&str; 3] = ["sign-in", "sign-out", "sign-out-everywhere"];

/// How often a request is sent again: once suffices, unless the machine is so busy that calls take
/// longer than they may.
const TRIES: u32 = 12;

/// How long is waited before that, times how often it has been done.
const PAUSE: Duration = Duration::from_millis(50);

/// The function's own timeout.
const HANGS: Duration = Duration::from_secs(15);

/// In about the proportion of production's, and shorter, so that the tests end.
pub(crate) const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(1),
    operation: Duration::from_millis(2_200),
    wait: Some(Duration::from_millis(10)),
};

pub(crate) fn counting() -> Config {
    Config {
        rate_limit_per_user: 1_000_000,
        rate_limit_per_ip: 1_000_000,
        ..config()
    }
}

/// What the action does where nothing goes wrong.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    data: Value,
    effect: Effect,
    opens_session: bool,
    tags: Vec<String>,
    invalidations: u64,
    /// The calls of DynamoDB that it makes.
    pub(crate) calls: Vec<Call>,
}

/// What became of a case.
pub(crate) struct Outcome {
    pub(crate) first: First,
    pub(crate) retries: usize,
    /// Whether an outbox record was left for the drain.
    pub(crate) drained: bool,
    /// Whether the fault befell a call.
    pub(crate) befell: bool,
}

pub(crate) struct Lane {
    name: &'static str,
    event: Value,
    copy: Copy,
    store: Store,
    distribution: Distribution,
    edge: Proxy,
    stored: Vec<Record>,
    /// Since when the edge has pages.
    live: Option<Instant>,
    pub(crate) expected: Arc<Expected>,
}

fn is_outbox(record: &Record) -> bool {
    record.pk.starts_with("#outbox:")
}

impl Lane {
    /// A lane for this function that has learnt what it does; `live` where the edge has pages that
    /// it makes stale.
    pub(crate) async fn start(prepared: &Prepared, live: bool) -> Self {
        let mut lane = Self::knowing(prepared, Arc::default(), false).await;
        lane.learn().await;
        if live {
            lane.enliven().await;
            lane.learn().await;
        }
        lane
    }

    /// A lane for this function, of which another has learnt what it does.
    pub(crate) async fn knowing(prepared: &Prepared, expected: Arc<Expected>, live: bool) -> Self {
        let copy = prepared.copy_with(counting()).await;
        let settings = DistributionSettings {
            id: DISTRIBUTION.to_owned(),
            ..DistributionSettings::local(443, &"k".repeat(64)).expect("randomness")
        };
        let distribution = Distribution::start(settings).await.expect("a port");
        let settings = TableSettings {
            patience: PATIENCE,
            ..TableSettings::local(&copy.inside.proxy.url, "edge-crm")
        };
        let mut lane = Self {
            name: prepared.name,
            event: prepared.event(),
            store: Store::connect(settings),
            edge: Proxy::start(distribution.endpoint()).await,
            stored: prepared.stored().to_vec(),
            live: None,
            expected,
            distribution,
            copy,
        };
        if live {
            lane.enliven().await;
        }
        lane
    }

    /// A function of a process that has just started.
    pub(crate) fn function(&self, name: &str) -> Runner {
        self.function_over(&self.store, name)
    }

    fn function_over(&self, store: &Store, name: &str) -> Runner {
        let client = Invalidations::connect(CloudFront::local(&self.edge.url));
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

    /// Sees what the action does where nothing goes wrong. On a busy machine even that may take
    /// longer than a call may, so it is tried again.
    async fn learn(&mut self) {
        for _ in 0..TRIES {
            if self.has_learnt().await {
                return;
            }
        }
        panic!(
            "{}: an outbox record is left, though nothing goes wrong",
            self.name
        );
    }

    async fn has_learnt(&mut self) -> bool {
        self.restore();
        let proxy = &self.copy.inside.proxy;
        proxy.calls();
        let before = self.distribution.counters().invalidations;
        // With the patience of production.
        let store = Store::connect(TableSettings::local(&proxy.url, "edge-crm"));
        let answer = invoke(&self.function_over(&store, self.name), &self.event).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", self.name);
        let tags = answer.json["revalidated"].as_array().into_iter().flatten();
        self.edge.quiet().await;
        self.expected = Arc::new(Expected {
            data: essence(&answer.json["data"]),
            effect: Effect::between(&self.stored, &self.copy.inside.table.dump()),
            opens_session: answer.session().contains('.'),
            tags: tags
                .filter_map(|tag| Some(tag.as_str()?.to_owned()))
                .collect(),
            invalidations: self.distribution.counters().invalidations - before,
            calls: proxy.detailed_calls(),
        });
        self.outbox().is_empty()
    }

    /// The edge has pages with the action's tags, from a minute ago.
    async fn enliven(&mut self) {
        self.restore();
        let then = (edge_crm_tests::now() - 60) * 1000;
        let direct = Store::connect(TableSettings::local(self.table().url(), "edge-crm"));
        // What the action makes has a new id, and is on no page.
        let is_stored = |tag: &str| match tag.split(':').nth(2) {
            Some(id) => self.stored.iter().any(|record| record.sk == id),
            None => true,
        };
        for tag in self.expected.tags.iter().filter(|tag| is_stored(tag)) {
            let marked = direct.mark(tag, DISTRIBUTION, then).await;
            marked.expect("a mark");
        }
        self.stored = self.copy.inside.table.dump();
        self.live = Some(Instant::now());
    }

    /// Tries a case.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) async fn try_case(&mut self, case: &Case) -> Result<Outcome, String> {
        // Before the marks lapse.
        if self
            .live
            .is_some_and(|since| since.elapsed() > Duration::from_secs(100))
        {
            self.enliven().await;
        }
        self.restore();
        let made = |proxy: &Proxy| proxy.made.load(Ordering::Relaxed);
        let proxy = &self.copy.inside.proxy;
        let before = made(proxy) + made(&self.edge);
        let purged = self.distribution.counters().invalidations;
        proxy.plan(case.database.clone());
        self.edge.plan(case.beside.clone());
        let function = self.function(self.name);
        let answer = self.send(&function).await?;
        let befell = made(proxy) + made(&self.edge) > before;
        let first = self.judge(&answer, Some(case))?;
        let retries = match first {
            First::Success => 0,
            _ => {
                proxy.plan(Vec::new());
                self.insist(&function).await?
            }
        };
        proxy.plan(Vec::new());
        proxy.quiet().await;
        self.edge.plan(Vec::new());
        self.edge.quiet().await;
        let now = self.table().dump();
        self.written(&now, retries + 1)?;
        let drained = self.drain(&now).await?;
        let later = if drained { self.table().dump() } else { now };
        self.purged(&later, purged, case.renews)?;
        Ok(Outcome {
            first,
            retries,
            drained,
            befell,
        })
    }

    async fn send(&self, function: &Runner) -> Result<Answer, String> {
        let sent = tokio::time::timeout(HANGS, invoke(function, &self.event));
        sent.await.map_err(|_| "it hangs".to_owned())
    }

    /// Sends the request again until it succeeds. Gives how often.
    pub(crate) async fn insist(&self, function: &Runner) -> Result<usize, String> {
        for tries in 1..=TRIES {
            let answer = self.send(function).await?;
            let ended = UNRECORDED[1..].contains(&self.name) && answer.status == 401;
            if ended || self.judge(&answer, None)? == First::Success {
                return Ok(tries as usize);
            }
            tokio::time::sleep(PAUSE * tries).await;
        }
        Err("sent again and again, it does not succeed".to_owned())
    }

    /// Whether the response says truly that the action was done, or that it may be sent again. A bug
    /// or a conflict may be claimed only if the service said so in this case.
    pub(crate) fn judge(&self, answer: &Answer, case: Option<&Case>) -> Result<First, String> {
        let denied = case.is_some_and(|case| case.denies);
        let is_bug = case.is_some_and(|case| case.is_bug);
        let code = answer.json["code"].as_str().unwrap_or_default();
        let first = match (answer.status, code) {
            (200, "") => First::Success,
            (503, "DATABASE_ERROR") => First::Unavailable,
            (504, "NETWORK_ERROR") => First::Late,
            (409, "CONFLICT") if denied => First::Conflict,
            (500, "UNKNOWN") if is_bug => First::Bug,
            _ => return Err(format!("answered {answer:?}")),
        };
        let kept = answer.headers.get("cache-control").map(String::as_str);
        if kept != Some("private, no-store") {
            return Err(format!("to be cached: {answer:?}"));
        }
        if first == First::Success {
            let data = essence(&answer.json["data"]);
            if data != self.expected.data {
                return Err(format!(
                    "another result: {data}, not {}",
                    self.expected.data
                ));
            }
            if self.expected.opens_session && !answer.session().contains('.') {
                return Err("no session".to_owned());
            }
        } else {
            for secret in ["injected", "dynamodb", "127.0.0.1", ".rs", "#idempotency"] {
                if answer.text.contains(secret) {
                    return Err(format!("tells {secret}: {answer:?}"));
                }
            }
        }
        Ok(first)
    }

    /// Whether exactly what is expected has been written after so many requests.
    pub(crate) fn written(&self, now: &[Record], tries: usize) -> Result<(), String> {
        let effect = Effect::between(&self.stored, now);
        let expected = &self.expected.effect;
        let most = if UNRECORDED[0] == self.name { tries } else { 1 };
        if !effect.is_of(expected, most) {
            let (is, of) = (&effect.changes, &expected.changes);
            let other = is
                .iter()
                .filter(|change| of.get(change.0) != Some(change.1));
            let missing = of
                .iter()
                .filter(|change| is.get(change.0) != Some(change.1));
            let (other, missing) = (other.collect::<Vec<_>>(), missing.collect::<Vec<_>>());
            return Err(format!("written: {other:#?}, instead of {missing:#?}"));
        }
        // One with the commit, and one with each replay, whose answer may be lost too.
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

    /// Drains what is left in the outbox, as an event of the table's stream has it done. Gives
    /// whether there was anything.
    async fn drain(&self, now: &[Record]) -> Result<bool, String> {
        let left: Vec<_> = now
            .iter()
            .filter(|record| is_outbox(record))
            .cloned()
            .collect();
        if left.is_empty() {
            return Ok(false);
        }
        // Its name, of which the time is a part, makes a purge the same one.
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
        // Lambda brings a batch that has failed again.
        for tries in 1..=TRIES {
            self.function("revalidate").invoke(event.as_bytes()).await;
            if self.outbox().is_empty() {
                return Ok(true);
            }
            tokio::time::sleep(PAUSE * tries).await;
        }
        Err(format!("the outbox is not drained: {:?}", self.outbox()))
    }

    /// Whether everything live has been purged, and nothing twice; `renewed` where the service said
    /// that a page has been rendered since, whose mark then stays open.
    fn purged(&self, now: &[Record], before: u64, renewed: bool) -> Result<(), String> {
        let purged = self.distribution.counters().invalidations - before;
        if purged != self.expected.invalidations {
            return Err(format!("{purged} invalidations"));
        }
        let tags: BTreeSet<_> = self.expected.tags.iter().map(String::as_str).collect();
        let open = now.iter().find(|record| {
            let tag = record.pk.strip_prefix("#mark:");
            tag.is_some_and(|tag| tags.contains(tag)) && record.get("closed").is_null()
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

    /// Makes everything as it was before any request.
    pub(crate) fn reset(&self) {
        self.database().plan(Vec::new());
        self.restore();
    }

    /// What is wrong with the chains of audit records.
    pub(crate) async fn broken_chains(&self) -> Vec<String> {
        self.copy.inside.table.broken_chains().await
    }

    /// The request once more, by a process of its own.
    pub(crate) async fn twin(self: Arc<Self>) -> Result<First, String> {
        let function = self.function(self.name);
        let answer = self.send(&function).await?;
        let first = self.judge(&answer, None)?;
        if first != First::Success {
            self.insist(&function).await?;
        }
        Ok(first)
    }
}
