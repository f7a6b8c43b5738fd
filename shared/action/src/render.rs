//! Failures as answers: JSON, the form again, or a page that says what is wrong.

use crate::event::Request;
use crate::log::Note;
use crate::{App, Failure, Reply};
use commit::Chrome;

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
    chrome: Option<&Chrome>,
    note: &mut Note,
) -> Reply {
    note_failure(failure, note);
    let reply = if request.wants_json() {
        Reply::json(failure.status, &failure.json(&request.id))
    } else {
        Reply::html(
            failure.status,
            (app.problem)(chrome, failure.status, &message(failure), &request.id),
        )
    };
    headers(reply, failure)
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

/// The answer with the headers that the failure asks for.
pub(crate) fn headers(reply: Reply, failure: &Failure) -> Reply {
    let reply = match failure.retry_after {
        Some(seconds) => reply.header("retry-after", seconds.to_string()),
        None => reply,
    };
    match failure.allow {
        Some(methods) => reply.header("allow", methods),
        None => reply,
    }
}
