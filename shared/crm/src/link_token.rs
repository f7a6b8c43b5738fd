//! The tokens of links in emails.

use action::input::trim;
use action::{Context, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The token of a link. Serialises and prints as `[redacted]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "The token of the link")]
pub struct LinkToken(#[schemars(with = "String", length(min = 1))] Secret);

impl From<&str> for LinkToken {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl LinkToken {
    /// The token, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        trim(self.0.reveal())
    }

    /// The token's content; `None` if we did not issue it for this purpose, or it was altered.
    pub(crate) fn content<C>(&self, context: &Context<C>, purpose: &str) -> Option<String> {
        context.open(purpose, self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let token = LinkToken::from("secret");
        assert_eq!(format!("{token:?}"), "LinkToken([redacted])");
        assert_eq!(serde_json::to_string(&token).unwrap(), "\"[redacted]\"");
    }
}
