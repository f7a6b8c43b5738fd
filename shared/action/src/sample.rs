//! An example of what an action is sent.

use serde_json::Value;

/// A request that an action accepts. `events/`, the example in `docs/openapi.json` and the tests
/// that run every action are made from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The fields. A text may hold a placeholder, which the tests fill in: `{{contact}}`,
    /// `{{project}}` or `{{member}}` for the id of a record, `{{other}}` for that of another
    /// session, `{{token}}` and `{{invitation}}` for the token of a link in an email.
    pub fields: Value,
    /// How they are sent.
    pub encoding: Encoding,
    /// Whether they are sent by a signed-in user.
    pub signed_in: bool,
}

/// How the fields of a sample are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As JSON, by a script.
    Json,
    /// As `application/x-www-form-urlencoded`, by a form without a script.
    Form,
}

impl Sample {
    /// What a script sends, as JSON.
    #[must_use]
    pub fn json(fields: Value) -> Self {
        Self {
            fields,
            encoding: Encoding::Json,
            signed_in: true,
        }
    }

    /// What a form sends.
    #[must_use]
    pub fn form(fields: Value) -> Self {
        Self {
            encoding: Encoding::Form,
            ..Self::json(fields)
        }
    }

    /// The same, sent by a user who is not signed in.
    #[must_use]
    pub fn signed_out(mut self) -> Self {
        self.signed_in = false;
        self
    }
}
