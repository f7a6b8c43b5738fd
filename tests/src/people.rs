//! Members of one organisation, made through the product itself.

use crate::inside::ORIGIN;
use crate::world::{Person, Response, World};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use std::time::Duration;

/// The password of every account that is made here.
pub const PASSWORD: &str = "correct horse";

impl Person {
    /// The id of the signed-in user.
    #[must_use]
    pub fn user(&self) -> String {
        let user = self.session.split('.').nth(3);
        user.unwrap_or_default().to_owned()
    }
}

/// An email address that is not taken.
#[must_use]
pub fn email() -> String {
    format!("{}@example.com", uuid::Uuid::new_v4())
}

/// The token in an email's link.
#[must_use]
pub fn token(link: &str) -> String {
    let (_, token) = link.split_once("?token=").expect("a link");
    token.to_owned()
}

impl World {
    /// Invites a member. Returns the `data` of the response.
    pub async fn invite(&self, by: &Person, email: &str, role: &str) -> Value {
        let fields = json!({ "email": email, "role": role });
        let answer = self.act(by, "invite-member", &fields).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["data"].clone()
    }

    /// Invites a member. Returns the token of the invitation's link.
    pub async fn invitation(&self, by: &Person, email: &str, role: &str) -> String {
        let data = self.invite(by, email, role).await;
        token(data["link"].as_str().expect("a link"))
    }

    /// Accepts an invitation.
    pub async fn accept(&self, by: &Person, token: &str, password: &str) -> Response {
        let fields = json!({ "token": token, "name": "Mia Member", "password": password });
        self.act(by, "accept-invite", &fields).await
    }

    /// Invites a member and accepts the invitation. Returns the new member, signed in, and their email.
    pub async fn joined(&self, by: &Person, role: &str) -> (Person, String) {
        let email = email();
        let token = self.invitation(by, &email, role).await;
        let answer = self.accept(&Person::default(), &token, PASSWORD).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut person = Person {
            tenant: by.tenant.clone(),
            ..Person::default()
        };
        person.learn(&answer);
        (person, email)
    }

    /// Signs in. Returns the response.
    pub async fn sign_in(&self, email: &str, password: &str) -> Response {
        let fields = json!({ "email": email, "password": password });
        self.act(&Person::default(), "sign-in", &fields).await
    }

    /// Submits a form as a browser without scripts does.
    pub async fn submit(&self, person: &Person, action: &str, form: &[(&str, &str)]) -> Response {
        let mut body = String::new();
        for (name, value) in form {
            let value: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
            body += &format!("&{name}={value}");
        }
        let request = Request::post(format!("/actions/{action}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .header("cookie", person.cookies())
            .body(Full::new(Bytes::from(
                body.trim_start_matches('&').to_owned(),
            )))
            .expect("a request");
        self.send(request).await
    }

    /// Waits until no email is left to send.
    pub async fn delivered(&self, patience: Duration) {
        let late = tokio::time::Instant::now() + patience;
        while !self.table.under("#mail:").is_empty() {
            assert!(
                tokio::time::Instant::now() < late,
                "some email was never sent"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A stored member. Null if there is none.
    #[must_use]
    pub fn member(&self, tenant: &str, id: &str) -> Value {
        let members = self.table.under(&format!("{tenant}:members"));
        let found = members.into_iter().find(|record| record.sk == id);
        found.map_or(Value::Null, |record| Value::Object(record.item()))
    }

    /// The id of the member who holds an email's guard. Null if the guard is free.
    #[must_use]
    pub fn guard(&self, tenant: &str, email: &str) -> Value {
        let name = format!("#guard:{tenant}:members:email:{email}");
        let guards = self.table.under(&name);
        guards
            .first()
            .map_or(Value::Null, |guard| guard.get("owner"))
    }

    /// The stored account of an email. Null if there is none.
    #[must_use]
    pub fn account(&self, email: &str) -> Value {
        let accounts = self.table.under(&format!("#account:{email}"));
        accounts
            .first()
            .map_or(Value::Null, |account| Value::Object(account.item()))
    }
}
