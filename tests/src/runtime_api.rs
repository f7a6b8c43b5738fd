//! The Lambda runtime API on this machine: what a function's bootstrap asks for its events, and
//! tells its answers.
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

/// What a function has answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its answer.
    Answer(Value),
    /// That it failed: an object with `errorType` and `errorMessage`.
    Error(Value),
}

/// One invocation, from when it was asked for until the function had answered.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The answer.
    pub outcome: Outcome,
    /// From the question to the answer: for a function that is still starting, its start too.
    pub took: Duration,
    /// From when the function took the event to the answer.
    pub worked: Duration,
    /// When it answered.
    pub done: Instant,
}

struct Question {
    id: String,
    event: Bytes,
}

/// What is awaited of the invocation of an id.
struct Awaited {
    taken: Option<Instant>,
    answer: oneshot::Sender<(Outcome, Instant, Instant)>,
}

struct Shared {
    questions: tokio::sync::Mutex<mpsc::UnboundedReceiver<Question>>,
    awaited: Mutex<HashMap<String, Awaited>>,
    failed: mpsc::UnboundedSender<Value>,
}

/// A runtime API for one process, until this is dropped.
pub struct RuntimeApi {
    address: String,
    shared: Arc<Shared>,
    ask: mpsc::UnboundedSender<Question>,
    failures: tokio::sync::Mutex<mpsc::UnboundedReceiver<Value>>,
    server: JoinHandle<()>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl RuntimeApi {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let (ask, questions) = mpsc::unbounded_channel();
        let (failed, failures) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            questions: questions.into(),
            awaited: Mutex::default(),
            failed,
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            ask,
            failures: failures.into(),
            server,
        }
    }

    /// What `AWS_LAMBDA_RUNTIME_API` must be: host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Passes an event to the function and waits for its answer. The event need not be JSON.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Invocation {
        let id = uuid::Uuid::new_v4().to_string();
        let (answer, answered) = oneshot::channel();
        let awaited = Awaited {
            taken: None,
            answer,
        };
        self.shared.awaited().insert(id.clone(), awaited);
        let asked = Instant::now();
        let event = event.into();
        self.ask.send(Question { id, event }).expect("a server");
        let (outcome, taken, done) = answered.await.expect("a server");
        Invocation {
            outcome,
            took: done - asked,
            worked: done - taken,
            done,
        }
    }

    /// Waits until the function says that it cannot start, and gives what it says.
    pub async fn init_error(&self) -> Value {
        let mut failures = self.failures.lock().await;
        failures.recv().await.expect("a server")
    }
}

impl Shared {
    fn awaited(&self) -> std::sync::MutexGuard<'_, HashMap<String, Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next event, once there is one.
    async fn next(&self) -> Response<Full<Bytes>> {
        let question = self.questions.lock().await.recv().await;
        let Some(Question { id, event }) = question else {
            return status(StatusCode::GONE);
        };
        let deadline = SystemTime::now() + Duration::from_secs(15);
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Some(awaited) = self.awaited().get_mut(&id) {
            awaited.taken = Some(Instant::now());
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

    fn answer(&self, id: &str, outcome: Outcome) -> Response<Full<Bytes>> {
        let done = Instant::now();
        let Some(awaited) = self.awaited().remove(id) else {
            return status(StatusCode::NOT_FOUND);
        };
        let taken = awaited.taken.unwrap_or(done);
        let _nobody_waits = awaited.answer.send((outcome, taken, done));
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
    let body = body.collect().await.map(|body| body.to_bytes());
    let said: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let path = parts.uri.path().strip_prefix(VERSION).unwrap_or_default();
    let path: Vec<_> = path.split('/').collect();
    Ok(match (&parts.method, path.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => shared.next().await,
        (&Method::POST, ["invocation", id, "response"]) => shared.answer(id, Outcome::Answer(said)),
        (&Method::POST, ["invocation", id, "error"]) => shared.answer(id, Outcome::Error(said)),
        (&Method::POST, ["init", "error"]) => {
            let _nobody_waits = shared.failed.send(said);
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
