//! The sample events of `events/`, with real ids and tokens in their placeholders.

use crate::{Record, Table};
use auth::Keys;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use functions::registry::{Description, ViewDescription};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The functions that take requests, in the order of the registry. Each finds the records that
/// earlier ones made.
#[must_use]
pub fn order() -> Vec<&'static str> {
    let functions = functions::REGISTRY.iter().map(|entry| entry.function);
    functions
        .filter(|function| !function.is_background())
        .map(|function| function.name)
        .collect()
}

/// Every view.
fn views() -> impl Iterator<Item = ViewDescription> {
    let described = functions::REGISTRY.iter().map(|entry| (entry.describe)());
    described.flat_map(|description| match description {
        Description::Views(views) => views,
        _ => Vec::new(),
    })
}

/// The directory of the samples.
#[must_use]
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// What the placeholders of the next samples stand for.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// A live session's token.
    pub session: String,
    /// A contact's id.
    pub contact: String,
    /// A project's id.
    pub project: String,
    /// The id of another session of the same user.
    pub other: String,
    /// The token in the link of the latest email.
    pub token: String,
    /// The id of the invited member.
    pub member: String,
    /// The token in the link of that invitation.
    pub invitation: String,
}

impl Samples {
    /// The sample event of the function with this name.
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

    /// The path of a view, with the ids of the samples' records in it.
    ///
    /// # Panics
    /// If the view shows a kind of record that no sample makes.
    #[must_use]
    pub fn path(&self, pattern: &str) -> String {
        let path = pattern.replace("{tenant}", "acme");
        let kind = path.split('/').nth(3).unwrap_or_default();
        let id = match kind {
            "contacts" => &self.contact,
            "projects" => &self.project,
            "members" => &self.member,
            _ if path.contains("{id}") => panic!("say which record {pattern} is about"),
            _ => return path,
        };
        path.replace("{id}", id)
    }

    /// The query string of a view's sample.
    #[must_use]
    pub fn query(&self, pattern: &str) -> String {
        let view = views().find(|view| view.path == pattern);
        view.map_or_else(String::new, |view| self.filled(view.sample))
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{{session}}", &self.session)
            .replace("{{contact}}", &self.contact)
            .replace("{{project}}", &self.project)
            .replace("{{other}}", &self.other)
            .replace("{{token}}", &self.token)
            .replace("{{member}}", &self.member)
            .replace("{{invitation}}", &self.invitation)
    }

    /// Makes later samples use the link in the latest email, which is sealed with these keys.
    pub fn learn_email(&mut self, table: &Table, keys: &Keys) {
        if let Some(letter) = table.emails().last() {
            self.token = link_token(letter, keys);
        }
    }

    fn learn_session(&mut self, reply: &Value) {
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
    }

    /// Makes later samples use the session and the records that this response brought.
    pub fn learn(&mut self, reply: &Value) {
        let body = reply["body"].as_str().unwrap_or_default();
        if let Some((_, button)) = body.split_once("<button class=\"quiet is-danger\" name=\"id\"")
        {
            let id = button.split('"').nth(1).unwrap_or_default();
            id.clone_into(&mut self.other);
        }
        let answer: Value = serde_json::from_str(body).unwrap_or_default();
        let data = &answer["data"];
        // The user who accepts an invitation is another person. The samples stay signed in as
        // the first.
        if data.get("status").is_none() {
            self.learn_session(reply);
        }
        let id = data["id"].as_str().unwrap_or_default();
        if let Some((_, token)) = data["link"].as_str().and_then(|link| link.split_once('=')) {
            id.clone_into(&mut self.member);
            token.clone_into(&mut self.invitation);
        } else if data.get("archivedAt").is_some() {
            id.clone_into(&mut self.project);
        } else if data.get("ownerId").is_some() {
            id.clone_into(&mut self.contact);
        }
    }
}

/// The token in the link of an email, made as the mailer makes it.
#[must_use]
pub fn link_token(letter: &Record, keys: &Keys) -> String {
    let text = |name| letter.get(name).as_str().unwrap_or_default().to_owned();
    keys.seal(&format!("token {}", text("purpose")), &text("token"))
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
