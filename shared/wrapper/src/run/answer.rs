//! The response to a successful or failed action.

use crate::http::request::RequestInfo;
use crate::http::response::{self, Response, ResponseExt};
use crate::log::LogEntry;
use crate::run::attempt::Cookies;
use crate::run::context_of;
use crate::run::revalidate::Revalidated;
use crate::session::{self, LiveSession};
use crate::{App, Failure, error_page, reads};
use action::{
    Access, Action, Actor, Context, Form, FormPage, FormState, Found, IdempotencyKey, Layout, Reads,
};
use http::HeaderName;
use lambda_http::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is known about a request so far, so that it can fail with a good response at any point.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The input without its secrets, once it has been parsed.
    pub(crate) values: Option<BTreeMap<String, String>>,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) layout: Option<Layout>,
    /// The context of the caller, once the session is known to be live.
    pub(crate) context: Option<Context<Actor>>,
    pub(crate) found: Found,
    pub(crate) cookie: Option<String>,
}

/// The result of a successful action.
pub(crate) struct Success<A: Action> {
    pub(crate) input: A::Input,
    /// The output, as it is saved for replays.
    pub(crate) data: Value,
    /// The output, as the response shows it.
    pub(crate) response_data: Value,
    /// What became of the tags before the response.
    pub(crate) revalidated: Revalidated,
    pub(crate) replayed: bool,
    pub(crate) cookies: Cookies,
    /// Whether the caller is signed out afterwards.
    pub(crate) signs_out: bool,
    /// The cookie with which the user sees the change at once: see [`fresh`](crate::session::fresh).
    pub(crate) fresh: Option<String>,
}

/// Parses an output as the action's own type.
pub(crate) fn output<A: Action>(data: &Value) -> Result<A::Output, Failure> {
    serde_json::from_value(data.clone())
        .map_err(|e| Failure::unknown(format!("a result cannot be read: {e}")))
}

impl<A: Form> Success<A> {
    /// The response to a successful action.
    pub(crate) fn into_response(
        self,
        request: &Request,
        progress: Progress,
        log_entry: &mut LogEntry,
    ) -> Response {
        log_entry.purged = self.revalidated.purged;
        log_entry.saved = self.revalidated.saved;
        let response = if request.wants_json() {
            let body = json!({ "ok": true, "data": self.response_data, "revalidated": self.revalidated.tags, "requestId": request.id() });
            response::json(200, &body)
        } else {
            match output::<A>(&self.data) {
                Ok(output) => response::see_other(&A::success_path(
                    progress.layout.as_ref(),
                    &self.input,
                    &output,
                )),
                Err(failure) => {
                    // The commit is written, so this is still a success.
                    log_entry.detail = failure.detail;
                    response::see_other("/")
                }
            }
        };
        let Cookies { session, device } = self.cookies;
        let cookies = [session, device, self.fresh];
        let mut response = cookies.into_iter().fold(response, ResponseExt::with_cookie);
        if self.signs_out {
            // Otherwise the next user of the browser could go back to the pages that it keeps.
            // https://www.w3.org/TR/clear-site-data/
            response = response.with(
                HeaderName::from_static("clear-site-data"),
                "\"cache\"".to_owned(),
            );
        }
        if self.replayed {
            response.with(
                HeaderName::from_static("idempotency-replayed"),
                "true".to_owned(),
            )
        } else {
            response
        }
    }
}

impl Progress {
    /// Notes what has become of the caller while the action ran: who may have another role now, or may no
    /// longer be signed in.
    pub(crate) fn set_caller(&mut self, app: &App, live: Option<&LiveSession>) {
        self.context = context_of(app, live);
        self.cookie = match live {
            Some(live) => live.renewal.clone().or(self.cookie.take()),
            None => Some(session::clear_cookie(&app.config)),
        };
        self.layout = self.layout.take().zip(live).map(|(layout, live)| Layout {
            role: live.actor.role,
            ..layout
        });
    }

    /// Reads what the page of a form needs, if the form will be shown again. If the caller must wait or
    /// storage fails, it reads nothing, and the page shows only the form.
    pub(crate) async fn read_form_page<A: Form>(
        &mut self,
        app: &App,
        request: &Request,
        failure: &Failure,
    ) {
        let is_shown = self.values.is_some() && !request.wants_json();
        let Some(context) = self.context.as_ref().filter(|_| is_shown) else {
            return;
        };
        if failure.status == 429 || failure.status >= 500 {
            return;
        }
        let mut form_page = Found::default();
        let more = |found: &Found| A::form_reads(context, found);
        match reads::read_more(&app.store, &Reads::none(), &mut form_page, more).await {
            Ok(()) => self.found.extend(form_page),
            Err(error) => tracing::warn!(%error, "what stands around a form could not be read"),
        }
    }

    /// The response to a failed action. If the form was parsed, it is shown again with its input.
    pub(crate) fn form_response<A: Form>(
        self,
        app: &App,
        request: &Request,
        failure: &Failure,
        log_entry: &mut LogEntry,
    ) -> Response {
        let Some(values) = self.values.filter(|_| !request.wants_json()) else {
            return error_page::error_response(
                app,
                request,
                failure,
                self.layout.as_ref(),
                log_entry,
            )
            .with_cookie(self.cookie);
        };
        error_page::log_failure(failure, log_entry);
        let signed_out =
            failure.status == 401 && A::Permission::LEAST.is_some() && self.layout.is_none();
        let used = self.key.filter(|_| failure.status != 422);
        let state = FormState {
            values,
            error: (failure.fields.is_empty() && !signed_out).then(|| failure.error.clone()),
            errors: failure.fields.clone(),
            key: used.map_or_else(new_idempotency_key, |key| key.as_str().to_owned()),
            current: failure.current.clone(),
            existing: failure.existing.clone(),
            signed_out,
        };
        let form = FormPage {
            layout: self.layout.as_ref(),
            state: &state,
            found: &self.found,
            context: self.context.as_ref(),
            key: new_idempotency_key(),
            tokens: &app.context((), 0),
        };
        let response = response::html(failure.status, A::form(&form)).with_cookie(self.cookie);
        response.with_hints(failure.retry_after, failure.allow)
    }
}

/// A new idempotency key.
pub(crate) fn new_idempotency_key() -> String {
    uuid::Uuid::new_v4().to_string()
}
