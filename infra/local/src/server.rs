//! HTTP over TCP, for the edge and for its API.

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

/// How long a request's head may take, and a connection be idle.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long running requests may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait for a free file descriptor.
const PAUSE: Duration = Duration::from_millis(100);

/// What answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer to a request from `peer`; without one, the connection is closed.
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> impl Future<Output = Option<Response<Full<Bytes>>>> + Send;

    /// Ends when nothing that a request has begun goes on. No request comes after.
    fn finished(&self) -> impl Future<Output = ()> + Send;
}

/// The connection is closed on purpose.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

/// A running server. It accepts nothing more once this is dropped.
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

    /// Accepts nothing more and returns when the running requests are done, or their time is up.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server broke");
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
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let finish = async {
        connections.shutdown().await;
        handler.finished().await;
    };
    if timeout(GRACE, finish).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

fn connect(
    stream: TcpStream,
    peer: IpAddr,
    handler: &Arc<impl Handler>,
    connections: &GracefulShutdown,
) {
    // Answers are small and wait for nothing.
    let _best_effort = stream.set_nodelay(true);
    let handler = Arc::clone(handler);
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { handler.handle(request, peer).await.ok_or(Closed) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke");
        }
    });
}
