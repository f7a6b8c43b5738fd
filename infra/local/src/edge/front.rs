//! From a viewer's request to its answer.

use super::cache::{Answer, Found};
use super::distribution::Distribution;
use super::errand::Errand;
use super::faults::count;
use super::flights::{Flights, Turn};
use super::function::{self, Circumstances, Passed};
use super::key::Key;
use super::origin::{NO_BODY, Origin};
use super::response::{Envelope, Source};
use super::route::Route;
use crate::refusal::Refusal;
use crate::server::{Handler, Server};
use crate::{Routes, Template, body, event};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use jiff::Timestamp;
use std::cell::Cell;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use viewer_request::{FunctionError, Settings, ViewerRequest};

/// The longest path and query string, in bytes
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>).
const LONGEST_URL: usize = 8192;

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 32_768;

/// Why there is no edge in front of these functions.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The template routes to a function that is not there.
    #[error("template.yaml has the function {0}, and the local stack has not")]
    UnknownFunction(String),
    /// See [`FunctionError`].
    #[error("the CloudFront function: {0}")]
    Function(#[from] FunctionError),
    /// A header of the template or of the settings cannot be sent.
    #[error("the header {0} cannot be sent")]
    Header(String),
}

/// The functions behind their distribution. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    front: Arc<Front>,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Edge")
            .field(&self.front.distribution)
            .finish()
    }
}

struct Front {
    routes: Routes<Arc<Route>>,
    distribution: Distribution,
    function: ViewerRequest,
    via: HeaderValue,
    flights: Arc<Flights>,
    running: TaskTracker,
}

impl Edge {
    /// Puts `distribution` in front of `functions`, which it leads to as `template` says.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub fn new(
        template: &Template,
        distribution: Distribution,
        functions: impl IntoIterator<Item = impl Into<Origin>>,
    ) -> Result<Self, EdgeError> {
        let origins: Vec<Origin> = functions.into_iter().map(Into::into).collect();
        let settings = distribution.settings();
        let numbers = Cell::new(0);
        let routes = template.routes.try_map(|behavior| {
            numbers.set(numbers.get() + 1);
            let route = Route::new(numbers.get(), behavior, template, &origins, &distribution)?;
            Ok::<_, EdgeError>(Arc::new(route))
        })?;
        let function = ViewerRequest::new(
            viewer_request::SOURCE,
            &Settings {
                cookie: settings.session_cookie.clone(),
                key: settings.session_key.clone(),
                previous: settings.session_key_previous.clone(),
            },
        )?;
        let via = HeaderValue::try_from(format!("1.1 {} (CloudFront)", settings.domain))
            .map_err(|_| EdgeError::Header("via".to_owned()))?;
        Ok(Self {
            front: Arc::new(Front {
                routes,
                distribution,
                function,
                via,
                flights: Arc::default(),
                running: TaskTracker::new(),
            }),
        })
    }

    /// Answers a request from `peer`; whatever happens, there is an answer.
    pub async fn answer<B>(&self, request: Request<B>, peer: IpAddr) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let visit = Visit::new(request.method().clone(), peer);
        let answered = self.front.try_answer(request, &visit).await;
        let (answer, source) =
            answered.unwrap_or_else(|refusal| (refusal.answer(visit.id), Source::Miss));
        let envelope = Envelope {
            id: &visit.text,
            via: &self.front.via,
            method: &visit.method,
        };
        envelope.seal(answer, source)
    }

    /// Serves it over HTTP/1.1 at `listener`.
    #[must_use]
    pub fn serve(&self, listener: TcpListener) -> Server {
        Server::start(listener, self.clone())
    }

    /// The distribution.
    #[must_use]
    pub fn distribution(&self) -> &Distribution {
        &self.front.distribution
    }

    /// Ends when every invocation has. No request may come after.
    pub async fn finished(&self) {
        self.front.running.close();
        self.front.running.wait().await;
    }
}

impl Handler for Edge {
    async fn handle(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> Option<Response<Full<Bytes>>> {
        Some(self.answer(request, peer).await)
    }

    async fn finished(&self) {
        Edge::finished(self).await;
    }
}

/// One request's circumstances.
struct Visit {
    id: Uuid,
    text: String,
    at: Timestamp,
    peer: IpAddr,
    method: Method,
}

impl Visit {
    fn new(method: Method, peer: IpAddr) -> Self {
        let id = Uuid::new_v4();
        Self {
            id,
            text: id.to_string(),
            at: Timestamp::now(),
            peer,
            method,
        }
    }

    fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }
}

