//! The last step: what a success or a failure looks like to the client.

use crate::contract::{Action, FormPage};
use crate::event::Request;
use crate::log::Note;
use crate::{App, Failure, Reply, gather, render};
use commit::{Access, Actor, Chrome, Context, FormState, Found, IdempotencyKey, Reads};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is known so far, for an answer at any point.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The input without its secrets, once it has been parsed.
    pub(crate) values: Option<BTreeMap<String, String>>,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) chrome: Option<Chrome>,
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

impl<A: Action> Done<A> {
    /// Step 9: the answer to success.
    pub(crate) fn reply(self, request: &Request, progress: Progress, note: &mut Note) -> Reply {
        let reply = if request.wants_json() {
            let body = json!({ "ok": true, "data": self.answer, "revalidated": self.revalidated, "requestId": request.id });
            Reply::json(200, &body)
        } else {
            match output::<A>(&self.data) {
                Ok(output) => {
                    Reply::see_other(&A::next(progress.chrome.as_ref(), &self.input, &output))
                }
                Err(failure) => {
                    // The commit is made, so this is still a success.
                    note.detail = failure.detail;
                    Reply::see_other("/")
                }
            }
        };
        let mut reply = reply.cookie(self.cookie).cookie(self.fresh);
        if self.signs_out {
            // Or the pages that the browser keeps for going back would show to whoever comes next.
            // https://www.w3.org/TR/clear-site-data/
            reply = reply.header("clear-site-data", "\"cache\"");
        }
        if self.replayed {
            reply.header("idempotency-replayed", "true")
        } else {
            reply
        }
    }
}

impl Progress {
    /// Reads what stands around a form that will be shown again. Not where the caller is to wait
    /// or storage is in trouble: the form stands alone then.
    pub(crate) async fn look_around<A: Action>(
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
        let more = |found: &Found| A::around(context, found);
        match gather::read_more(&app.store, &Reads::none(), &mut around, more).await {
            Ok(()) => self.found.extend(around),
            Err(error) => tracing::warn!(%error, "what stands around a form could not be read"),
        }
    }

    /// Step 9: the answer to failure. Where the form was read, it comes back with all it held.
    pub(crate) fn refuse<A: Action>(
        self,
        app: &App,
        request: &Request,
        failure: &Failure,
        note: &mut Note,
    ) -> Reply {
        let Some(values) = self.values.filter(|_| !request.wants_json()) else {
            return render::problem(app, request, failure, self.chrome.as_ref(), note)
                .cookie(self.cookie);
        };
        render::note_failure(failure, note);
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
            chrome: self.chrome.as_ref(),
            state: &state,
            found: &self.found,
            context: self.context.as_ref(),
            key: fresh_key(),
            tokens: &app.context((), 0),
        };
        let reply = Reply::html(failure.status, A::form(&form)).cookie(self.cookie);
        render::headers(reply, failure)
    }
}

/// A key that nobody has used.
pub(crate) fn fresh_key() -> String {
    uuid::Uuid::new_v4().to_string()
}
