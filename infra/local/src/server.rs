//! An HTTP/1.1 server, for the edge, its API and the mailbox. It refuses requests for other hosts.

use crate::host;
use crate::refusal::Refusal;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// How long a request's head may take to arrive, and how long a connection may be idle.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long running requests may take after the server is told to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait after a connection was not accepted, for example for a free file descriptor.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Handles requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The response to a request from `peer`; `None` closes the connection.
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> impl Future<Output = Option<Response<Full<Bytes>>>> + Send;

    /// Waits until everything that requests have started has ended. No request follows.
    fn finished(&self) -> impl Future<Output = ()> + Send;
}

/// The handler closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

/// A running server. Dropping it stops accepting connections.
#[derive(Debug)]
pub struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `handler` at `listener`.
    pub(crate) fn start(listener: TcpListener, handler: impl Handler) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, Arc::new(handler), stopped));
        Self { stop, task }
    }

    /// Stops accepting connections and waits for the running requests, up to a timeout.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server failed");
        }
    }
}

async fn serve(
    listener: TcpListener,
    handler: Arc<impl Handler>,
    mut stopped: oneshot::Receiver<()>,
) {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        match accepted {
            Ok((stream, peer)) => connect(stream, peer.ip(), &handler, &connections),
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
    drop(listener);
    let finish = async {
        connections.shutdown().await;
        handler.finished().await;
    };
    if timeout(SHUTDOWN_TIMEOUT, finish).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

fn connect(
    stream: TcpStream,
    peer: IpAddr,
    handler: &Arc<impl Handler>,
    connections: &GracefulShutdown,
) {
    // Responses are small, so they are sent without waiting for more data.
    let _best_effort = stream.set_nodelay(true);
    let handler = Arc::clone(handler);
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move {
            if !host::is_this_machine(&request) {
                return Ok(Refusal::OtherHost.response(Uuid::new_v4()).into());
            }
            handler.handle(request, peer).await.ok_or(Closed)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection failed");
        }
    });
}
