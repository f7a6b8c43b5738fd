//! Emails that are sent after a commit.

use std::collections::BTreeMap;

/// An email with a link. It contains no secret: the link's token is sealed when the email is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailMessage {
    /// The recipient. `None` if no account has this address: the email is stored but never sent, so
    /// that the action's duration does not reveal whether the account exists.
    pub to: Option<String>,
    /// The name of its template.
    pub template: &'static str,
    /// The values for the template.
    pub values: BTreeMap<&'static str, String>,
    /// The page that its link leads to.
    pub path: String,
    /// The purpose that the link's token is sealed for: see [`Context::seal`](crate::Context::seal).
    pub purpose: &'static str,
    /// The text in the token; empty if the link has none.
    pub token: String,
}

impl EmailMessage {
    /// An email that tells something. Its link leads to the start page.
    #[must_use]
    pub fn notice<const N: usize>(
        to: &str,
        template: &'static str,
        values: [(&'static str, String); N],
    ) -> Self {
        Self {
            to: Some(to.to_owned()),
            template,
            values: BTreeMap::from(values),
            path: "/".to_owned(),
            purpose: "",
            token: String::new(),
        }
    }
}
