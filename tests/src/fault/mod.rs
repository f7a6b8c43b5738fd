//! A proxy between an SDK and its service that gets in the way: it does by plan, or at random,
//! what networks and services do to calls now and then.

mod calls;
mod line;
mod plan;
mod says;

pub use calls::Call;
pub use plan::{Fault, Strike};

use crate::capacity::{self, Spent};
use bytes::Bytes;
use calls::{Asked, Service, permissions};
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
use plan::Plan;
use says::Said;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

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
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    upstream: String,
    client: reqwest::Client,
    faults: Mutex<Faults>,
    plan: Mutex<Plan>,
    calls: Mutex<Vec<Call>>,
    writes: Mutex<Vec<usize>>,
    permissions: Mutex<BTreeSet<String>>,
    spent: Mutex<Option<Vec<Spent>>>,
    made: Arc<AtomicU64>,
    /// How many connections are to be closed as soon as they are accepted.
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

    /// What the calls since this was last asked have cost. From the first time on, each call is
    /// asked what it consumes.
    pub fn spent(&self) -> Vec<Spent> {
        let mut spent = locked(&self.shared.spent);
        spent.replace(Vec::new()).unwrap_or_default()
    }

    /// The names of the calls since calls were last asked for, in order.
    pub fn calls(&self) -> Vec<String> {
        let calls = self.detailed_calls().into_iter();
        calls.map(|call| call.name).collect()
    }

    /// The calls since calls were last asked for, in order.
    pub fn detailed_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *locked(&self.shared.calls))
    }

    /// How many items each transaction wrote since this was last asked, in order.
    pub fn writes(&self) -> Vec<usize> {
        std::mem::take(&mut *locked(&self.shared.writes))
    }

    /// The permissions that the calls since this was last asked need, such as
    /// `dynamodb:PutItem`.
    pub fn permissions(&self) -> BTreeSet<String> {
        std::mem::take(&mut *locked(&self.shared.permissions))
    }

    /// Makes these faults from now on.
    pub fn make(&self, faults: Faults) {
        *locked(&self.shared.faults) = faults;
    }

    /// Plans these faults from now on, and no others. Of two that befall a call, the first does.
    pub fn plan(&self, strikes: Vec<Strike>) {
        *locked(&self.shared.plan) = Plan::new(strikes);
        self.shared.closing.store(0, Ordering::Relaxed);
        self.shared.plans.send_modify(|plans| *plans += 1);
    }

    /// How many calls since this was last asked were given up by their callers, though no planned
    /// fault befell them: the machine was too slow for the caller's time limit.
    pub fn given_up(&self) -> usize {
        self.shared.given_up.swap(0, Ordering::Relaxed)
    }

    /// Waits until no call is under way, not even one that its caller has given up.
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

    fn record(&self, asked: &Asked) {
        locked(&self.calls).push(asked.call.clone());
        if asked.service == Service::DynamoDb {
            locked(&self.permissions).extend(permissions(&asked.call.name, &asked.input));
        }
        if asked.call.name == "TransactWriteItems" {
            locked(&self.writes).push(asked.call.items);
        }
    }

    /// Makes the call. It goes on where the caller gives up.
    async fn forward(self: &Arc<Self>, asked: Arc<Asked>) -> Said {
        let shared = Arc::clone(self);
        shared.under_way.fetch_add(1, Ordering::Relaxed);
        let call = tokio::spawn(async move {
            let said = shared.send(&asked).await;
            shared.under_way.fetch_sub(1, Ordering::Relaxed);
            said
        });
        call.await
            .ok()
            .flatten()
            .unwrap_or_else(says::internal_error)
    }

    async fn send(&self, asked: &Asked) -> Option<Said> {
        let url = format!("{}{}", self.upstream, asked.path);
        let mut forward = self.client.request(asked.method.clone(), url);
        for (name, value) in &asked.headers {
            if name != "host" && name != "content-length" {
                forward = forward.header(name, value);
            }
        }
        let metered = locked(&self.spent).is_some();
        let body = match metered {
            true => capacity::asked(&asked.input),
            false => asked.body.clone(),
        };
        let sent = forward.body(body).send().await.ok()?;
        let status = sent.status().as_u16();
        let body = sent.bytes().await.unwrap_or_default();
        if let Some(spent) = &mut *locked(&self.spent) {
            spent.push(Spent::of(&asked.call.name, &asked.input, &body));
        }
        Some(Said {
            status,
            kind: asked.service.content_type(),
            body,
        })
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Result<Response<Body>, io::Error> {
    let asked = Arc::new(Asked::read(request).await);
    shared.record(&asked);
    // Before the plan is read, so that no later plan is missed.
    let mut plans = shared.plans.subscribe();
    let planned = locked(&shared.plan).strike(&asked.call.name);
    match planned {
        Some(fault) => {
            shared.made.fetch_add(1, Ordering::Relaxed);
            let replanned = async move {
                let _closed = plans.changed().await;
            };
            befall(&shared, asked, fault, &reset, replanned).await
        }
        None => {
            let mut waiting = Waiting(&shared.given_up, true);
            let said = at_random(&shared, asked).await;
            waiting.1 = false;
            said.map(whole)
        }
    }
}

/// A caller that waits; counted if this is dropped while it still does.
struct Waiting<'a>(&'a AtomicUsize, bool);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(usize::from(self.1), Ordering::Relaxed);
    }
}

