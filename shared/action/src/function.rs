//! A function: one action, or some views, behind one function URL.

use crate::contract::{Action, Letters, View};
use crate::deliver;
use crate::drain::{self, DrainError};
use crate::event::{Event, Request};
use crate::log::Note;
use crate::{App, Failure, Reply, index, negotiate, perform, render, show};
use commit::{Access, Entity, Role};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

/// The methods of a view (RFC 9110, section 9.2.1).
const READING: &str = "GET, HEAD";

type Captures = BTreeMap<String, String>;
type Perform = for<'a> fn(&'a App, &'a Request, &'a mut Note) -> BoxFuture<'a, Reply>;
type Work = for<'a> fn(&'a App, &'a Value) -> BoxFuture<'a, Result<Value, DrainError>>;
type Show = for<'a> fn(&'a App, &'a Request, Captures, &'a mut Note) -> BoxFuture<'a, Reply>;

/// A file served under a path that names its content.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The path, with a hash of the content in it.
    pub path: &'static str,
    /// The content type.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}

/// One thing that a function does, and who may have it done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// `POST` of an action, `GET` of a view.
    pub method: &'static str,
    /// The path, with names in braces for what varies; of an action only the last segment.
    pub path: &'static str,
    /// The least role; `None` where nobody needs to be signed in.
    pub least: Option<Role>,
    /// What is asked of the caller besides; empty where that is nothing.
    pub rule: &'static str,
}

enum Handler {
    Action(Entry, Perform),
    Views {
        routes: Vec<(Entry, Show)>,
        assets: Vec<Asset>,
    },
    /// Takes no requests, but events of a schedule or of the table's stream. A pointer, so that no
    /// other function is built with what this one needs.
    Background {
        work: Work,
        /// Whether it may have the edge forget something.
        purges: bool,
    },
}

/// One Lambda function: takes events, gives answers.
pub struct Function {
    /// The name of the function, of its binary and of its route.
    pub name: &'static str,
    app: Arc<App>,
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
    pub fn action<A: Action>(app: Arc<App>) -> Self {
        let perform: Perform = |app, request, note| Box::pin(perform::run::<A>(app, request, note));
        let entry = Entry {
            method: "POST",
            path: A::NAME,
            least: A::Permission::LEAST,
            rule: A::RULE,
        };
        Self {
            name: A::NAME,
            app,
            handler: Handler::Action(entry, perform),
        }
    }

    /// The function that drains the outbox, on events of the table's stream and of a schedule.
    #[must_use]
    pub fn revalidate(app: Arc<App>) -> Self {
        let work: Work = |app, event| Box::pin(drain::handle(app, event));
        Self {
            name: "revalidate",
            app,
            handler: Handler::Background { work, purges: true },
        }
    }

    /// The function that sends the letters that `L` writes, on events of the table's stream and of
    /// a schedule.
    #[must_use]
    pub fn deliver_mail<L: Letters>(app: Arc<App>) -> Self {
        let work: Work = |app, event| Box::pin(deliver::handle::<L>(app, event));
        Self {
            name: "deliver-mail",
            app,
            handler: Handler::Background {
                work,
                purges: false,
            },
        }
    }

