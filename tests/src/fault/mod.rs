//! A proxy between an SDK and its service that injects faults, by plan or at random: those that
//! networks and services show in operation.

mod calls;
mod line;
mod locks;
mod plan;
mod replies;

pub use calls::Call;
pub use plan::{Fault, Strike};

use crate::capacity::{self, Spent};
use bytes::Bytes;
use calls::{Received, Service, permissions};
use futures_util::StreamExt;
use futures_util::stream::{once, unfold};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use line::Line;
use locks::{HELD, Locks};
use plan::Plan;
use replies::Reply;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often each random fault hits a call, in percent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// A transaction is cancelled and not run, with a random mixture of reasons that all mean contention.
    pub contention: u64,
    /// A transaction that fails a condition is reported with random other reasons too.
    pub mixture: u64,
    /// A transaction runs, and the response is a server error.
    pub lost_answer: u64,
    /// A batch of reads comes back unprocessed.
    pub unprocessed: u64,
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    /// The URL at which it listens.
    pub url: String,
    /// How many faults it has injected.
    pub made: Arc<AtomicU64>,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    upstream: String,
    client: reqwest::Client,
    faults: Mutex<Faults>,
    plan: Mutex<Plan>,
    locks: Locks,
    calls: Mutex<Vec<Call>>,
    writes: Mutex<Vec<usize>>,
    permissions: Mutex<BTreeSet<String>>,
    spent: Mutex<Option<Vec<Spent>>>,
    made: Arc<AtomicU64>,
    /// How many of the next connections to close as soon as they are accepted.
    closing: AtomicUsize,
    under_way: AtomicUsize,
    /// How many calls their callers gave up without a planned fault.
    given_up: AtomicUsize,
    /// How often faults have been planned.
    plans: watch::Sender<u64>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Proxy {
    /// Starts a proxy before the service at `upstream`, without faults.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            upstream: upstream.trim_end_matches('/').to_owned(),
            ..Shared::default()
        });
        Self {
            url,
            made: Arc::clone(&shared.made),
            shared: Arc::clone(&shared),
            server: tokio::spawn(serve(listener, shared)),
        }
    }

    /// The cost of the calls since the last call of this method. The first call turns the metering on
    /// and returns nothing.
    pub fn spent(&self) -> Vec<Spent> {
        let mut spent = locked(&self.shared.spent);
        spent.replace(Vec::new()).unwrap_or_default()
    }

    /// The names of the calls since the last call of this method or of `detailed_calls`, in order.
    pub fn calls(&self) -> Vec<String> {
        let calls = self.detailed_calls().into_iter();
        calls.map(|call| call.name).collect()
    }

    /// The calls since the last call of this method or of `calls`, in order.
    pub fn detailed_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *locked(&self.shared.calls))
    }

    /// The number of items in each transaction since the last call of this method, in order.
    pub fn writes(&self) -> Vec<usize> {
        std::mem::take(&mut *locked(&self.shared.writes))
    }

    /// The permissions that the calls since the last call of this method need, such as
    /// `dynamodb:PutItem`.
    pub fn permissions(&self) -> BTreeSet<String> {
        std::mem::take(&mut *locked(&self.shared.permissions))
    }

    /// Injects these faults at random from now on.
    pub fn make(&self, faults: Faults) {
        *locked(&self.shared.faults) = faults;
    }

    /// Replaces the plan. If two faults match a call, the first is injected.
    pub fn plan(&self, strikes: Vec<Strike>) {
        *locked(&self.shared.plan) = Plan::new(strikes);
        self.shared.closing.store(0, Ordering::Relaxed);
        self.shared.plans.send_modify(|plans| *plans += 1);
    }

    /// From now on, refuses writes of items that a running transaction writes, as DynamoDB does.
    pub fn refuse_conflicts(&self) {
        self.shared.locks.turn_on();
    }

    /// How often the transaction of each request with an idempotency key was sent, since the last call of
    /// this method. Counts only while [conflicts are refused](Self::refuse_conflicts).
    pub fn attempts(&self) -> Vec<usize> {
        self.shared.locks.attempts()
    }

    /// How many callers have given up since the last call of this method, though no planned fault had hit
    /// their calls: the machine was too slow for the caller's time limit.
    pub fn given_up(&self) -> usize {
        self.shared.given_up.swap(0, Ordering::Relaxed)
    }

    /// Waits until no call is in flight, including calls that the caller has given up.
    pub async fn quiet(&self) {
        while self.shared.under_way.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a lock")
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let one_less = |left: usize| left.checked_sub(1);
        let closing = &shared.closing;
        if closing
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
        {
            continue;
        }
        stream.set_nodelay(true).expect("an open socket");
        let (line, reset) = Line::new(stream);
        let shared = Arc::clone(&shared);
        let service =
            service_fn(move |request| answer(Arc::clone(&shared), request, Arc::clone(&reset)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(line), service));
    }
}

