//! Every view under every fault: the right page, or one that says that storage is unavailable.

use crate::cases::{HURRIED, UNHURRIED, faults_of, general, hurry};
use crate::effect::essence;
use crate::lane::counting;
use crate::report::{First, Report};
use edge_crm_tests::fault::{Call, Fault, Strike};
use edge_crm_tests::inside::{
    Answer, Inside, ORIGIN_SECRET, event, invoke, no_edge, through_edge, unhurried,
};
use edge_crm_tests::prepared::{Copy, Prepared};
use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use store::{Patience, Store, TableSettings};
use wrapper::{App, Config, Runner};

const LANES: usize = 24;

/// The `Cache-Control` of pages that the edge may cache.
const KEPT: &str = "max-age=0, must-revalidate, s-maxage=300, stale-if-error=0";

fn guarded() -> Config {
    Config {
        origin_secrets: vec![ORIGIN_SECRET.to_owned()],
        ..counting()
    }
}

/// One view over its own table.
struct Sight {
    copy: Copy,
    /// With [`UNHURRIED`] limits.
    function: Runner,
    /// With [`HURRIED`] limits.
    hurried: Runner,
    request: Value,
    json: bool,
    pattern: String,
}

/// The function of this name, with these time limits.
fn limited(inside: &Inside, name: &str, patience: Patience) -> Runner {
    let settings = TableSettings {
        patience,
        ..unhurried(&inside.proxy.url)
    };
    let app = App::new(
        Store::connect(settings),
        no_edge(),
        guarded(),
        functions::SITE,
    );
    let mut functions = functions::runners(&app).into_iter();
    functions
        .find(|function| function.name() == name)
        .expect("a function")
}

/// Requests for a view, as HTML and JSON: for one person alone, and through the edge for everyone
/// who shares the page.
fn requests(prepared: &Prepared, pattern: &str) -> Vec<(Value, bool)> {
    let path = prepared.samples.path(pattern);
    let cookie = format!("__Host-session={}", prepared.samples.session);
    let mut requests = Vec::new();
    for (accept, kind) in [("text/html", "html"), ("application/json", "json")] {
        let mut own = event("GET", &path, &cookie, "");
        own["headers"] = json!({ "accept": accept, "x-crm-secret": ORIGIN_SECRET });
        let key = format!("acme|owner|{kind}|");
        let shared = through_edge(&path, &cookie, accept, &key);
        for mut request in [own, shared] {
            request["rawQueryString"] = json!(prepared.samples.query(pattern));
            requests.push((request, kind == "json"));
        }
    }
    if !pattern.starts_with("/t/") {
        requests.retain(|(request, _)| request["headers"].get("x-crm-key").is_none());
    }
    requests
}

/// The response without what differs each time: its status, its body, and its headers about caching.
fn seen(response: &Answer) -> (u64, Value, BTreeMap<String, String>) {
    let body = if response.json.is_null() {
        essence(&json!(response.text))
    } else {
        essence(&response.json)
    };
    let compared = ["cache-control", "cache-tag", "location", "content-type"];
    let headers = response
        .headers
        .iter()
        .filter(|(name, _)| compared.contains(&name.as_str()));
    let headers = headers.map(|(k, v)| (k.clone(), v.clone())).collect();
    (response.status, body, headers)
}

impl Sight {
    /// The response without a fault, and the calls that it takes. A page that takes 5 s is not cached,
    /// so this repeats until the machine was faster.
    async fn calm(&self) -> (Answer, Vec<Call>) {
        let proxy = &self.copy.inside.proxy;
        proxy.plan(Vec::new());
        let late = Instant::now() + Duration::from_secs(120);
        loop {
            proxy.calls();
            let began = Instant::now();
            let response = invoke(&self.function, &self.request).await;
            if began.elapsed() < Duration::from_secs(5) || Instant::now() > late {
                return (response, proxy.detailed_calls());
            }
        }
    }

    /// Whether the edge may give the response to others too.
    fn is_shared(&self) -> bool {
        self.request["headers"].get("x-crm-key").is_some()
    }

