//! The sample events of `events/`, with something alive in the places kept for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The functions that answer requests, in an order in which each finds what it needs.
pub const ORDER: [&str; 14] = [
    "sign-up",
    "sign-in",
    "create-contact",
    "list-contacts",
    "get-contact",
    "update-contact",
    "pages",
    "delete-contact",
    "invite-member",
    "list-members",
    "change-role",
    "sign-out",
    "accept-invite",
    "remove-member",
];

/// Where the samples are.
#[must_use]
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// What the next samples are about.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// A live session's token.
    pub session: String,
    /// A contact's id.
    pub contact: String,
    /// The id of somebody who is invited.
    pub member: String,
    /// The token in the link that invites them.
    pub invitation: String,
}

impl Samples {
    /// The event of that function.
    #[must_use]
    pub fn event(&self, name: &str) -> Value {
        let path = directory().join(format!("{name}.json"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut event: Value = serde_json::from_str(&self.filled(&text)).expect("JSON");
        if event["isBase64Encoded"] == true {
            let body = self.filled(&body(&event));
            event["body"] = json!(STANDARD.encode(body));
        }
        event
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{{session}}", &self.session)
            .replace("{{contact}}", &self.contact)
            .replace("{{member}}", &self.member)
            .replace("{{invitation}}", &self.invitation)
    }

    /// Later samples use what earlier ones made.
    pub fn learn(&mut self, reply: &Value) {
        let cookies = reply["cookies"].as_array().into_iter().flatten();
        let token = cookies
            .filter_map(|cookie| {
                let (name, rest) = cookie.as_str()?.split_once('=')?;
                name.ends_with("session").then_some(rest.split(';').next()?)
            })
            .find(|token| !token.is_empty());
        if let Some(token) = token {
            token.clone_into(&mut self.session);
        }
        let answer: Value = reply["body"]
            .as_str()
            .and_then(|body| serde_json::from_str(body).ok())
            .unwrap_or_default();
        let data = &answer["data"];
        let id = data["id"].as_str().unwrap_or_default();
        if let Some((_, token)) = data["link"].as_str().and_then(|link| link.split_once('=')) {
            id.clone_into(&mut self.member);
            token.clone_into(&mut self.invitation);
        } else if !id.is_empty() {
            id.clone_into(&mut self.contact);
        }
    }
}

/// An event's body, decoded.
#[must_use]
pub fn body(event: &Value) -> String {
    let text = event["body"].as_str().unwrap_or_default();
    if event["isBase64Encoded"] != true {
        return text.to_owned();
    }
    let bytes = STANDARD.decode(text).expect("base64");
    String::from_utf8(bytes).expect("UTF-8")
}
