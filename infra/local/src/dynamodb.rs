//! The embedded DynamoDB.

use dynoxide::Database;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// One thread runs requests, because the engine runs one at a time. The other handles JSON.
const THREADS: usize = 2;

/// How long the engine may take to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// A DynamoDB at a free port of the loopback interface.
///
/// It keeps its data in one SQLite file with a write-ahead log, synced at every commit
/// (`synchronous=FULL`, SQLite's default). So an acknowledged write survives a crash of the process,
/// and a crash of the machine if the disk keeps what it has synced.
///
/// It has its own threads, because it blocks them: on its one lock, and while the disk syncs.
pub(crate) struct DynamoDb {
    endpoint: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), String>>,
    _runtime: OwnRuntime,
}

/// A runtime that can be dropped inside another runtime.
struct OwnRuntime(Option<Runtime>);

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Why the embedded DynamoDB does not start.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The file is not a database or cannot be opened. Check it, or choose another directory.
    #[error("the database {path} cannot be opened: {reason}")]
    Open {
        /// The file, or `in memory`.
        path: String,
        /// The engine's error.
        reason: String,
    },
    /// There is no free port on the loopback interface, or no thread can be started.
    #[error("the database has no port or no threads: {0}")]
    System(#[from] std::io::Error),
}

impl DynamoDb {
    /// Starts a DynamoDB with its data in the file at `path`, or in memory.
    ///
    /// # Errors
    /// [`DynamoDbError`].
    pub(crate) async fn start(path: Option<&Path>) -> Result<Self, DynamoDbError> {
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
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let endpoint = format!("http://{}", listener.local_addr()?);
        let serve = dynoxide::server::serve_with_shutdown(listener, database, stopped);
        Ok(Self {
            endpoint,
            stop,
            task: runtime.spawn(serve),
            _runtime: OwnRuntime(Some(runtime)),
        })
    }

    /// The URL of its API.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Finishes the running requests and closes the database.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        match timeout(SHUTDOWN_TIMEOUT, self.task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!(%error, "the database failed"),
            Ok(Err(error)) => tracing::error!(%error, "the database failed"),
            Err(_) => tracing::warn!("the database did not stop in time"),
        }
    }
}

fn open(path: Option<&Path>) -> Result<Database, DynamoDbError> {
    let database = match path {
        None => Database::memory().map_err(|e| e.to_string()),
        Some(path) => match path.to_str() {
            Some(name) => Database::new(name).map_err(|e| e.to_string()),
            None => Err("its path is not UTF-8".to_owned()),
        },
    };
    let shown_path = path.unwrap_or(Path::new("in memory"));
    database.map_err(|reason| DynamoDbError::Open {
        path: shown_path.display().to_string(),
        reason,
    })
}
