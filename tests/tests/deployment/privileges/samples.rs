//! Runs each function that no scenario runs with its sample, so that the calls of a new function are
//! observed without a change here.

use super::{Watched, account};
use edge_crm_tests::inside::ORIGIN_SECRET;
use edge_crm_tests::samples::{Samples, order};
use serde_json::{Value, json};
use wrapper::Runner;

/// Runs every function that has not been run, while pages of every record may be cached.
pub(super) async fn others(watched: &mut Watched) {
    let left = order().into_iter();
    let left: Vec<_> = left
        .filter(|name| !watched.used.contains_key(*name))
        .collect();
    if left.is_empty() {
        return;
    }
    let sign_in = watched.function("sign-in");
    let signed_in = watched.post(&sign_in, "", account("correct horse")).await;
    let cookie = signed_in.session();
    for name in left {
        let function = watched.function(name);
        let samples = samples(watched, &cookie);
        let mut event = samples.event(name);
        event["headers"]["x-crm-secret"] = json!(ORIGIN_SECRET);
        event["headers"]["accept"] = json!("application/json");
        if event["requestContext"]["http"]["method"] == "GET" {
            view(watched, &function, &event, &cookie).await;
        } else {
            action(watched, &function, event).await;
        }
    }
}

/// The latest record of each kind.
fn samples(watched: &Watched, cookie: &str) -> Samples {
    let latest = |kind: &str| {
        let records = watched.inside.table.under(&format!("acme:{kind}"));
        records.last().map_or_else(String::new, |r| r.sk.clone())
    };
    let session = cookie.split_once('=').map_or("", |(_, token)| token);
    Samples {
        session: session.to_owned(),
        contact: latest("contacts"),
        project: latest("projects"),
        member: latest("members"),
        ..Samples::default()
    }
}

async fn view(watched: &mut Watched, function: &Runner, event: &Value, cookie: &str) {
    let path = event["rawPath"].as_str().unwrap_or_default();
    for role in ["owner", "admin", "owner"] {
        watched.age_session(role);
        let response = watched.get(function, path, cookie).await;
        assert!(response.status < 400, "{path}: {response:?}");
    }
}

/// Runs the action, replays it, and repeats it with a new key, which may be refused.
async fn action(watched: &mut Watched, function: &Runner, mut event: Value) {
    for kind in ["contacts", "members", "projects"] {
        watched.mark(&format!("acme:{kind}")).await;
    }
    let name = function.name();
    for _ in 0..2 {
        let response = watched.run(function, &event).await;
        assert_eq!(response.status, 200, "{name}: {response:?}");
    }
    event["headers"]["idempotency-key"] = json!("another key");
    let response = watched.run(function, &event).await;
    assert!(response.status < 500, "{name}: {response:?}");
}
