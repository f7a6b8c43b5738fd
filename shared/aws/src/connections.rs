//! Connections to AWS, over HTTP/1.1 and TLS.
//!
//! The SDKs' own adapter to the same HTTP client always links HTTP/2, proxies and the system's
//! certificates; `docs/budgets.md` has the size of that. DynamoDB only offers HTTP/1.1, so none of
//! it is needed.

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{self, connect::HttpConnector as Tcp};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// A pool of connections that stay open between requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connections(legacy::Client<Connect, SdkBody>);

impl Connections {
    /// An empty pool. Each connection must be made within `patience`.
    pub(crate) fn new(tls: Arc<ClientConfig>, patience: Duration) -> Self {
        let mut tcp = Tcp::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connect = Connect {
            https: HttpsConnector::from((tcp, tls)),
            patience,
        };
        let mut pool = legacy::Client::builder(TokioExecutor::new());
        // Without a timer, idle connections are never closed.
        Self(pool.pool_timer(TokioTimer::new()).build(connect))
    }

    /// This pool as the HTTP client of an SDK.
    #[must_use]
    pub fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for Connections {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let call = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = call.await.map_err(classify)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK drop a connection after its server has answered that it is unhealthy.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    let metadata = ConnectionMetadata::builder().proxied(false);
    Some(metadata.poison_fn(poison).build())
}

/// The kind of a failure, by which the SDK decides whether to retry. Follows the SDK's own adapter.
fn classify(error: legacy::Error) -> ConnectorError {
    let http = source::<hyper::Error>(&error);
    let is = |of: fn(&hyper::Error) -> bool| http.is_some_and(of);
    if source::<Elapsed>(&error).is_some() || is(hyper::Error::is_timeout) {
        ConnectorError::timeout(error.into())
    } else if is(hyper::Error::is_user) {
        ConnectorError::user(error.into())
    } else if error.is_connect()
        || is(hyper::Error::is_closed)
        || is(hyper::Error::is_canceled)
        || source::<std::io::Error>(&error).is_some()
    {
        ConnectorError::io(error.into())
    } else if is(hyper::Error::is_incomplete_message) {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else {
        ConnectorError::other(error.into(), None)
    }
}

fn source<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|e| e.downcast_ref())
}

/// Makes a connection, including TLS, within a time limit.
#[derive(Debug, Clone)]
struct Connect {
    https: HttpsConnector<Tcp>,
    patience: Duration,
}

impl Service<Uri> for Connect {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.patience, self.https.call(uri));
        Box::pin(async move { connecting.await? })
    }
}
