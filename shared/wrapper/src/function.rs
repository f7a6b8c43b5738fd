//! A Lambda function: one action, some views or background work.

use crate::http::request::{self, EventError, RequestInfo};
use crate::http::response::{self, Response, ResponseExt};
use crate::log::LogEntry;
use crate::{App, Failure, error_page, run, view as show};
use action::{Access, Asset, Form, Role, View};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Method;
use lambda_http::Request;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use matchit::Router;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

/// The methods of a view (RFC 9110, section 9.2.1).
const READ_METHODS: &str = "GET, HEAD";

pub(crate) type PathParameters = BTreeMap<String, String>;
type RunAction = for<'a> fn(&'a App, &'a Request, &'a mut LogEntry) -> BoxFuture<'a, Response>;
type RunView =
    for<'a> fn(&'a App, &'a Request, PathParameters, &'a mut LogEntry) -> BoxFuture<'a, Response>;

/// Background work: takes an event of a schedule or of the table's stream, and returns the result for
/// Lambda.
pub type Work = for<'a> fn(&'a App, &'a Value) -> BoxFuture<'a, Result<Value, crate::Error>>;

/// A route of a function, and who may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `POST` of an action, `GET` of a view.
    pub method: &'static str,
    /// The path, with parameters in braces. For an action only the last segment.
    pub path: &'static str,
    /// The lowest role that is allowed; `None` if the caller need not be signed in.
    pub least: Option<Role>,
    /// What the function requires of the caller besides the role; empty if nothing.
    pub rule: &'static str,
}

/// A view and its route.
#[derive(Clone, Copy)]
pub struct ViewRoute {
    route: Route,
    run: RunView,
}

/// The route of the view `V`, for [`Function::views`].
#[must_use]
pub const fn view<V: View>() -> ViewRoute {
    let route = Route {
        method: "GET",
        path: V::PATH,
        least: V::Permission::LEAST,
        rule: V::RULE,
    };
    ViewRoute {
        route,
        run: |app, request, parameters, log_entry| {
            Box::pin(show::run::<V>(app, request, parameters, log_entry))
        },
    }
}

#[derive(Clone, Copy)]
enum Handler {
    Action(Route, RunAction),
    Views {
        routes: &'static [ViewRoute],
        assets: fn() -> &'static [Asset],
    },
    Background {
        work: Work,
        purges: bool,
    },
}

/// A Lambda function. It contains only pointers, so a binary contains only the code of the function
/// that it serves.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name of the function, of its binary and of its route.
    pub name: &'static str,
    handler: Handler,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

impl Function {
    /// The function of an action. It accepts any path.
    #[must_use]
    pub const fn action<A: Form>() -> Self {
        let route = Route {
            method: "POST",
            path: A::NAME,
            least: A::Permission::LEAST,
            rule: A::RULE,
        };
        Self {
            name: A::NAME,
            handler: Handler::Action(route, |app, request, log_entry| {
                Box::pin(run::run::<A>(app, request, log_entry))
            }),
        }
    }

    /// A function that serves these views.
    #[must_use]
    pub const fn views(name: &'static str, routes: &'static [ViewRoute]) -> Self {
        Self::views_and_assets(name, routes, || &[])
    }

    /// A function that serves these views and assets.
    #[must_use]
    pub const fn views_and_assets(
        name: &'static str,
        routes: &'static [ViewRoute],
        assets: fn() -> &'static [Asset],
    ) -> Self {
        let handler = Handler::Views { routes, assets };
        Self { name, handler }
    }

    /// A function for events of a schedule or of the table's stream, which takes no requests. `purges`
    /// says whether it calls CloudFront.
    #[must_use]
    pub const fn background(name: &'static str, work: Work, purges: bool) -> Self {
        let handler = Handler::Background { work, purges };
        Self { name, handler }
    }

    /// The routes of the action or of the views. Assets have no routes, because everyone may read them.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        match &self.handler {
            Handler::Action(route, _) => vec![*route],
            Handler::Views { routes, .. } => routes.iter().map(|view| view.route).collect(),
            Handler::Background { .. } => Vec::new(),
        }
    }

    /// Whether it does background work, so that its events are not requests.
    #[must_use]
    pub const fn is_background(&self) -> bool {
        matches!(self.handler, Handler::Background { .. })
    }

    /// Whether it serves the assets.
    #[must_use]
    pub fn has_assets(&self) -> bool {
        matches!(&self.handler, Handler::Views { assets, .. } if !assets().is_empty())
    }

    /// Whether it may call CloudFront.
    pub(crate) fn purges(&self) -> bool {
        match self.handler {
            Handler::Action(..) => true,
            Handler::Views { .. } => false,
            Handler::Background { purges, .. } => purges,
        }
    }
}

/// A function with the app that it runs with.
pub struct Runner {
    function: Function,
    app: Arc<App>,
    /// Matches a path to the index of a view's route.
    router: Router<usize>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Runner").field(&self.function.name).finish()
    }
}

