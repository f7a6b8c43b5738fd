//! The embedded DynamoDB.

use dynoxide::Database;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// It takes one request at a time, and reads and writes JSON beside that.
const THREADS: usize = 2;

/// How long the engine may take to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A DynamoDB at a port of the loopback interface that the system has chosen.
///
/// It keeps its data in one SQLite file with a write-ahead log, synced at every commit
/// (`synchronous=FULL`, SQLite's default): what a write has answered survives the end of the
/// process at any point, and that of the machine as far as its disk keeps what it has synced.
///
/// It has threads of its own, since it blocks them: on its one lock, and while the disk syncs.
pub(crate) struct Engine {
    endpoint: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), String>>,
    _threads: Threads,
}

/// A runtime that can be dropped in another.
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Why there is no embedded DynamoDB.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The file is no database, or cannot be opened: look at it, or choose another directory.
    #[error("the database {path} cannot be opened: {reason}")]
    Open {
        /// The file, or what stands for it.
        path: String,
        /// What the engine says.
        reason: String,
    },
    /// It gets no threads, or there is no free port on the loopback interface.
    #[error("the database has no port or no threads: {0}")]
    System(#[from] std::io::Error),
}

impl Engine {
    /// Starts an engine with its data at `path`, or in memory.
    ///
    /// # Errors
    /// [`EngineError`].
    pub(crate) async fn start(path: Option<&Path>) -> Result<Self, EngineError> {
        let database = open(path)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("dynamodb")
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { stopped.await.unwrap_or_default() };
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let listener = {
            let _of_these_threads = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let endpoint = format!("http://{}", listener.local_addr()?);
        let serve = dynoxide::server::serve_with_shutdown(listener, database, stopped);
        Ok(Self {
            endpoint,
            stop,
            task: runtime.spawn(serve),
            _threads: Threads(Some(runtime)),
        })
    }

    /// The URL to reach it at.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Finishes what is running and closes the database.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        match timeout(GRACE, self.task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!(%error, "the database broke"),
            Ok(Err(error)) => tracing::error!(%error, "the database broke"),
            Err(_) => tracing::warn!("the database did not stop in time"),
        }
    }
}

fn open(path: Option<&Path>) -> Result<Database, EngineError> {
    let database = match path {
        None => Database::memory().map_err(|e| e.to_string()),
        Some(path) => match path.to_str() {
            Some(name) => Database::new(name).map_err(|e| e.to_string()),
            None => Err("its path is not UTF-8".to_owned()),
        },
    };
    let place = path.unwrap_or(Path::new("in memory"));
    database.map_err(|reason| EngineError::Open {
        path: place.display().to_string(),
        reason,
    })
}
