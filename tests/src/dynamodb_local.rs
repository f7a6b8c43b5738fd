//! AWS's DynamoDB Local in place of the embedded engine. `tests/dynamodb-local.sh` starts it and sets
//! `EDGE_CRM_DYNAMODB_LOCAL` to its URL.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// A separate, empty database in DynamoDB Local, which keeps one database for each access key. The
/// product uses one access key for all services on this machine. So it reaches its database through a
/// proxy that puts the database's key into each request. DynamoDB Local does not check signatures.
#[derive(Debug)]
pub(crate) struct Namespace {
    url: String,
    access: Access,
    proxy: JoinHandle<()>,
}

/// The address and the access key of a database.
#[derive(Debug, Clone)]
struct Access {
    upstream: String,
    authorization: String,
    client: reqwest::Client,
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.proxy.abort();
    }
}

impl Namespace {
    /// A new database, or `None` if the tests run on the embedded engine.
    pub(crate) fn new() -> Option<Self> {
        let upstream = std::env::var("EDGE_CRM_DYNAMODB_LOCAL").ok()?;
        let key = uuid::Uuid::new_v4().simple();
        let scope = "20260101/us-east-1/dynamodb/aws4_request";
        let access = Access {
            upstream,
            authorization: format!(
                "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host, Signature=0"
            ),
            client: reqwest::Client::new(),
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("an open socket");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let proxy = runtime().spawn(serve(listener, access.clone()));
        Some(Self { url, access, proxy })
    }

    /// The URL of its proxy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Makes a call, such as `Scan`, and blocks this thread until the response.
    ///
    /// # Panics
    /// If the call fails.
    pub(crate) fn call(&self, operation: &str, request: &Value) -> Value {
        let call = self
            .access
            .request(reqwest::Method::POST, "/")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header(CONTENT_TYPE, "application/x-amz-json-1.0")
            .body(request.to_string());
        let (sender, receiver) = channel();
        runtime().spawn(async move {
            let response = call.send().await.expect("DynamoDB Local");
            let (status, body) = (response.status(), response.bytes().await.expect("a body"));
            let _nobody_waits = sender.send((status, body));
        });
        let (status, body) = receiver.recv().expect("a response");
        let text = String::from_utf8_lossy(&body);
        assert!(status.is_success(), "{operation}: {status}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}

impl Access {
    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.upstream))
            .header(AUTHORIZATION, &self.authorization)
    }

    /// Passes a request on with the access key of this database.
    async fn forward(&self, request: Request<Incoming>) -> reqwest::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        // A caller that stops in the middle of a body does not wait for a response.
        let body = body.collect().await.map(|body| body.to_bytes());
        let mut call = self.request(head.method, head.uri.path());
        for (name, value) in &head.headers {
            if ![AUTHORIZATION, HOST, CONTENT_LENGTH].contains(name) {
                call = call.header(name, value);
            }
        }
        let received = call.body(body.unwrap_or_default()).send().await?;
        let mut response = Response::builder().status(received.status());
        for (name, value) in received.headers() {
            if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
                response = response.header(name, value);
            }
        }
        let body = Full::new(received.bytes().await?);
        Ok(response.body(body).expect("headers that were received"))
    }
}

/// The runtime of the proxies. They do not use a test's own runtime, which the test may block.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).enable_all();
        builder.build().expect("threads")
    })
}

async fn serve(listener: std::net::TcpListener, access: Access) {
    let listener = TcpListener::from_std(listener).expect("an open socket");
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("an open socket");
        let access = access.clone();
        let service = service_fn(move |request| {
            let access = access.clone();
            async move { Ok::<_, Infallible>(access.forward(request).await.unwrap_or_else(failed)) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn failed(error: reqwest::Error) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(error.to_string()));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
