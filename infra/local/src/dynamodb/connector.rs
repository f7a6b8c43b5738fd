//! The SDK's HTTP client for the embedded DynamoDB. It calls the engine instead of a server.

use super::api::{self, ApiResponse};
use super::engine::Engine;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Weak};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// The content type of requests and responses.
const JSON: &str = "application/x-amz-json-1.0";

/// A response, and who waits for it.
pub(super) type Reply = (oneshot::Sender<ApiResponse>, ApiResponse);

/// Passes the SDK's requests to an engine. It does not keep the engine's database open.
pub(super) struct Connector {
    engine: Weak<Engine<Reply>>,
    requests: TaskTracker,
    threads: Handle,
}

impl Connector {
    /// A connector to `engine`. Its requests run on `threads`, as tasks of `requests`.
    pub(super) fn new(engine: &Arc<Engine<Reply>>, requests: TaskTracker, threads: Handle) -> Self {
        Self {
            engine: Arc::downgrade(engine),
            requests,
            threads,
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(engine) = self.engine.upgrade() else {
            return HttpConnectorFuture::ready(Err(closed()));
        };
        let (reply, response) = oneshot::channel();
        let work = async move {
            // A request that has timed out while others ran is not run at all.
            if reply.is_closed() {
                return;
            }
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let body = request.body().bytes().unwrap_or_default();
            let (response, commits) = api::call(&engine, target, body);
            let sent = engine.after(commits, (reply, response), |(reply, response)| {
                let _timed_out = reply.send(response);
            });
            if let Err(error) = sent {
                tracing::error!(%error, "the database cannot be synced");
            }
        };
        self.requests.spawn_on(work, &self.threads);
        HttpConnectorFuture::new(async move {
            let response = response.await.map_err(|_| closed())?;
            to_http(response).map_err(|error| ConnectorError::other(error, None))
        })
    }
}

fn to_http(response: ApiResponse) -> Result<HttpResponse, Box<dyn Error + Send + Sync>> {
    let id = Uuid::new_v4().simple().to_string().to_ascii_uppercase();
    let response = hyper::Response::builder()
        .status(response.status)
        .header("content-type", JSON)
        .header("x-amzn-requestid", id)
        .body(SdkBody::from(response.body))?;
    Ok(HttpResponse::try_from(response)?)
}

/// The database was closed before the request or failed during it.
fn closed() -> ConnectorError {
    ConnectorError::io("the embedded DynamoDB is closed".into())
}
