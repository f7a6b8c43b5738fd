//! Serves a viewer's request: the CloudFront function, the cache, the origin.

use super::cache::{BufferedResponse, Found};
use super::distribution::Distribution;
use super::error::EdgeError;
use super::faults::count;
use super::fetch::Fetch;
use super::function::{self, Decision, EventContext};
use super::in_flight::{InFlight, Joined};
use super::key::Key;
use super::origin::{FunctionOrigin, NO_BODY};
use super::response::{Source, ViewerResponse};
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
    in_flight: Arc<InFlight>,
    running: TaskTracker,
}

impl Edge {
    /// Puts `distribution` in front of `functions`, with the routes of `template`.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub fn new(
        template: &Template,
        distribution: Distribution,
        functions: impl IntoIterator<Item = impl Into<FunctionOrigin>>,
    ) -> Result<Self, EdgeError> {
        let origins: Vec<FunctionOrigin> = functions.into_iter().map(Into::into).collect();
        let settings = distribution.settings();
        let position = Cell::new(0);
        let routes = template.routes.try_map(|behavior| {
            position.set(position.get() + 1);
            let route = Route::new(position.get(), behavior, template, &origins, &distribution)?;
            Ok::<_, EdgeError>(Arc::new(route))
        })?;
        let function = ViewerRequest::new(
            viewer_request::SOURCE,
            &Settings {
                cookie: settings.session_cookie.clone(),
                secrets: settings.secret.clone(),
                in_use: "A".to_owned(),
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
                in_flight: Arc::default(),
                running: TaskTracker::new(),
            }),
        })
    }

    /// The response to a request from `peer`. Every failure becomes a response too.
    pub async fn respond<B>(&self, request: Request<B>, peer: IpAddr) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let info = RequestInfo::new(request.method().clone(), peer);
        let result = self.front.try_respond(request, &info).await;
        let (response, source) =
            result.unwrap_or_else(|refusal| (refusal.response(info.id), Source::Miss));
        let viewer_response = ViewerResponse {
            request_id: &info.id_text,
            via: &self.front.via,
            method: &info.method,
        };
        viewer_response.build(response, source)
    }

    /// Serves HTTP/1.1 at `listener`.
    #[must_use]
    pub fn serve(&self, listener: TcpListener) -> Server {
        Server::start(listener, self.clone())
    }

    /// The distribution in front of the functions.
    #[must_use]
    pub fn distribution(&self) -> &Distribution {
        &self.front.distribution
    }

    /// Waits until every invocation has ended. No request may follow.
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
        Some(self.respond(request, peer).await)
    }

    async fn finished(&self) {
        Edge::finished(self).await;
    }
}

/// What the edge knows of a request besides the request itself.
struct RequestInfo {
    id: Uuid,
    id_text: String,
    received_at: Timestamp,
    peer: IpAddr,
    method: Method,
}

impl RequestInfo {
    fn new(method: Method, peer: IpAddr) -> Self {
        let id = Uuid::new_v4();
        Self {
            id,
            id_text: id.to_string(),
            received_at: Timestamp::now(),
            peer,
            method,
        }
    }

    fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }
}

/// Refuses requests that exceed CloudFront's limits.
fn check_limits(parts: &Parts) -> Result<(), Refusal> {
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
    async fn try_respond<B>(
        &self,
        request: Request<B>,
        info: &RequestInfo,
    ) -> Result<(BufferedResponse, Source), Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        check_limits(&parts)?;
        let route = self.routes.target(parts.uri.path());
        let parts = match self.run_function(route, parts, info)? {
            Decision::Forward(parts) => parts,
            Decision::Respond(response) => return Ok((response, Source::Function)),
        };
        if route.may_cache && matches!(info.method, Method::GET | Method::HEAD) {
            return self.look_up(route, &parts, info).await;
        }
        let body = body::read(&parts.headers, body).await?;
        count(&self.distribution.state.counters.passes);
        self.fetch(route, &parts, &body, info, Fetch::default())
            .await
    }

    /// Responds from the cache, with the response of a request in flight, or from the origin.
    async fn look_up(
        &self,
        route: &Arc<Route>,
        parts: &Parts,
        info: &RequestInfo,
    ) -> Result<(BufferedResponse, Source), Refusal> {
        let state = &self.distribution.state;
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        let policy = &route.behavior.cache;
        let key = Key::of(route.number, policy, path, query, &parts.headers);
        let stale = match state.cache.find(&key) {
            Found::Fresh(entry) => {
                count(&state.counters.hits);
                return Ok((entry.response.clone(), Source::Hit(entry.age())));
            }
            Found::Stale(entry) => Some(entry),
            Found::Nothing => None,
        };
        let joined = route
            .collapses
            .then(|| self.in_flight.join(&key, info.is_head()));
        let leader = match joined {
            Some(Joined::Follower(follower)) => {
                count(&state.counters.collapsed);
                let response = follower.response().await.ok_or(Refusal::Failed)?;
                return Ok(((*response).clone(), Source::Hit(0)));
            }
            Some(Joined::Leader(leader)) => Some(leader),
            None => None,
        };
        count(&state.counters.misses);
        let fetch = Fetch {
            key: Some(key),
            stale,
            leader,
        };
        self.fetch(route, parts, &NO_BODY, info, fetch).await
    }

    /// Runs the CloudFront function, if the behaviour has one.
    fn run_function(
        &self,
        route: &Route,
        parts: Parts,
        info: &RequestInfo,
    ) -> Result<Decision, Refusal> {
        if !route.behavior.runs_function {
            return Ok(Decision::Forward(parts));
        }
        let settings = self.distribution.settings();
        let context = EventContext {
            distribution_id: &settings.id,
            domain: &settings.domain,
            request_id: &info.id_text,
            viewer_ip: &info.peer.to_string(),
        };
        function::run(&self.function, parts, &context).map_err(|error| {
            tracing::error!(request_id = %info.id, %error, "the CloudFront function failed");
            match error {
                FunctionError::Header(_) => Refusal::Failed,
                _ => Refusal::Unavailable,
            }
        })
    }

    /// Invokes the function. As on Lambda, it runs to its end even if the client disconnects; its
    /// response is then still stored.
    async fn fetch(
        &self,
        route: &Arc<Route>,
        parts: &Parts,
        body: &[u8],
        info: &RequestInfo,
        fetch: Fetch,
    ) -> Result<(BufferedResponse, Source), Refusal> {
        let invocation = event::Invocation {
            function: route.origin.name(),
            id: info.id,
            received_at: info.received_at,
            // The function's peer is the edge. The viewer's address is in a header.
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            viewer: info.peer,
            port: self.distribution.settings().port,
        };
        let parts = route.origin_request(parts, &self.via, &info.id_text)?;
        let event = route.origin.event(&parts, body, &invocation)?;
        let (route, state) = (Arc::clone(route), Arc::clone(&self.distribution.state));
        let (id, is_head) = (info.id, info.is_head());
        let task = async move {
            let response = route.origin.respond(event, id).await;
            let transit = state.faults().draw_transit();
            if !transit.is_zero() {
                tokio::time::sleep(transit).await;
            }
            fetch.finish(response, &route, &state, is_head)
        };
        self.running.spawn(task).await.map_err(|_| Refusal::Failed)
    }
}

#[cfg(test)]
#[path = "front_tests.rs"]
mod tests;
