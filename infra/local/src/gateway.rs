//! From an HTTP request to the function that answers it, and back.

use crate::event::{self, Call};
use crate::refusal::Refusal;
use crate::{Routes, Template, answer, body};
use action::Function;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use jiff::Timestamp;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// The functions behind their routes.
pub(crate) struct Gateway {
    routes: Routes<Arc<Function>>,
    port: u16,
    running: TaskTracker,
}

/// The template routes to a function that is not in the registry.
#[derive(Debug, thiserror::Error)]
#[error("template.yaml has the function {0}, and the local stack has not")]
pub struct UnknownFunction(String);

impl Gateway {
    /// A gateway at `port` that routes to `functions` as `template` says.
    ///
    /// # Errors
    /// [`UnknownFunction`], when a route leads to none of `functions`.
    pub(crate) fn new(
        template: &Template,
        functions: Vec<Function>,
        port: u16,
    ) -> Result<Self, UnknownFunction> {
        let functions: Vec<_> = functions.into_iter().map(Arc::new).collect();
        let routes = template.routes.try_map(|name| {
            let function = functions.iter().find(|function| function.name == name);
            function
                .cloned()
                .ok_or_else(|| UnknownFunction(name.clone()))
        })?;
        Ok(Self {
            routes,
            port,
            running: TaskTracker::new(),
        })
    }

    /// Answers a request from `peer`; whatever happens, there is an answer.
    pub(crate) async fn answer<B>(&self, request: Request<B>, peer: IpAddr) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let id = Uuid::new_v4();
        match self.try_answer(request, peer, id).await {
            Ok(response) => response,
            Err(refusal) => refusal.response(id),
        }
    }

    async fn try_answer<B>(
        &self,
        request: Request<B>,
        peer: IpAddr,
        id: Uuid,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let at = Timestamp::now();
        let (parts, body) = request.into_parts();
        if !parts.uri.path().starts_with('/') {
            return Err(Refusal::NoPath);
        }
        let body = body::read(&parts.headers, body).await?;
        let function = Arc::clone(self.routes.target(parts.uri.path()));
        let call = Call {
            function: function.name,
            id,
            at,
            peer,
            port: self.port,
        };
        self.invoke(function, &parts, &body, &call).await
    }

    /// Runs the function to its end even if the client goes away, as Lambda does.
    async fn invoke(
        &self,
        function: Arc<Function>,
        parts: &Parts,
        body: &[u8],
        call: &Call<'_>,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let failed = |error: &dyn Error| {
            tracing::error!(function = call.function, request_id = %call.id, %error, "no answer from the function");
            Refusal::Failed
        };
        let event = event::encode(parts, body, call).map_err(|e| failed(&e))?;
        let invocation = self
            .running
            .spawn(async move { function.invoke(&event).await });
        let json = invocation.await.map_err(|e| failed(&e))?;
        answer::decode(&json).map_err(|e| failed(&e))
    }

    /// Ends when every invocation has.
    pub(crate) async fn finished(&self) {
        self.running.close();
        self.running.wait().await;
    }
}
