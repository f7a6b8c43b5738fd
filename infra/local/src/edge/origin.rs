//! The functions as origins. Each gets the event that Lambda passes to it at its function URL.

use super::cache::BufferedResponse;
use crate::refusal::Refusal;
use crate::{event, function_response};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::http::request::Parts;
use std::error::Error;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use uuid::Uuid;
use wrapper::Runner;

/// From an event as JSON to the response as JSON.
type Invoke = dyn Fn(Vec<u8>) -> BoxFuture<'static, Vec<u8>> + Send + Sync;

/// A function that can be invoked with requests and other events.
#[derive(Clone)]
pub struct FunctionOrigin {
    name: Arc<str>,
    invoke: Arc<Invoke>,
}

impl fmt::Debug for FunctionOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FunctionOrigin").field(&self.name).finish()
    }
}

impl From<Runner> for FunctionOrigin {
    fn from(runner: Runner) -> Self {
        let function = Arc::new(runner);
        Self::new(function.name(), move |event: Vec<u8>| {
            let function = Arc::clone(&function);
            async move { function.invoke(&event).await }
        })
    }
}

impl FunctionOrigin {
    /// An origin called `name`. `invoke` turns an event into a response, both as JSON.
    pub fn new<F>(name: &str, invoke: impl Fn(Vec<u8>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Vec<u8>> + Send + 'static,
    {
        Self {
            name: name.into(),
            invoke: Arc::new(move |event| Box::pin(invoke(event))),
        }
    }

    /// The function's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Invokes the function with an event.
    pub async fn invoke(&self, event: Vec<u8>) -> Vec<u8> {
        (self.invoke)(event).await
    }

    /// The event for a request to the function.
    pub(super) fn event(
        &self,
        parts: &Parts,
        body: &[u8],
        invocation: &event::Invocation<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        event::encode(parts, body, invocation).map_err(|e| self.failed(invocation.id, &e))
    }

    /// The function's response to the request with this id; a 502 if it has none.
    pub(super) async fn respond(&self, event: Vec<u8>, id: Uuid) -> BufferedResponse {
        let refusal = match AssertUnwindSafe(self.invoke(event)).catch_unwind().await {
            // Lambda sends no larger response either.
            // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
            Ok(json) if json.len() > MAX_RESPONSE => self.failed(id, &TooLarge),
            Ok(json) => match function_response::decode(&json) {
                Ok(response) => return response,
                Err(error) => self.failed(id, &error),
            },
            Err(_) => self.failed(id, &Panicked),
        };
        refusal.response(id)
    }

    fn failed(&self, id: Uuid, error: &dyn Error) -> Refusal {
        tracing::error!(function = &*self.name, request_id = %id, %error, "the function returned no valid response");
        Refusal::Failed
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it panicked")]
struct Panicked;

#[derive(Debug, thiserror::Error)]
#[error("its response is larger than Lambda sends, 6 MB")]
struct TooLarge;

/// The largest response of a function as JSON, in bytes.
const MAX_RESPONSE: usize = 6 << 20;

/// Whether the origin failed. Then an expired cache entry may be served instead.
pub(super) fn has_failed(response: &BufferedResponse) -> bool {
    response.status.is_server_error()
}

/// The body of a request that is forwarded without one.
pub(super) const NO_BODY: Bytes = Bytes::new();
