//! The HTTP server in front of the gateway.

use crate::gateway::Gateway;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
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

/// A running server.
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `gateway` at `listener`.
    pub(crate) fn start(listener: TcpListener, gateway: Gateway) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, Arc::new(gateway), stopped));
        Self { stop, task }
    }

    /// Accepts nothing more and returns when the running requests are done, or their time is up.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server broke");
        }
    }
}

async fn serve(listener: TcpListener, gateway: Arc<Gateway>, mut stopped: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        match accepted {
            Ok((stream, peer)) => connect(stream, peer.ip(), &gateway, &connections),
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let finish = async {
        connections.shutdown().await;
        gateway.finished().await;
    };
    if timeout(GRACE, finish).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

fn connect(
    stream: TcpStream,
    peer: IpAddr,
    gateway: &Arc<Gateway>,
    connections: &GracefulShutdown,
) {
    // Answers are small and wait for nothing.
    let _best_effort = stream.set_nodelay(true);
    let gateway = Arc::clone(gateway);
    let service = service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        async move { Ok::<_, Infallible>(gateway.answer(request, peer).await) }
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
