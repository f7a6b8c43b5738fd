//! A proxy between the SDK and the database that gets in the way: it cancels transactions with
//! reasons that the embedded engine never gives, loses answers after the call took effect, and
//! leaves reads unprocessed. It also tells what calls there were, and what they cost.

use crate::capacity::{self, Spent};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// How often, in percent, what happens to a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// A transaction is cancelled for contention alone, in a random mixture, and not run.
    pub contention: u64,
    /// A transaction that fails a condition is told other reasons besides.
    pub mixture: u64,
    /// A transaction that was run is answered with a server error.
    pub lost_answer: u64,
    /// A batch of reads comes back unprocessed.
    pub unprocessed: u64,
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    /// How many faults it has made.
    pub made: Arc<AtomicU64>,
    faults: Arc<Mutex<Faults>>,
    calls: Arc<Mutex<Vec<String>>>,
    writes: Arc<Mutex<Vec<usize>>>,
    permissions: Arc<Mutex<BTreeSet<String>>>,
    spent: Arc<Mutex<Option<Vec<Spent>>>>,
}

struct Shared {
    upstream: String,
    client: reqwest::Client,
    faults: Arc<Mutex<Faults>>,
    calls: Arc<Mutex<Vec<String>>>,
    writes: Arc<Mutex<Vec<usize>>>,
    permissions: Arc<Mutex<BTreeSet<String>>>,
    spent: Arc<Mutex<Option<Vec<Spent>>>>,
    made: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts a proxy before the engine at `upstream`, without faults.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let made = Arc::new(AtomicU64::new(0));
        let faults = Arc::new(Mutex::new(Faults::default()));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let writes = Arc::new(Mutex::new(Vec::new()));
        let permissions = Arc::new(Mutex::new(BTreeSet::new()));
        let spent = Arc::new(Mutex::new(None));
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            client: reqwest::Client::new(),
            faults: Arc::clone(&faults),
            calls: Arc::clone(&calls),
            writes: Arc::clone(&writes),
            permissions: Arc::clone(&permissions),
            spent: Arc::clone(&spent),
            made: Arc::clone(&made),
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| answer(Arc::clone(&shared), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            url,
            made,
            faults,
            calls,
            writes,
            permissions,
            spent,
        }
    }

    /// What the calls since this was last asked have cost. From the first time on, each call is
    /// asked what it consumes.
    pub fn spent(&self) -> Vec<Spent> {
        let mut spent = self.spent.lock().expect("a lock");
        spent.replace(Vec::new()).unwrap_or_default()
    }

    /// The calls since this was last asked, in order.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().expect("a lock"))
    }

    /// How many items each transaction wrote since this was last asked, in order.
    pub fn writes(&self) -> Vec<usize> {
        std::mem::take(&mut *self.writes.lock().expect("a lock"))
    }

    /// The permissions that the calls since this was last asked need, such as
    /// `dynamodb:PutItem`.
    pub fn permissions(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.permissions.lock().expect("a lock"))
    }

    /// Makes these faults from now on.
    pub fn make(&self, faults: Faults) {
        *self.faults.lock().expect("a lock") = faults;
    }
}

/// A random number below `below`.
pub fn random(below: u64) -> u64 {
    getrandom::u64().expect("randomness") % below
}

impl Shared {
    fn strikes(&self, percent: u64) -> bool {
        let strikes = random(100) < percent;
        if strikes {
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        strikes
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let target = parts
        .headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let call = target.rsplit('.').next().unwrap_or_default().to_owned();
    shared.calls.lock().expect("a lock").push(call.clone());
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let needed = permissions(&call, &input);
    shared.permissions.lock().expect("a lock").extend(needed);
    let faults = *shared.faults.lock().expect("a lock");
    let count = input["TransactItems"].as_array().map_or(0, Vec::len);
    if call == "TransactWriteItems" {
        shared.writes.lock().expect("a lock").push(count);
    }
    if call.starts_with("Transact") && shared.strikes(faults.contention) {
        return Ok(cancelled(
            (0..count).map(|_| json!({ "Code": "None" })).collect(),
            true,
        ));
    }
    if call == "BatchGetItem" && shared.strikes(faults.unprocessed) {
        return Ok(reply(
            200,
            &json!({ "Responses": {}, "UnprocessedKeys": input["RequestItems"] }),
        ));
    }
    let metered = shared.spent.lock().expect("a lock").is_some();
    let body = match metered {
        true => capacity::asked(&input),
        false => body,
    };
    let mut forward = shared.client.post(&shared.upstream).body(body);
    for (name, value) in &parts.headers {
        if name != "host" && name != "content-length" {
            forward = forward.header(name, value);
        }
    }
    let Ok(sent) = forward.send().await else {
        return Ok(reply(500, &internal_error()));
    };
    let status = sent.status().as_u16();
    let bytes = sent.bytes().await.unwrap_or_default();
    if let Some(spent) = &mut *shared.spent.lock().expect("a lock") {
        spent.push(Spent::of(&call, &input, &bytes));
    }
    if call == "TransactWriteItems" {
        if status == 200 && shared.strikes(faults.lost_answer) {
            return Ok(reply(500, &internal_error()));
        }
        let output: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if let Some(reasons) = output["CancellationReasons"].as_array()
            && shared.strikes(faults.mixture)
        {
            return Ok(cancelled(reasons.clone(), false));
        }
    }
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}

/// What a call must be allowed to: each operation of a transaction by itself
/// ([IAM and transactions](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html)).
fn permissions(call: &str, input: &Value) -> BTreeSet<String> {
    let operation = |item: &Value| {
        let name = item
            .as_object()
            .and_then(|item| item.keys().next().cloned());
        match name.unwrap_or_default().as_str() {
            "ConditionCheck" => "dynamodb:ConditionCheckItem".to_owned(),
            name => format!("dynamodb:{name}Item"),
        }
    };
    match input["TransactItems"].as_array() {
        Some(items) => items.iter().map(operation).collect(),
        None => [format!("dynamodb:{call}")].into(),
    }
}

/// A cancellation with these reasons, of which those that say nothing are given a random one that
/// passes by itself; at least one where `some`.
fn cancelled(mut reasons: Vec<Value>, some: bool) -> Response<Full<Bytes>> {
    let passing = [
        "None",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    for reason in &mut reasons {
        if reason["Code"] == "None" {
            let code = passing[random(4) as usize];
            *reason = json!({ "Code": code, "Message": "injected" });
        }
    }
    if some && reasons.iter().all(|reason| reason["Code"] == "None") {
        let at = random(reasons.len() as u64) as usize;
        reasons[at] = json!({ "Code": "TransactionConflict", "Message": "injected" });
    }
    reply(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, injected",
            "CancellationReasons": reasons,
        }),
    )
}

fn internal_error() -> Value {
    json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "injected" })
}

fn reply(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(
        "content-type",
        "application/x-amz-json-1.0".parse().expect("a header"),
    );
    response
}
