//! Mail that goes out once a commit has been made, as a value.

use serde::Serialize;
use std::collections::BTreeMap;

/// A letter with a link in it. Holds no secret: the link's token is sealed when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Whom to. To nobody it is committed like any other and then dropped, so that the time an
    /// action takes does not tell whether there was somebody to write to.
    pub to: Option<String>,
    /// Which template it is made from.
    pub template: &'static str,
    /// What the template is filled with.
    pub values: BTreeMap<&'static str, String>,
    /// The page that its link leads to.
    pub path: String,
    /// What the token in the link is good for: the purpose of [`Context::seal`](crate::Context::seal).
    pub purpose: &'static str,
    /// What the token says.
    pub token: String,
}
