//! Connections to AWS, over HTTP/1.1 and TLS.
//!
//! The SDKs' own adapter to the same client brings HTTP/2, proxies and the system's certificates
//! with it, whether they are used or not: `docs/budgets.md` says what that weighs. DynamoDB
//! speaks HTTP/1.1 alone.

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

/// Connections that are kept open between requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connections(legacy::Client<Connect, SdkBody>);

impl Connections {
    /// None yet; each is to be made within `patience`.
    pub(crate) fn new(tls: Arc<ClientConfig>, patience: Duration) -> Self {
        let mut tcp = Tcp::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connect = Connect {
            https: HttpsConnector::from((tcp, tls)),
            patience,
        };
        let mut pool = legacy::Client::builder(TokioExecutor::new());
        // Without a timer an idle connection is never closed.
        Self(pool.pool_timer(TokioTimer::new()).build(connect))
    }

    /// The connections as an SDK's client takes them.
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
            let answer = call.await.map_err(classify)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What the SDK needs to give up a connection over which a server answered that it is ill.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let give_up = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    let metadata = ConnectionMetadata::builder().proxied(false);
    Some(metadata.poison_fn(give_up).build())
}

/// What kind of failure it is, by which the SDK decides whether to try again: as its own adapter
/// does it.
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

/// Makes a connection, TLS included, within a time.
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
        let made = tokio::time::timeout(self.patience, self.https.call(uri));
        Box::pin(async move { made.await? })
    }
}