    /// What the response to a faulted request says, if it may say that.
    fn judge(&self, response: &Answer, right: &Answer) -> Result<First, String> {
        let ((status, body, mut headers), (.., mut expected)) = (seen(response), seen(right));
        if (status, &body) == (right.status, &seen(right).1) {
            // A page whose tags could not be marked is right, and not cached.
            if headers["cache-control"] == "private, no-store" && expected["cache-control"] == KEPT
            {
                for headers in [&mut headers, &mut expected] {
                    headers.remove("cache-control");
                    headers.remove("cache-tag");
                }
            }
            return match headers == expected {
                true => Ok(First::Success),
                false => Err(format!("{headers:?}, not {expected:?}")),
            };
        }
        let (first, code) = match status {
            503 => (First::Unavailable, "DATABASE_ERROR"),
            504 => (First::Late, "NETWORK_ERROR"),
            _ => return Err(format!("{status} {body}, not {}", seen(right).1)),
        };
        let is_stated = if self.json {
            response.json["code"] == code
        } else {
            response.text.contains("<h1>Temporarily unavailable</h1>")
        };
        let is_cached = headers.contains_key("cache-tag")
            || headers["cache-control"] != "private, no-store"
            || (self.is_shared() && !response.cookies.is_empty());
        let leaks = ["injected", "dynamodb", "127.0.0.1"]
            .iter()
            .any(|s| response.text.contains(s));
        match is_stated && !is_cached && !leaks {
            true => Ok(first),
            false => Err(format!("{response:?}")),
        }
    }
}

/// Every fault at each call, once and from then on, and at all calls.
fn plans(calls: &[Call]) -> Vec<(String, Strike)> {
    let mut plans = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let after = calls[..at]
            .iter()
            .filter(|other| other.name == call.name)
            .count();
        for fault in faults_of(call) {
            for (times, then) in [(1, ""), (usize::MAX, ", from then on")] {
                let label = format!("{}{then}", fault.kind());
                let strike = Strike {
                    call: call.name.clone(),
                    after,
                    times,
                    fault: fault.clone(),
                };
                plans.push((label, strike));
            }
        }
    }
    let always = |fault: Fault| {
        (
            format!("{}, at every call", fault.kind()),
            Strike::always(fault),
        )
    };
    plans.extend(general().into_iter().map(always));
    plans
}

async fn look(sight: Sight) -> (Report, Vec<String>) {
    let (mut report, mut wrong) = (Report::default(), Vec::new());
    let (right, calls) = sight.calm().await;
    let proxy = &sight.copy.inside.proxy;
    for (label, strike) in plans(&calls) {
        let before = proxy.made.load(Ordering::Relaxed);
        proxy.plan(vec![strike.clone()]);
        let function = match hurry(std::slice::from_ref(&strike)) {
            true => &sight.hurried,
            false => &sight.function,
        };
        let response = invoke(function, &sight.request).await;
        let struck = proxy.made.load(Ordering::Relaxed) > before;
        let mut judged = sight.judge(&response, &right);
        let retries = usize::from(!matches!(judged, Ok(First::Success)));
        if retries == 1 && judged.is_ok() {
            let (again, _) = sight.calm().await;
            if sight.judge(&again, &right) != Ok(First::Success) {
                judged = Err(format!("and without the fault {again:?}"));
            }
        }
        proxy.quiet().await;
        match judged {
            Ok(first) if struck => report.add(&label, first, retries, false),
            Ok(_) => {}
            Err(error) => wrong.push(format!("{}: {strike:?}: {error}", sight.pattern)),
        }
    }
    (report, wrong)
}

async fn sights() -> Vec<Sight> {
    let all = Prepared::all().await;
    let prepared = all.iter().find(|prepared| prepared.name == "accept-invite");
    let prepared = prepared.expect("a world with an open invitation");
    let mut sights = Vec::new();
    let copy = prepared.copy_with(guarded()).await;
    for function in functions::runners(&copy.inside.app) {
        for entry in function.function().routes() {
            if entry.method != "GET" {
                continue;
            }
            for (request, json) in requests(prepared, entry.path) {
                let copy = prepared.copy_with(guarded()).await;
                sights.push(Sight {
                    function: limited(&copy.inside, function.name(), UNHURRIED),
                    hurried: limited(&copy.inside, function.name(), HURRIED),
                    pattern: entry.path.to_owned(),
                    copy,
                    request,
                    json,
                });
            }
        }
    }
    assert!(sights.len() > 40, "there is a sample of every view");
    sights
}

#[tokio::test(flavor = "multi_thread")]
async fn under_every_fault_each_view_is_right_or_says_that_it_is_unavailable() {
    let sights = sights()
        .await
        .into_iter()
        .map(|sight| tokio::spawn(look(sight)));
    let mut done = iter(sights).buffer_unordered(LANES);
    let (mut report, mut wrong) = (Report::default(), Vec::new());
    while let Some(ended) = done.next().await {
        let (counted, failed) = ended.expect("a sight");
        report.merge(counted);
        wrong.extend(failed);
    }
    report.print("fault at a view");
    let shown: Vec<_> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} are wrong: {shown:#?}", wrong.len());
    assert!(
        report.total() > 2_000,
        "only {} requests were faulted",
        report.total()
    );
}
