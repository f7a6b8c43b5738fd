//! The Lambda runtime API on this machine. A function's bootstrap gets its events here and posts its
//! responses.
//!
//! Source: [Using the Lambda runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const VERSION: &str = "/2018-06-01/runtime/";

/// The result of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function's response.
    Answer(Value),
    /// The function's failure: an object with `errorType` and `errorMessage`.
    Error(Value),
}

/// A finished invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its result.
    pub outcome: Outcome,
    /// The time from the invocation to the response. Includes the start of a function that is still
    /// starting.
    pub took: Duration,
    /// The time from when the function took the event to the response.
    pub worked: Duration,
    /// When the function responded.
    pub done: Instant,
}

struct Event {
    id: String,
    event: Bytes,
}

/// An invocation that has not finished.
struct Pending {
    taken: Option<Instant>,
    outcome: oneshot::Sender<(Outcome, Instant, Instant)>,
}

struct Shared {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    pending: Mutex<HashMap<String, Pending>>,
    failed: mpsc::UnboundedSender<Value>,
}

/// A runtime API for one process. It stops on drop.
pub struct RuntimeApi {
    address: String,
    shared: Arc<Shared>,
    sender: mpsc::UnboundedSender<Event>,
    failures: tokio::sync::Mutex<mpsc::UnboundedReceiver<Value>>,
    server: JoinHandle<()>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl RuntimeApi {
    /// Starts a runtime API on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let (sender, events) = mpsc::unbounded_channel();
        let (failed, failures) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            events: events.into(),
            pending: Mutex::default(),
            failed,
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            sender,
            failures: failures.into(),
            server,
        }
    }

    /// The host and port, for `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Passes an event to the function and waits for the result. The event need not be JSON.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Invocation {
        let id = uuid::Uuid::new_v4().to_string();
        let (sender, receiver) = oneshot::channel();
        let pending = Pending {
            taken: None,
            outcome: sender,
        };
        self.shared.pending().insert(id.clone(), pending);
        let start = Instant::now();
        let event = event.into();
        self.sender.send(Event { id, event }).expect("a server");
        let (outcome, taken, done) = receiver.await.expect("a server");
        Invocation {
            outcome,
            took: done - start,
            worked: done - taken,
            done,
        }
    }

    /// Waits until the function reports that it cannot start. Returns its error.
    pub async fn init_error(&self) -> Value {
        let mut failures = self.failures.lock().await;
        failures.recv().await.expect("a server")
    }
}

impl Shared {
    fn pending(&self) -> std::sync::MutexGuard<'_, HashMap<String, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next event and hands it out.
    async fn next(&self) -> Response<Full<Bytes>> {
        let next = self.events.lock().await.recv().await;
        let Some(Event { id, event }) = next else {
            return status(StatusCode::GONE);
        };
        let deadline = SystemTime::now() + Duration::from_secs(15);
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Some(pending) = self.pending().get_mut(&id) {
            pending.taken = Some(Instant::now());
        }
        Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", id)
            .header(
                "lambda-runtime-deadline-ms",
                deadline.as_millis().to_string(),
            )
            .header(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:eu-central-1:123456789012:function:edge-crm-tests",
            )
            .header(
                "lambda-runtime-trace-id",
                "Root=1-6968b5a4-5c1f0e7a2b9d483646a1c0de;Sampled=0",
            )
            .body(event.into())
            .expect("a response")
    }

    /// Ends an invocation with this result.
    fn finish(&self, id: &str, outcome: Outcome) -> Response<Full<Bytes>> {
        let done = Instant::now();
        let Some(pending) = self.pending().remove(id) else {
            return status(StatusCode::NOT_FOUND);
        };
        let taken = pending.taken.unwrap_or(done);
        let _nobody_waits = pending.outcome.send((outcome, taken, done));
        status(StatusCode::ACCEPTED)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _slower_only = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| route(Arc::clone(&shared), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn route(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.map(|body| body.to_bytes());
    let body: Value = serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default();
    let path = parts.uri.path().strip_prefix(VERSION).unwrap_or_default();
    let path: Vec<_> = path.split('/').collect();
    Ok(match (&parts.method, path.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => shared.next().await,
        (&Method::POST, ["invocation", id, "response"]) => shared.finish(id, Outcome::Answer(body)),
        (&Method::POST, ["invocation", id, "error"]) => shared.finish(id, Outcome::Error(body)),
        (&Method::POST, ["init", "error"]) => {
            let _nobody_waits = shared.failed.send(body);
            status(StatusCode::ACCEPTED)
        }
        _ => status(StatusCode::NOT_FOUND),
    })
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
