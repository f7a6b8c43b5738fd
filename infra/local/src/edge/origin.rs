//! The functions as origins: given the event that Lambda gives at a function's URL.

use super::cache::Answer;
use crate::refusal::Refusal;
use crate::{answer, event};
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

/// Takes an event as JSON, gives an answer as JSON.
type Invoke = dyn Fn(Vec<u8>) -> BoxFuture<'static, Vec<u8>> + Send + Sync;

/// A function that requests and other events can be sent to.
#[derive(Clone)]
pub struct Origin {
    name: Arc<str>,
    invoke: Arc<Invoke>,
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Origin").field(&self.name).finish()
    }
}

impl From<Runner> for Origin {
    fn from(runner: Runner) -> Self {
        let function = Arc::new(runner);
        Self::new(function.name(), move |event: Vec<u8>| {
            let function = Arc::clone(&function);
            async move { function.invoke(&event).await }
        })
    }
}

impl Origin {
    /// An origin called `name`, of which `invoke` takes events and gives answers, both JSON.
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

    /// Passes it an event.
    pub async fn invoke(&self, event: Vec<u8>) -> Vec<u8> {
        (self.invoke)(event).await
    }

    /// The event for a request to it.
    pub(super) fn event(
        &self,
        parts: &Parts,
        body: &[u8],
        call: &event::Call<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        event::encode(parts, body, call).map_err(|e| self.failed(call.id, &e))
    }

    /// Its answer to the request with this id; a 502 where it gives none.
    pub(super) async fn answer(&self, event: Vec<u8>, id: Uuid) -> Answer {
        let refusal = match AssertUnwindSafe(self.invoke(event)).catch_unwind().await {
            Ok(json) => match answer::decode(&json) {
                Ok(answer) => return answer,
                Err(error) => self.failed(id, &error),
            },
            Err(_) => self.failed(id, &Panicked),
        };
        refusal.answer(id)
    }

    fn failed(&self, id: Uuid, error: &dyn Error) -> Refusal {
        tracing::error!(function = &*self.name, request_id = %id, %error, "no answer from the function");
        Refusal::Failed
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it panicked")]
struct Panicked;

/// Whether an answer is an origin's failure, for which an expired object may stand in.
pub(super) fn has_failed(answer: &Answer) -> bool {
    answer.status.is_server_error()
}

/// Nothing: the body of a request that is forwarded without one.
pub(super) const NO_BODY: Bytes = Bytes::new();
