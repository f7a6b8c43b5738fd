//! The last step: what a success or a failure looks like to the client.

use crate::http::request::RequestInfo;
use crate::http::response::{self, Response, ResponseExt};
use crate::log::LogEntry;
use crate::{App, Failure, error_page, reads};
use action::{
    Access, Action, Actor, Context, FormPage, FormState, Found, IdempotencyKey, Layout, Reads,
};
use http::HeaderName;
use lambda_http::Request;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is known so far, for an answer at any point.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The input without its secrets, once it has been parsed.
    pub(crate) values: Option<BTreeMap<String, String>>,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) layout: Option<Layout>,
    /// Who asks, in which session, once that is known to be live.
    pub(crate) context: Option<Context<Actor>>,
    pub(crate) found: Found,
    pub(crate) cookie: Option<String>,
}

/// What an action came to.
pub(crate) struct Success<A: Action> {
    pub(crate) input: A::Input,
    /// The output as it was saved.
    pub(crate) data: Value,
    /// What is answered of it.
    pub(crate) response_data: Value,
    /// The tags under which nothing from before is cached any more, or will not be in seconds.
    pub(crate) revalidated: Vec<String>,
    pub(crate) replayed: bool,
    /// The session's cookie, where it changes.
    pub(crate) cookie: Option<String>,
    /// Whether nobody is signed in after it.
    pub(crate) signs_out: bool,
    /// The cookie by which the writer sees the change at once.
    pub(crate) fresh: Option<String>,
}

/// A saved or fresh result as the action's own type.
pub(crate) fn output<A: Action>(data: &Value) -> Result<A::Output, Failure> {
    serde_json::from_value(data.clone())
        .map_err(|e| Failure::unknown(format!("a result cannot be read: {e}")))
}

impl<A: Action> Success<A> {
    /// Step 9: the answer to success.
    pub(crate) fn into_response(
        self,
        request: &Request,
        progress: Progress,
        log_entry: &mut LogEntry,
    ) -> Response {
        let response = if request.wants_json() {
            let body = json!({ "ok": true, "data": self.response_data, "revalidated": self.revalidated, "requestId": request.id() });
            response::json(200, &body)
        } else {
            match output::<A>(&self.data) {
                Ok(output) => response::see_other(&A::success_path(
                    progress.layout.as_ref(),
                    &self.input,
                    &output,
                )),
                Err(failure) => {
                    // The commit is made, so this is still a success.
                    log_entry.detail = failure.detail;
                    response::see_other("/")
                }
            }
        };
        let mut response = response.with_cookie(self.cookie).with_cookie(self.fresh);
        if self.signs_out {
            // Or the pages that the browser keeps for going back would show to whoever comes next.
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
    /// Reads what stands form_page a form that will be shown again. Not where the caller is to wait
    /// or storage is in trouble: the form stands alone then.
    pub(crate) async fn read_form_page<A: Action>(
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
            Err(error) => tracing::warn!(%error, "what stands form_page a form could not be read"),
        }
    }

    /// Step 9: the answer to failure. Where the form was read, it comes back with all it held.
    pub(crate) fn form_response<A: Action>(
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
        let signed_out = failure.status == 401 && A::Permission::LEAST.is_some();
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

/// A key that nobody has used.
pub(crate) fn new_idempotency_key() -> String {
    uuid::Uuid::new_v4().to_string()
}