    /// The function that brings the search index of the entities `E` up to date, on events of a
    /// schedule.
    #[must_use]
    pub fn index_search<E: Entity + 'static>(app: Arc<App>) -> Self {
        let work: Work = |app, event| Box::pin(index::handle::<E>(app, event));
        Self {
            name: "index-search",
            app,
            handler: Handler::Background {
                work,
                purges: false,
            },
        }
    }

    /// A function that serves views; each is added by [`Function::view`].
    #[must_use]
    pub fn views(name: &'static str, app: Arc<App>) -> Self {
        Self {
            name,
            app,
            handler: Handler::Views {
                routes: Vec::new(),
                assets: Vec::new(),
            },
        }
    }

    /// The function with one more view. Of two that match a path, the one added first serves it.
    #[must_use]
    pub fn view<V: View>(mut self) -> Self {
        if let Handler::Views { routes, .. } = &mut self.handler {
            let show: Show = |app, request, captures, note| {
                Box::pin(show::run::<V>(app, request, captures, note))
            };
            let entry = Entry {
                method: "GET",
                path: V::PATH,
                least: V::Permission::LEAST,
                rule: V::RULE,
            };
            routes.push((entry, show));
        }
        self
    }

    /// The function with these files.
    #[must_use]
    pub fn assets(mut self, more: impl IntoIterator<Item = Asset>) -> Self {
        if let Handler::Views { assets, .. } = &mut self.handler {
            assets.extend(more);
        }
        self
    }

    /// What it does, and who may have it done: the action, or each view. Assets are for everybody.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        match &self.handler {
            Handler::Action(entry, _) => vec![*entry],
            Handler::Views { routes, .. } => routes.iter().map(|(entry, _)| *entry).collect(),
            Handler::Background { .. } => Vec::new(),
        }
    }

    /// Answers an event as Lambda passes it: JSON in, JSON out.
    pub async fn invoke(&self, payload: &[u8]) -> Vec<u8> {
        if self.takes_no_requests() {
            let event = serde_json::from_slice(payload).unwrap_or_default();
            // As Lambda tells a caller of an error.
            let answer = self.work(&event).await.unwrap_or_else(
                |error| json!({ "errorType": "Error", "errorMessage": error.to_string() }),
            );
            return answer.to_string().into_bytes();
        }
        let reply = match serde_json::from_slice(payload) {
            Ok(event) => self.handle(event).await,
            Err(_) => Reply::json(
                400,
                &Failure::unreadable("This is no function URL event").json(""),
            ),
        };
        serde_json::to_vec(&reply).unwrap_or_default()
    }

    /// Whether its events are not requests.
    pub(crate) fn takes_no_requests(&self) -> bool {
        matches!(self.handler, Handler::Background { .. })
    }

    /// Whether it may have the edge forget something.
    pub(crate) fn purges(&self) -> bool {
        match self.handler {
            Handler::Action(..) => true,
            Handler::Views { .. } => false,
            Handler::Background { purges, .. } => purges,
        }
    }

    /// Handles an event that is no request.
    ///
    /// # Errors
    /// Where the event is of no known kind, or storage fails.
    pub(crate) fn work<'a>(&'a self, event: &'a Value) -> BoxFuture<'a, Result<Value, DrainError>> {
        match &self.handler {
            Handler::Background { work, .. } => work(&self.app, event),
            Handler::Action(..) | Handler::Views { .. } => {
                Box::pin(std::future::ready(Err(DrainError::Event)))
            }
        }
    }

    /// Answers an event. A panic is an answer too.
    pub(crate) async fn handle(&self, event: Event) -> Reply {
        let started = Instant::now();
        let cold = self.app.is_cold_start();
        let request = Request::from(event);
        let mut note = Note {
            action: self.name,
            outcome: "OK",
            ..Note::default()
        };
        let caught = AssertUnwindSafe(self.route(&request, &mut note))
            .catch_unwind()
            .await;
        let reply = caught.unwrap_or_else(|_| {
            let failure = Failure::unknown("the wrapper panicked");
            render::problem(&self.app, &request, &failure, None, &mut note)
        });
        let reply = reply.finish(&request.id, self.app.config.https, request.method == "HEAD");
        (self.app.config.log)(&note.line(&request.id, &reply, started.elapsed(), cold));
        reply
    }

    async fn route(&self, request: &Request, note: &mut Note) -> Reply {
        let (routes, assets) = match &self.handler {
            Handler::Action(_, perform) => return perform(&self.app, request, note).await,
            Handler::Views { routes, assets } => (routes, assets),
            Handler::Background { .. } => (&Vec::new(), &Vec::new()),
        };
        let problem = |failure: Failure, note: &mut Note| {
            render::problem(&self.app, request, &failure, None, note)
        };
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        if let Some(asset) = assets.iter().find(|asset| asset.path == request.path) {
            return if reads {
                Reply::immutable(asset.content_type, asset.bytes)
            } else {
                problem(Failure::method_not_allowed(READING), note)
            };
        }
        let matching = routes
            .iter()
            .find_map(|(entry, show)| Some((captures(entry.path, &request.path)?, show)));
        match matching {
            Some((captures, show)) if reads => show(&self.app, request, captures, note).await,
            Some(_) => problem(Failure::method_not_allowed(READING), note),
            None => problem(Failure::page_not_found(), note),
        }
    }
}

impl Request {
    /// Whether the answer is JSON.
    pub(crate) fn wants_json(&self) -> bool {
        negotiate::wants_json(self.header("accept")) || crate::body::is_json(self)
    }
}

/// What the names in braces of `pattern` stand for in `path`; `None` where it does not match. A
/// name stands for one segment that is not empty.
fn captures(pattern: &str, path: &str) -> Option<Captures> {
    let mut captures = Captures::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(captures),
            (Some(wanted), Some(given)) => {
                match wanted
                    .strip_prefix('{')
                    .and_then(|name| name.strip_suffix('}'))
                {
                    Some(name) if !given.is_empty() => {
                        captures.insert(name.to_owned(), given.to_owned())
                    }
                    None if wanted == given => None,
                    _ => return None,
                };
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::captures;

    #[test]
    fn a_path_matches_segment_by_segment() {
        let found = captures("/t/{tenant}/contacts/{id}", "/t/acme/contacts/42").unwrap();
        assert_eq!(
            (found["tenant"].as_str(), found["id"].as_str()),
            ("acme", "42")
        );
        for path in [
            "/t/acme/contacts",
            "/t/acme/contacts/",
            "/t//contacts/42",
            "/t/acme/contacts/42/edit",
            "/x",
        ] {
            assert_eq!(captures("/t/{tenant}/contacts/{id}", path), None, "{path}");
        }
        assert!(captures("/", "/").is_some());
    }
}
