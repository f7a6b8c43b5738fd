//! The error page.

use crate::layout::{PageFrame, render};
use action::Layout;
use askama::Template;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: PageFrame<'a>,
    heading: &'static str,
    messages: Vec<&'a str>,
    status: u16,
    request_id: &'a str,
}

impl ProblemPage<'_> {
    /// Whether the same request may succeed later.
    fn is_temporary(&self) -> bool {
        self.status == 429 || self.status >= 500
    }
}

/// The page for a request that failed, with links that lead on. Each line of the message becomes a
/// paragraph. If the fault is ours (5xx), the page shows the request id, by which an operator finds
/// the log line. Not cacheable.
#[must_use]
pub fn problem(layout: Option<&Layout>, status: u16, message: &str, request_id: &str) -> String {
    let heading = match status {
        401 if layout.is_none() => "Please sign in",
        401 => "This page is out of date",
        403 => "This is not open to you",
        404 => "Page not found",
        405 => "This can't be done here",
        429 => "One moment, please",
        502..=504 => "Temporarily unavailable",
        500.. => "Something went wrong",
        _ => "This request can't be read",
    };
    render(&ProblemPage {
        frame: PageFrame::new(heading, layout),
        heading,
        // The heading already shows this line.
        messages: message.lines().filter(|line| *line != heading).collect(),
        status,
        request_id,
    })
}
