//! Failures as answers: JSON, the form again, or a page that says what is wrong.

use crate::http::request::Asked;
use crate::http::response::{self, Response, With};
use crate::log::Note;
use crate::{App, Failure};
use action::Layout;
use lambda_http::Request;

/// Notes the failure for the log.
pub(crate) fn note_failure(failure: &Failure, note: &mut Note) {
    note.outcome = failure.code.as_str();
    note.detail.clone_from(&failure.detail);
}

/// The failure in JSON, or as an error page.
pub(crate) fn problem(
    app: &App,
    request: &Request,
    failure: &Failure,
    layout: Option<&Layout>,
    note: &mut Note,
) -> Response {
    note_failure(failure, note);
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

/// What the page says: a line for each wrong field, since no form stands there to say it beside
/// the field. "Invalid input" adds nothing to that.
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
