//! The last step: what a success or a failure looks like to the client.

use crate::http::request::Asked;
use crate::http::response::{self, Response, With};
use crate::log::Note;
use crate::{App, Failure, error_page, reads};
use action::{
    Access, Action, Actor, Context, Form, FormPage, FormState, Found, IdempotencyKey, Layout, Reads,
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
pub(crate) struct Done<A: Action> {
    pub(crate) input: A::Input,
    /// The output as it was saved.
    pub(crate) data: Value,
    /// What is answered of it.
    pub(crate) answer: Value,
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

impl<A: Form> Done<A> {
    /// Step 9: the answer to success.
    pub(crate) fn reply(self, request: &Request, progress: Progress, note: &mut Note) -> Response {
        let reply = if request.wants_json() {
            let body = json!({ "ok": true, "data": self.answer, "revalidated": self.revalidated, "requestId": request.id() });
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
                    note.detail = failure.detail;
                    response::see_other("/")
                }
            }
        };
        let mut reply = reply.with_cookie(self.cookie).with_cookie(self.fresh);
        if self.signs_out {
            // Or the pages that the browser keeps for going back would show to whoever comes next.
            // https://www.w3.org/TR/clear-site-data/
            reply = reply.with(
                HeaderName::from_static("clear-site-data"),
                "\"cache\"".to_owned(),
            );
        }
        if self.replayed {
            reply.with(
                HeaderName::from_static("idempotency-replayed"),
                "true".to_owned(),
            )
        } else {
            reply
        }
    }
}

impl Progress {
    /// Reads what stands around a form that will be shown again. Not where the caller is to wait
    /// or storage is in trouble: the form stands alone then.
    pub(crate) async fn look_around<A: Form>(
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
        let mut around = Found::default();
        let more = |found: &Found| A::form_reads(context, found);
        match reads::read_more(&app.store, &Reads::none(), &mut around, more).await {
            Ok(()) => self.found.extend(around),
            Err(error) => tracing::warn!(%error, "what stands around a form could not be read"),
        }
    }

    /// Step 9: the answer to failure. Where the form was read, it comes back with all it held.
    pub(crate) fn refuse<A: Form>(
        self,
        app: &App,
        request: &Request,
        failure: &Failure,
        note: &mut Note,
    ) -> Response {
        let Some(values) = self.values.filter(|_| !request.wants_json()) else {
            return error_page::problem(app, request, failure, self.layout.as_ref(), note)
                .with_cookie(self.cookie);
        };
        error_page::note_failure(failure, note);
        let signed_out = failure.status == 401 && A::Permission::LEAST.is_some();
        let used = self.key.filter(|_| failure.status != 422);
        let state = FormState {
            values,
            error: (failure.fields.is_empty() && !signed_out).then(|| failure.error.clone()),
            errors: failure.fields.clone(),
            key: used.map_or_else(fresh_key, |key| key.as_str().to_owned()),
            current: failure.current.clone(),
            existing: failure.existing.clone(),
            signed_out,
        };
        let form = FormPage {
            layout: self.layout.as_ref(),
            state: &state,
            found: &self.found,
            context: self.context.as_ref(),
            key: fresh_key(),
            tokens: &app.context((), 0),
        };
        let reply = response::html(failure.status, A::form(&form)).with_cookie(self.cookie);
        reply.with_hints(failure.retry_after, failure.allow)
    }
}

/// A key that nobody has used.
pub(crate) fn fresh_key() -> String {
    uuid::Uuid::new_v4().to_string()
}