/// A random number below `below`.
pub fn random(below: u64) -> u64 {
    getrandom::u64().expect("randomness") % below
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

impl Shared {
    fn strikes(&self, percent: u64) -> bool {
        let strikes = random(100) < percent;
        if strikes {
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        strikes
    }

    fn record(&self, received: &Received, fault: Option<Fault>) {
        let call = received.call.clone();
        locked(&self.calls).push(Call { fault, ..call });
        if received.service == Service::DynamoDb {
            locked(&self.permissions).extend(permissions(&received.call.name, &received.input));
        }
        if received.call.name == "TransactWriteItems" {
            locked(&self.writes).push(received.call.items);
        }
    }

    /// Makes the call. It continues if the caller gives up.
    async fn forward(self: &Arc<Self>, received: Arc<Received>) -> Reply {
        let shared = Arc::clone(self);
        shared.under_way.fetch_add(1, Ordering::Relaxed);
        let call = tokio::spawn(async move {
            let reply = shared.send(&received).await;
            shared.under_way.fetch_sub(1, Ordering::Relaxed);
            reply
        });
        call.await
            .ok()
            .flatten()
            .unwrap_or_else(replies::internal_error)
    }

    async fn send(&self, received: &Received) -> Option<Reply> {
        let url = format!("{}{}", self.upstream, received.path);
        let mut forward = self.client.request(received.method.clone(), url);
        for (name, value) in &received.headers {
            if name != "host" && name != "content-length" {
                forward = forward.header(name, value);
            }
        }
        let metered = locked(&self.spent).is_some();
        let body = match metered {
            true => capacity::metered(&received.input),
            false => received.body.clone(),
        };
        let sent = forward.body(body).send().await.ok()?;
        let status = sent.status().as_u16();
        let body = sent.bytes().await.unwrap_or_default();
        if let Some(spent) = &mut *locked(&self.spent) {
            spent.push(Spent::of(&received.call.name, &received.input, &body));
        }
        Some(Reply {
            status,
            kind: received.service.content_type(),
            body,
        })
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Result<Response<Body>, io::Error> {
    let received = Arc::new(Received::read(request).await);
    // Before the plan is read, so that no later plan is missed.
    let mut plans = shared.plans.subscribe();
    let planned = locked(&shared.plan).strike(&received.call.name);
    shared.record(&received, planned.clone());
    match planned {
        Some(fault) => {
            shared.made.fetch_add(1, Ordering::Relaxed);
            let replanned = async move {
                let _closed = plans.changed().await;
            };
            inject(&shared, received, fault, &reset, replanned).await
        }
        None => {
            let mut waiting = Waiting(&shared.given_up, true);
            let reply = inject_at_random(&shared, received).await;
            waiting.1 = false;
            reply.map(whole)
        }
    }
}

/// A caller that waits for its reply. It counts as one that has given up if this is dropped before
/// the reply is ready.
struct Waiting<'a>(&'a AtomicUsize, bool);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(usize::from(self.1), Ordering::Relaxed);
    }
}

/// Injects a planned fault.
async fn inject(
    shared: &Arc<Shared>,
    received: Arc<Received>,
    fault: Fault,
    reset: &AtomicBool,
    replanned: impl Future<Output = ()> + Send + 'static,
) -> Result<Response<Body>, io::Error> {
    let closed = || Err(io::Error::from(io::ErrorKind::ConnectionAborted));
    let reply = match fault {
        Fault::SlowAnswer(by) => {
            let reply = shared.forward(received).await;
            tokio::time::sleep(by).await;
            reply
        }
        Fault::SlowCall(by) => later(shared, received, tokio::time::sleep(by)).await,
        Fault::HeldCall => later(shared, received, replanned).await,
        Fault::DropBefore => return closed(),
        Fault::DropAfter => {
            shared.forward(received).await;
            return closed();
        }
        Fault::ResetBefore => {
            reset.store(true, Ordering::Relaxed);
            return closed();
        }
        Fault::ResetAfter => {
            shared.forward(received).await;
            reset.store(true, Ordering::Relaxed);
            return closed();
        }
        Fault::CloseNext => {
            shared.closing.fetch_add(1, Ordering::Relaxed);
            return closed();
        }
        Fault::Cut => return Ok(cut(shared.forward(received).await)),
        Fault::Refuse(status, code) => replies::error(received.service, status, code),
        Fault::RefuseAfter(status, code) => {
            shared.forward(Arc::clone(&received)).await;
            replies::error(received.service, status, code)
        }
        Fault::Junk(body) => Reply {
            status: 200,
            kind: "text/html",
            body: Bytes::from_static(body.as_bytes()),
        },
        Fault::Cancel(codes) => replies::cancelled_with(&codes, received.call.items),
        Fault::Unprocessed => replies::unprocessed(&received.input),
        Fault::HalfUnprocessed => some_unprocessed(shared, received).await,
    };
    Ok(whole(reply))
}

/// Makes the call after `delay`, even if the caller has given up by then.
async fn later(
    shared: &Arc<Shared>,
    received: Arc<Received>,
    delay: impl Future<Output = ()> + Send + 'static,
) -> Reply {
    let waiting = Arc::clone(shared);
    waiting.under_way.fetch_add(1, Ordering::Relaxed);
    let call = tokio::spawn(async move {
        delay.await;
        let reply = waiting.forward(received).await;
        waiting.under_way.fetch_sub(1, Ordering::Relaxed);
        reply
    });
    call.await.unwrap_or_else(|_| replies::internal_error())
}

/// Reads the first key of a batch and reports the others as unprocessed.
async fn some_unprocessed(shared: &Arc<Shared>, received: Arc<Received>) -> Reply {
    let mut wanted = received.input["RequestItems"].clone();
    let mut left = wanted.clone();
    for (table, request) in wanted.as_object_mut().into_iter().flatten() {
        let keys = request["Keys"].as_array_mut().expect("keys");
        left[table]["Keys"] = json!(keys.split_off(keys.len().min(1)));
    }
    left.as_object_mut()
        .expect("tables")
        .retain(|_, request| request["Keys"] != json!([]));
    let first = Received {
        method: received.method.clone(),
        path: received.path.clone(),
        headers: received.headers.clone(),
        body: Bytes::from(json!({ "RequestItems": wanted }).to_string()),
        input: Value::Null,
        service: received.service,
        call: received.call.clone(),
    };
    let reply = shared.forward(Arc::new(first)).await;
    let mut output: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    output["UnprocessedKeys"] = left;
    replies::json(reply.status, &output)
}

/// Makes the call, with random faults.
async fn inject_at_random(
    shared: &Arc<Shared>,
    received: Arc<Received>,
) -> Result<Reply, io::Error> {
    let faults = *locked(&shared.faults);
    let call = received.call.clone();
    if call.name.starts_with("Transact") && shared.strikes(faults.contention) {
        let none = (0..call.items).map(|_| json!({ "Code": "None" }));
        return Ok(replies::muddled(none.collect(), true));
    }
    if call.name == "BatchGetItem" && shared.strikes(faults.unprocessed) {
        return Ok(replies::unprocessed(&received.input));
    }
    let held = match shared.locks.hold(&call.name, &received.input) {
        Ok(held) => held,
        Err(reasons) if call.items > 0 => {
            return Ok(replies::cancelled_with(&reasons, call.items));
        }
        Err(_) => {
            let code = "TransactionConflictException";
            return Ok(replies::error(received.service, 400, code));
        }
    };
    if held.is_some() {
        tokio::time::sleep(HELD).await;
    }
    let reply = shared.forward(received).await;
    drop(held);
    if call.name == "TransactWriteItems" {
        if reply.status == 200 && shared.strikes(faults.lost_answer) {
            return Ok(replies::internal_error());
        }
        let output: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if let Some(reasons) = output["CancellationReasons"].as_array()
            && shared.strikes(faults.mixture)
        {
            return Ok(replies::muddled(reasons.clone(), false));
        }
    }
    Ok(reply)
}

fn respond(reply: &Reply, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
    let kind = reply.kind.parse().expect("a header");
    response.headers_mut().insert("content-type", kind);
    response
}

fn whole(reply: Reply) -> Response<Body> {
    let body = Full::new(reply.body.clone()).map_err(|never| match never {});
    respond(&reply, body.boxed_unsync())
}

/// Sends the first half of the reply, then closes the connection.
fn cut(reply: Reply) -> Response<Body> {
    let half = reply.body.slice(..reply.body.len() / 2);
    let first = once(std::future::ready(Ok(Frame::data(half))));
    let then = unfold((), |()| async {
        // Give the first half time to be sent.
        tokio::time::sleep(Duration::from_millis(10)).await;
        Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), ()))
    });
    let body = StreamBody::new(first.chain(then)).boxed_unsync();
    let mut response = respond(&reply, body);
    let length = reply.body.len().max(1).into();
    response.headers_mut().insert("content-length", length);
    response
}
