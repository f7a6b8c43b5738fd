//! Responses to failed requests: JSON or an error page.

use crate::http::request::RequestInfo;
use crate::http::response::{self, Response, ResponseExt};
use crate::http::trust::Trust;
use crate::log::LogEntry;
use crate::reads::RequestReads;
use crate::session::{self, SessionCookie};
use crate::{App, Failure};
use action::Layout;
use auth::Token;
use lambda_http::Request;

/// Writes the failure into the log entry.
pub(crate) fn log_failure(failure: &Failure, log_entry: &mut LogEntry) {
    log_entry.outcome = failure.code.as_str();
    log_entry.detail.clone_from(&failure.detail);
}

/// The response to a failure for which nothing of the caller has been read. If it is a page, the session is
/// read for it, so that a user who is signed in sees the navigation.
pub(crate) async fn response_to(
    app: &App,
    request: &Request,
    failure: &Failure,
    log_entry: &mut LogEntry,
) -> Response {
    let layout = match failure.status {
        _ if request.wants_json() => None,
        500.. => layout_of_token(app, request),
        _ => layout_of(app, request).await,
    };
    error_response(app, request, failure, layout.as_ref(), log_entry)
}

/// The layout of the pages of a request's user. `None` if no user is signed in, or if storage fails.
pub(crate) async fn layout_of(app: &App, request: &Request) -> Option<Layout> {
    let SessionCookie::Valid(token) = session::read_cookie(request, &app.config) else {
        return None;
    };
    Trust::establish(request, &app.config).ok()?;
    let reads = RequestReads {
        token: Some(&token),
        layout: true,
        ..RequestReads::default()
    };
    let now = jiff::Timestamp::now().as_second();
    match reads.load(app, now).await {
        Ok(loaded) => loaded.layout,
        Err(failure) => {
            tracing::warn!(detail = ?failure.detail, "a page is shown without its navigation");
            None
        }
    }
}

/// The layout as the session's token has it, for when storage does not say. The name of the organisation is
/// its slug then. Nothing depends on whether the session is still live: every link of the navigation checks it.
pub(crate) fn layout_of_token(app: &App, request: &Request) -> Option<Layout> {
    let SessionCookie::Valid(Token { actor, .. }) = session::read_cookie(request, &app.config)
    else {
        return None;
    };
    Some(Layout {
        organization: actor.tenant.to_string(),
        tenant: actor.tenant,
        role: actor.role,
    })
}

/// The response to a failure: JSON or an error page.
pub(crate) fn error_response(
    app: &App,
    request: &Request,
    failure: &Failure,
    layout: Option<&Layout>,
    log_entry: &mut LogEntry,
) -> Response {
    log_failure(failure, log_entry);
    let response = if request.wants_json() {
        response::json(failure.status, &failure.json(request.id()))
    } else {
        response::html(
            failure.status,
            (app.site.error_page)(layout, failure.status, &message(failure), request.id()),
        )
    };
    response.with_hints(failure.retry_after, failure.allow)
}

/// The message on the page. If fields are wrong, it is a line for each of them instead of "Invalid
/// input", because the page has no form that shows the messages.
fn message(failure: &Failure) -> String {
    if failure.fields.is_empty() {
        return failure.error.clone();
    }
    let line = |(name, message): (&String, &String)| format!("{name}: {message}");
    failure
        .fields
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}
