//! The mailbox page of the local stack: it shows the emails that were sent.

use crate::dates::moment;
use crate::layout::{PageFrame, render};
use askama::Template;
use jiff::Timestamp;

/// An email that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentEmail {
    /// When it was sent.
    pub at: Timestamp,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub plain: String,
    /// The body as HTML.
    pub html: String,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage<'a> {
    frame: PageFrame<'a>,
    emails: &'a [SentEmail],
}

/// The page: the emails in the given order, as plain text with links that can be clicked.
#[must_use]
pub fn mailbox(emails: &[SentEmail]) -> String {
    render(&MailboxPage {
        frame: PageFrame::new("Mailbox", None),
        emails,
    })
}

impl SentEmail {
    fn when(&self) -> String {
        moment(self.at)
    }
}

impl MailboxPage<'_> {
    /// Whether the line is a URL and nothing else.
    fn is_link(&self, line: &str) -> bool {
        let web = line.starts_with("http://") || line.starts_with("https://");
        web && line.bytes().all(|b| b.is_ascii_graphic())
    }
}