/// What happens to a call by plan.
async fn befall(
    shared: &Arc<Shared>,
    asked: Arc<Asked>,
    fault: Fault,
    reset: &AtomicBool,
    replanned: impl Future<Output = ()> + Send + 'static,
) -> Result<Response<Body>, io::Error> {
    let closed = || Err(io::Error::from(io::ErrorKind::ConnectionAborted));
    let said = match fault {
        Fault::SlowAnswer(by) => {
            let said = shared.forward(asked).await;
            tokio::time::sleep(by).await;
            said
        }
        Fault::SlowCall(by) => later(shared, asked, tokio::time::sleep(by)).await,
        Fault::HeldCall => later(shared, asked, replanned).await,
        Fault::DropBefore => return closed(),
        Fault::DropAfter => {
            shared.forward(asked).await;
            return closed();
        }
        Fault::ResetBefore => {
            reset.store(true, Ordering::Relaxed);
            return closed();
        }
        Fault::ResetAfter => {
            shared.forward(asked).await;
            reset.store(true, Ordering::Relaxed);
            return closed();
        }
        Fault::CloseNext => {
            shared.closing.fetch_add(1, Ordering::Relaxed);
            return closed();
        }
        Fault::Cut => return Ok(cut(shared.forward(asked).await)),
        Fault::Refuse(status, code) => says::error(asked.service, status, code),
        Fault::RefuseAfter(status, code) => {
            shared.forward(Arc::clone(&asked)).await;
            says::error(asked.service, status, code)
        }
        Fault::Junk(body) => Said {
            status: 200,
            kind: "text/html",
            body: Bytes::from_static(body.as_bytes()),
        },
        Fault::Cancel(codes) => says::cancelled_with(&codes, asked.call.items),
        Fault::Unprocessed => says::unprocessed(&asked.input),
        Fault::HalfUnprocessed => some_unprocessed(shared, asked).await,
    };
    Ok(whole(said))
}

/// Makes the call after `delay`, even if the caller has given up by then.
async fn later(
    shared: &Arc<Shared>,
    asked: Arc<Asked>,
    delay: impl Future<Output = ()> + Send + 'static,
) -> Said {
    let waiting = Arc::clone(shared);
    waiting.under_way.fetch_add(1, Ordering::Relaxed);
    let call = tokio::spawn(async move {
        delay.await;
        let said = waiting.forward(asked).await;
        waiting.under_way.fetch_sub(1, Ordering::Relaxed);
        said
    });
    call.await.unwrap_or_else(|_| says::internal_error())
}

/// Reads the first key of a batch, and leaves the others.
async fn some_unprocessed(shared: &Arc<Shared>, asked: Arc<Asked>) -> Said {
    let mut wanted = asked.input["RequestItems"].clone();
    let mut left = wanted.clone();
    for (table, request) in wanted.as_object_mut().into_iter().flatten() {
        let keys = request["Keys"].as_array_mut().expect("keys");
        left[table]["Keys"] = json!(keys.split_off(keys.len().min(1)));
    }
    left.as_object_mut()
        .expect("tables")
        .retain(|_, request| request["Keys"] != json!([]));
    let first = Asked {
        method: asked.method.clone(),
        path: asked.path.clone(),
        headers: asked.headers.clone(),
        body: Bytes::from(json!({ "RequestItems": wanted }).to_string()),
        input: Value::Null,
        service: asked.service,
        call: asked.call.clone(),
    };
    let said = shared.forward(Arc::new(first)).await;
    let mut output: Value = serde_json::from_slice(&said.body).unwrap_or_default();
    output["UnprocessedKeys"] = left;
    says::json(said.status, &output)
}

/// What happens to a call at random.
async fn at_random(shared: &Arc<Shared>, asked: Arc<Asked>) -> Result<Said, io::Error> {
    let faults = *locked(&shared.faults);
    let call = asked.call.clone();
    if call.name.starts_with("Transact") && shared.strikes(faults.contention) {
        let none = (0..call.items).map(|_| json!({ "Code": "None" }));
        return Ok(says::muddled(none.collect(), true));
    }
    if call.name == "BatchGetItem" && shared.strikes(faults.unprocessed) {
        return Ok(says::unprocessed(&asked.input));
    }
    let said = shared.forward(asked).await;
    if call.name == "TransactWriteItems" {
        if said.status == 200 && shared.strikes(faults.lost_answer) {
            return Ok(says::internal_error());
        }
        let output: Value = serde_json::from_slice(&said.body).unwrap_or_default();
        if let Some(reasons) = output["CancellationReasons"].as_array()
            && shared.strikes(faults.mixture)
        {
            return Ok(says::muddled(reasons.clone(), false));
        }
    }
    Ok(said)
}

fn respond(said: &Said, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(said.status).unwrap_or_default();
    let kind = said.kind.parse().expect("a header");
    response.headers_mut().insert("content-type", kind);
    response
}

fn whole(said: Said) -> Response<Body> {
    let body = Full::new(said.body.clone()).map_err(|never| match never {});
    respond(&said, body.boxed_unsync())
}

/// The first half of the answer; then the connection is closed.
fn cut(said: Said) -> Response<Body> {
    let half = said.body.slice(..said.body.len() / 2);
    let first = once(std::future::ready(Ok(Frame::data(half))));
    let then = unfold((), |()| async {
        // By then the first half is on its way.
        tokio::time::sleep(Duration::from_millis(10)).await;
        Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), ()))
    });
    let body = StreamBody::new(first.chain(then)).boxed_unsync();
    let mut response = respond(&said, body);
    let length = said.body.len().max(1).into();
    response.headers_mut().insert("content-length", length);
    response
}