/// Refuses what CloudFront would not take.
fn check(parts: &Parts) -> Result<(), Refusal> {
    if !parts.uri.path().starts_with('/') {
        return Err(Refusal::NoPath);
    }
    let url = parts
        .uri
        .path_and_query()
        .map_or(0, |url| url.as_str().len());
    if url > LONGEST_URL {
        return Err(Refusal::LongUrl);
    }
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + 4);
    match url + headers.sum::<usize>() > LARGEST_HEAD {
        true => Err(Refusal::TooLarge),
        false => Ok(()),
    }
}

impl Front {
    async fn try_answer<B>(
        &self,
        request: Request<B>,
        visit: &Visit,
    ) -> Result<(Answer, Source), Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        check(&parts)?;
        let route = self.routes.target(parts.uri.path());
        let parts = match self.pass(route, parts, visit)? {
            Passed::On(parts) => parts,
            Passed::Answered(answer) => return Ok((answer, Source::Function)),
        };
        if route.keeps && matches!(visit.method, Method::GET | Method::HEAD) {
            return self.look_up(route, &parts, visit).await;
        }
        let body = body::read(&parts.headers, body).await?;
        count(&self.distribution.state.tally.passes);
        self.ask(route, &parts, &body, visit, Errand::default())
            .await
    }

    /// Answers from the cache, with the answer that somebody else waits for, or from the origin.
    async fn look_up(
        &self,
        route: &Arc<Route>,
        parts: &Parts,
        visit: &Visit,
    ) -> Result<(Answer, Source), Refusal> {
        let state = &self.distribution.state;
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        let policy = &route.behavior.cache;
        let key = Key::of(route.number, policy, path, query, &parts.headers);
        let stale = match state.cache.find(&key) {
            Found::Fresh(object) => {
                count(&state.tally.hits);
                return Ok((object.answer.clone(), Source::Hit(object.age())));
            }
            Found::Stale(object) => Some(object),
            Found::Nothing => None,
        };
        let turn = route
            .collapses
            .then(|| self.flights.join(&key, visit.is_head()));
        let flight = match turn {
            Some(Turn::Follow(follower)) => {
                count(&state.tally.collapsed);
                let answer = follower.answer().await.ok_or(Refusal::Failed)?;
                return Ok(((*answer).clone(), Source::Hit(0)));
            }
            Some(Turn::Lead(flight)) => Some(flight),
            None => None,
        };
        count(&state.tally.misses);
        let errand = Errand {
            key: Some(key),
            stale,
            flight,
        };
        self.ask(route, parts, &NO_BODY, visit, errand).await
    }

    /// Lets the CloudFront function see the request, where the behaviour has it.
    fn pass(&self, route: &Route, parts: Parts, visit: &Visit) -> Result<Passed, Refusal> {
        if !route.behavior.runs_function {
            return Ok(Passed::On(parts));
        }
        let settings = self.distribution.settings();
        let circumstances = Circumstances {
            distribution_id: &settings.id,
            domain: &settings.domain,
            request_id: &visit.text,
            viewer_ip: &visit.peer.to_string(),
        };
        function::pass(&self.function, parts, &circumstances).map_err(|error| {
            tracing::error!(request_id = %visit.id, %error, "the CloudFront function failed");
            match error {
                FunctionError::Header(_) => Refusal::Failed,
                _ => Refusal::Unavailable,
            }
        })
    }

    /// Asks the function. It runs to its end even if the client goes away, as on Lambda, and what
    /// it answers is stored.
    async fn ask(
        &self,
        route: &Arc<Route>,
        parts: &Parts,
        body: &[u8],
        visit: &Visit,
        errand: Errand,
    ) -> Result<(Answer, Source), Refusal> {
        let call = event::Call {
            function: route.origin.name(),
            id: visit.id,
            at: visit.at,
            // The function sees the edge. Whom the edge sees is in a header.
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            viewer: visit.peer,
            port: self.distribution.settings().port,
        };
        let parts = route.origin_request(parts, &self.via, &visit.text)?;
        let event = route.origin.event(&parts, body, &call)?;
        let (route, state) = (Arc::clone(route), Arc::clone(&self.distribution.state));
        let (id, is_head) = (visit.id, visit.is_head());
        let task = async move {
            let answer = route.origin.answer(event, id).await;
            let transit = state.faults().transit();
            if !transit.is_zero() {
                tokio::time::sleep(transit).await;
            }
            errand.finish(answer, &route, &state, is_head)
        };
        self.running.spawn(task).await.map_err(|_| Refusal::Failed)
    }
}

#[cfg(test)]
#[path = "front_tests.rs"]
mod tests;
