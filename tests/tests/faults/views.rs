//! Every view under every fault: the right page, or one that says that something went wrong.

use crate::cases::{faults_of, general};
use crate::effect::essence;
use crate::lane::{PATIENCE, counting};
use crate::report::{First, Report};
use edge_crm_tests::fault::{Call, Fault, Strike};
use edge_crm_tests::inside::{Answer, Inside, ORIGIN_SECRET, event, invoke, no_edge, through_edge};
use edge_crm_tests::prepared::{Copy, Prepared};
use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use store::{Store, TableSettings};
use wrapper::{App, Config, Runner};

const LANES: usize = 24;

/// Pages that the edge may keep.
const KEPT: &str = "max-age=0, must-revalidate, s-maxage=300, stale-if-error=0";

fn guarded() -> Config {
    Config {
        origin_secrets: vec![ORIGIN_SECRET.to_owned()],
        ..counting()
    }
}

/// One view over a table of its own.
struct Sight {
    copy: Copy,
    function: Runner,
    request: Value,
    json: bool,
    pattern: String,
}

/// A function by its name, that waits for storage as long as these tests do.
fn patient(inside: &Inside, name: &str) -> Runner {
    let settings = TableSettings {
        patience: PATIENCE,
        ..TableSettings::local(&inside.proxy.url, "edge-crm")
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

/// A request for a view: of one person alone, and of all who share a page at the edge.
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

/// The answer without what differs each time: its status, its body, what is told of keeping it.
fn seen(answer: &Answer) -> (u64, Value, BTreeMap<String, String>) {
    let body = if answer.json.is_null() {
        essence(&json!(answer.text))
    } else {
        essence(&answer.json)
    };
    let told = ["cache-control", "cache-tag", "location", "content-type"];
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| told.contains(&name.as_str()));
    let headers = headers.map(|(k, v)| (k.clone(), v.clone())).collect();
    (answer.status, body, headers)
}

impl Sight {
    async fn calm(&self) -> (Answer, Vec<Call>) {
        let proxy = &self.copy.inside.proxy;
        proxy.plan(Vec::new());
        proxy.calls();
        let answer = invoke(&self.function, &self.request).await;
        (answer, proxy.detailed_calls())
    }

    /// Whether the edge may give the answer to others too.
    fn is_shared(&self) -> bool {
        self.request["headers"].get("x-crm-key").is_some()
    }

    /// What a faulted request was answered.
    fn judge(&self, answer: &Answer, right: &Answer) -> Result<First, String> {
        let ((status, body, mut headers), (.., mut expected)) = (seen(answer), seen(right));
        if (status, &body) == (right.status, &seen(right).1) {
            // What could not be marked is right, and not kept.
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
        let said = if self.json {
            answer.json["code"] == code
        } else {
            answer.text.contains("<h1>Temporarily unavailable</h1>")
        };
        let kept = headers.contains_key("cache-tag")
            || headers["cache-control"] != "private, no-store"
            || (self.is_shared() && !answer.cookies.is_empty());
        let tells = ["injected", "dynamodb", "127.0.0.1"]
            .iter()
            .any(|s| answer.text.contains(s));
        match said && !kept && !tells {
            true => Ok(first),
            false => Err(format!("{answer:?}")),
        }
    }
}

/// Every fault at every call: once, and from then on; and at all calls at once.
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
        let answer = invoke(&sight.function, &sight.request).await;
        let befell = proxy.made.load(Ordering::Relaxed) > before;
        let mut judged = sight.judge(&answer, &right);
        let retries = usize::from(!matches!(judged, Ok(First::Success)));
        if retries == 1 && judged.is_ok() {
            let (again, _) = sight.calm().await;
            if sight.judge(&again, &right) != Ok(First::Success) {
                judged = Err(format!("and then {again:?}"));
            }
        }
        proxy.quiet().await;
        match judged {
            Ok(first) if befell => report.add(&label, first, retries, false),
            Ok(_) => {}
            Err(what) => wrong.push(format!("{}: {strike:?}: {what}", sight.pattern)),
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
                    function: patient(&copy.inside, function.name()),
                    pattern: entry.path.to_owned(),
                    copy,
                    request,
                    json,
                });
            }
        }
    }
    assert!(sights.len() > 40, "the samples show every view");
    sights
}

#[tokio::test(flavor = "multi_thread")]
async fn under_every_fault_at_every_call_each_view_is_right_or_says_that_it_is_unavailable() {
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
