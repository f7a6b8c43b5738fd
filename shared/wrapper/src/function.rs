//! A function: one action, some views or background work, behind one Lambda function.

use crate::http::request::{self, Asked, EventError};
use crate::http::response::{self, Response, With};
use crate::log::Note;
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
const READING: &str = "GET, HEAD";

pub(crate) type PathParameters = BTreeMap<String, String>;
type RunAction = for<'a> fn(&'a App, &'a Request, &'a mut Note) -> BoxFuture<'a, Response>;
type RunView =
    for<'a> fn(&'a App, &'a Request, PathParameters, &'a mut Note) -> BoxFuture<'a, Response>;

/// Background work: takes the event of a schedule or of the table's stream, gives what Lambda is
/// told.
pub type Work = for<'a> fn(&'a App, &'a Value) -> BoxFuture<'a, Result<Value, crate::Error>>;

/// One route of a function, and who may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `POST` of an action, `GET` of a view.
    pub method: &'static str,
    /// The path, with names in braces for what varies; of an action only the last segment.
    pub path: &'static str,
    /// The least role; `None` if nobody needs to be signed in.
    pub least: Option<Role>,
    /// What is asked of the caller besides; empty if that is nothing.
    pub rule: &'static str,
}

/// A view's route, and the view.
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
        run: |app, request, parameters, note| {
            Box::pin(show::run::<V>(app, request, parameters, note))
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

/// One Lambda function: what it is called, and what it does. Functions hold pointers alone, so a
/// binary is built only with the code of the one function that it serves.
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
    /// The function that runs an action, on any path.
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
            handler: Handler::Action(route, |app, request, note| {
                Box::pin(run::run::<A>(app, request, note))
            }),
        }
    }

    /// A function that serves these views.
    #[must_use]
    pub const fn views(name: &'static str, routes: &'static [ViewRoute]) -> Self {
        Self::views_and_assets(name, routes, || &[])
    }

    /// A function that serves these views, and files.
    #[must_use]
    pub const fn views_and_assets(
        name: &'static str,
        routes: &'static [ViewRoute],
        assets: fn() -> &'static [Asset],
    ) -> Self {
        let handler = Handler::Views { routes, assets };
        Self { name, handler }
    }

    /// A function that takes no requests, but events of a schedule or of the table's stream.
    /// `purges` says whether it calls CloudFront.
    #[must_use]
    pub const fn background(name: &'static str, work: Work, purges: bool) -> Self {
        let handler = Handler::Background { work, purges };
        Self { name, handler }
    }

    /// What it answers, and who may ask: the action, or each view. Assets are for everybody.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        match &self.handler {
            Handler::Action(route, _) => vec![*route],
            Handler::Views { routes, .. } => routes.iter().map(|view| view.route).collect(),
            Handler::Background { .. } => Vec::new(),
        }
    }

    /// Whether its events are not requests.
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

/// A function with what it needs to run.
pub struct Runner {
    function: Function,
    app: Arc<App>,
    /// Where the paths of views lead: the number of a route.
    router: Router<usize>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Runner").field(&self.function.name).finish()
    }
}

impl Runner {
    /// The function, served with `app`.
    ///
    /// # Panics
    /// If two views of the function have the same path: a bug that every start shows.
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

    /// Answers an event as Lambda passes it: JSON in, JSON out.
    pub async fn invoke(&self, payload: &[u8]) -> Vec<u8> {
        if self.function.is_background() {
            let event = serde_json::from_slice(payload).unwrap_or_default();
            // As Lambda tells a caller of an error.
            let answer = self.work(&event).await.unwrap_or_else(
                |error| json!({ "errorType": "Error", "errorMessage": error.to_string() }),
            );
            return answer.to_string().into_bytes();
        }
        let response = self.answer(payload).await.unwrap_or_else(|error| {
            let failure = Failure::unreadable(error.to_string());
            response::to_event(response::json(failure.status, &failure.json("")))
        });
        serde_json::to_vec(&response).unwrap_or_default()
    }

    /// Handles an event that is no request.
    ///
    /// # Errors
    /// If the event is of no known kind, or storage fails.
    pub(crate) async fn work(&self, event: &Value) -> Result<Value, crate::Error> {
        match self.function.handler {
            Handler::Background { work, .. } => work(&self.app, event).await,
            Handler::Action(..) | Handler::Views { .. } => {
                Err("this function takes requests".into())
            }
        }
    }

    /// Answers the JSON of a function URL's event. A panic is an answer too.
    ///
    /// # Errors
    /// If it is no event of a function URL.
    pub(crate) async fn answer(
        &self,
        payload: &[u8],
    ) -> Result<ApiGatewayV2httpResponse, EventError> {
        let started = Instant::now();
        let app = &self.app;
        let cold = app.is_cold_start();
        let mut note = Note {
            action: self.function.name,
            outcome: "OK",
            ..Note::default()
        };
        let request = request::from_event(payload, app.config.body_limit);
        let new_id = request::request_id(None);
        let (id, response) = match &request {
            Err(EventError::NoEvent) => return Err(EventError::NoEvent),
            Ok(request) => {
                let caught = AssertUnwindSafe(self.route(request, &mut note))
                    .catch_unwind()
                    .await;
                let response = caught.unwrap_or_else(|_| {
                    let failure = Failure::unknown("the wrapper panicked");
                    error_page::problem(app, request, &failure, None, &mut note)
                });
                let is_head = request.method() == Method::HEAD;
                (
                    request.id(),
                    response.finish(request.id(), app.config.https, is_head),
                )
            }
            Err(error) => {
                let failure = &Failure::unreadable(error.to_string());
                error_page::note_failure(failure, &mut note);
                let id = new_id.as_str();
                let response = response::json(failure.status, &failure.json(id));
                (id, response.finish(id, app.config.https, false))
            }
        };
        let status = response.status().as_u16();
        (app.config.log)(&note.line(id, status, started.elapsed(), cold));
        Ok(response::to_event(response))
    }

    async fn route(&self, request: &Request, note: &mut Note) -> Response {
        let (routes, assets) = match &self.function.handler {
            Handler::Action(_, run) => return run(&self.app, request, note).await,
            Handler::Views { routes, assets } => (*routes, assets()),
            Handler::Background { .. } => (&[][..], &[][..]),
        };
        let problem = |failure: Failure, note: &mut Note| {
            error_page::problem(&self.app, request, &failure, None, note)
        };
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if let Some(asset) = assets.iter().find(|asset| asset.path == request.path()) {
            return if reads {
                response::immutable(asset.content_type, asset.bytes)
            } else {
                problem(Failure::method_not_allowed(READING), note)
            };
        }
        let Ok(found) = self.router.at(request.path()) else {
            return problem(Failure::page_not_found(), note);
        };
        if !reads {
            return problem(Failure::method_not_allowed(READING), note);
        }
        let parameters = found.params.iter();
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (routes[*found.value].run)(&self.app, request, parameters.collect(), note).await
    }
}
