//! The page of the local stack that shows what was sent.

use crate::dates::moment;
use crate::layout::{PageFrame, render};
use askama::Template;
use jiff::Timestamp;

/// A letter that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentEmail {
    /// When.
    pub at: Timestamp,
    /// Whom from.
    pub from: String,
    /// Whom to.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The letter as plain text.
    pub plain: String,
    /// The letter as HTML.
    pub html: String,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage<'a> {
    frame: PageFrame<'a>,
    emails: &'a [SentEmail],
}

/// The page: the emails in the order given, as plain text whose links can be clicked.
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
    /// Whether the line is a link and nothing else.
    fn is_link(&self, line: &str) -> bool {
        let web = line.starts_with("http://") || line.starts_with("https://");
        web && line.bytes().all(|b| b.is_ascii_graphic())
    }
}
