//! The embedded DynamoDB.

mod api;
mod connector;
mod engine;
mod log;
mod tokens;

use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use connector::{Connector, Reply};
use engine::Engine;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::TableSettings;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// One thread runs a request, because the engine runs one at a time. The other handles JSON.
const THREADS: usize = 2;

/// How long the engine may take to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The endpoint that the SDK writes into its requests. Nothing connects to it.
const ENDPOINT: &str = "http://embedded-dynamodb";

/// A DynamoDB without a port: only the SDK of this process can call it. The engine's own HTTP server
/// has no secret and lets the pages of every origin read its responses, so it is not used.
///
/// It keeps its data in one SQLite file with a write-ahead log, synced before a commit is acknowledged. So
/// an acknowledged write survives a crash of the process, and a crash of the machine if the disk keeps
/// what it has synced.
///
/// It has its own threads, because it blocks them: on its one lock, and while the disk syncs.
pub(crate) struct DynamoDb {
    /// Closed when the last request that uses it has ended.
    engine: Arc<Engine<Reply>>,
    requests: TaskTracker,
    runtime: OwnRuntime,
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
    /// No thread can be started.
    #[error("the database has no threads: {0}")]
    System(#[from] std::io::Error),
}

impl DynamoDb {
    /// Starts a DynamoDB with its data in the file at `path`, or in memory.
    ///
    /// # Errors
    /// [`DynamoDbError`].
    pub(crate) fn start(path: Option<&Path>) -> Result<Self, DynamoDbError> {
        let engine = Engine::open(path).map_err(|reason| {
            let path = path.unwrap_or(Path::new("in memory")).display().to_string();
            DynamoDbError::Open { path, reason }
        })?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("dynamodb")
            .build()?;
        Ok(Self {
            engine: Arc::new(engine),
            requests: TaskTracker::new(),
            runtime: OwnRuntime(Some(runtime)),
        })
    }

    /// The settings of the table with this name.
    pub(crate) fn table(&self, name: &str) -> TableSettings {
        let connector = self.runtime.0.as_ref().map(|runtime| {
            let threads = runtime.handle().clone();
            Connector::new(&self.engine, self.requests.clone(), threads)
        });
        let client = connector.map(|connector| {
            let connector = SharedHttpConnector::new(connector);
            http_client_fn(move |_, _| connector.clone())
        });
        TableSettings {
            http_client: client,
            ..TableSettings::local(ENDPOINT, name)
        }
    }

    /// Finishes the running requests and closes the database. Later requests fail.
    pub(crate) async fn stop(self) {
        let Self {
            engine,
            requests,
            runtime,
        } = self;
        if let Some(runtime) = &runtime.0 {
            // Closing a database blocks too.
            requests.spawn_on(async move { drop(engine) }, runtime.handle());
        }
        requests.close();
        if timeout(SHUTDOWN_TIMEOUT, requests.wait()).await.is_err() {
            tracing::warn!("the database did not stop in time");
        }
    }
}

#[cfg(test)]
#[path = "dynamodb_tests.rs"]
mod tests;