impl Runner {
    /// A runner of this function with this app.
    ///
    /// # Panics
    /// If two views of the function have the same path. That is a bug, which every start shows.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the paths are constants of the function"
    )]
    pub fn new(app: Arc<App>, function: Function) -> Self {
        let mut router = Router::new();
        if let Handler::Views { routes, .. } = function.handler {
            for (number, view) in routes.iter().enumerate() {
                router
                    .insert(view.route.path, number)
                    .expect("no two views share a path");
            }
        }
        Self {
            function,
            app,
            router,
        }
    }

    /// The function's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.function.name
    }

    /// The function.
    #[must_use]
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Handles an event as Lambda passes it: JSON in, JSON out.
    pub async fn invoke(&self, payload: &[u8]) -> Vec<u8> {
        if self.function.is_background() {
            let event = serde_json::from_slice(payload).unwrap_or_default();
            // The shape in which Lambda reports an error to the caller.
            let result = self.work(&event).await.unwrap_or_else(
                |error| json!({ "errorType": "Error", "errorMessage": error.to_string() }),
            );
            return result.to_string().into_bytes();
        }
        let response = self.respond(payload).await.unwrap_or_else(|error| {
            let failure = Failure::unreadable(error.to_string());
            response::to_event(response::json(failure.status, &failure.json("")))
        });
        serde_json::to_vec(&response).unwrap_or_default()
    }

    /// Handles an event of background work.
    ///
    /// # Errors
    /// If the function takes requests, or if the work fails.
    pub(crate) async fn work(&self, event: &Value) -> Result<Value, crate::Error> {
        match self.function.handler {
            Handler::Background { work, .. } => work(&self.app, event).await,
            Handler::Action(..) | Handler::Views { .. } => {
                Err("this function takes requests".into())
            }
        }
    }

    /// Handles an event of a function URL, as JSON. After a panic it responds with a 500.
    ///
    /// # Errors
    /// If it is not an event of a function URL.
    pub(crate) async fn respond(
        &self,
        payload: &[u8],
    ) -> Result<ApiGatewayV2httpResponse, EventError> {
        let started = Instant::now();
        let app = &self.app;
        let cold = app.is_cold_start();
        let mut log_entry = LogEntry {
            action: self.function.name,
            outcome: "OK",
            ..LogEntry::default()
        };
        let request = request::from_event(payload, app.config.body_limit);
        let new_id = request::request_id(None);
        let (id, response) = match &request {
            Err(EventError::NotARequest) => return Err(EventError::NotARequest),
            Ok(request) => {
                let caught = AssertUnwindSafe(self.route(request, &mut log_entry))
                    .catch_unwind()
                    .await;
                let response = caught.unwrap_or_else(|_| {
                    let failure = Failure::unknown("the wrapper panicked");
                    let layout = error_page::layout_of_token(app, request);
                    error_page::error_response(
                        app,
                        request,
                        &failure,
                        layout.as_ref(),
                        &mut log_entry,
                    )
                });
                let is_head = request.method() == Method::HEAD;
                (
                    request.id(),
                    response.finish(request.id(), app.config.https, is_head),
                )
            }
            Err(error) => {
                let failure = &Failure::unreadable(error.to_string());
                error_page::log_failure(failure, &mut log_entry);
                let id = new_id.as_str();
                let response = response::json(failure.status, &failure.json(id));
                (id, response.finish(id, app.config.https, false))
            }
        };
        let status = response.status().as_u16();
        (app.config.log)(&log_entry.line(id, status, started.elapsed(), cold));
        Ok(response::to_event(response))
    }

    async fn route(&self, request: &Request, log_entry: &mut LogEntry) -> Response {
        let (routes, assets) = match &self.function.handler {
            Handler::Action(_, run) => return run(&self.app, request, log_entry).await,
            Handler::Views { routes, assets } => (*routes, assets()),
            Handler::Background { .. } => (&[][..], &[][..]),
        };
        let app = &self.app;
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        if let Some(asset) = assets.iter().find(|asset| asset.path == request.path()) {
            return if is_read {
                response::immutable(asset.content_type, asset.bytes)
            } else {
                let failure = Failure::method_not_allowed(READ_METHODS);
                error_page::response_to(app, request, &failure, log_entry).await
            };
        }
        let Ok(found) = self.router.at(request.path()) else {
            if is_read
                && !request.wants_json()
                && let Some(path) = without_extra_slashes(request)
            {
                return response::see_other(&path);
            }
            let failure = Failure::page_not_found();
            return error_page::response_to(app, request, &failure, log_entry).await;
        };
        if !is_read {
            let failure = Failure::method_not_allowed(READ_METHODS);
            return error_page::response_to(app, request, &failure, log_entry).await;
        }
        let parameters = found.params.iter();
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (routes[*found.value].run)(&self.app, request, parameters.collect(), log_entry).await
    }
}

/// The path and query of a request without a slash at the end and without doubled slashes; `None` if there
/// are none. The result begins with one slash only, so that it is never the address of another site.
fn without_extra_slashes(request: &Request) -> Option<String> {
    let segments: Vec<_> = request
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let path = format!("/{}", segments.join("/"));
    if path == request.path() || segments.iter().any(|one| one.contains('\\')) {
        return None;
    }
    Some(match request.query() {
        "" => path,
        query => format!("{path}?{query}"),
    })
}
