//! Actions on a user's own account and sessions.

use super::{Watched, account};
use auth::{Keys, Token};
use edge_crm_tests::fault;
use edge_crm_tests::inside::{KEY, ORIGIN_SECRET, event};
use edge_crm_tests::samples::link_token;
use serde_json::{Value, json};
use wrapper::Runner;

impl Watched {
    /// The id of another session than the cookie's.
    fn session_but(&self, cookie: &str) -> Value {
        let keys = Keys::new(&KEY, None).expect("a strong key");
        let token = cookie.split_once('=').map_or("", |(_, token)| token);
        let own = Token::verify(token, &keys).expect("a token").secret.hash();
        let mut sessions = self.inside.table.under("#session:");
        sessions.retain(|session| session.sk != own);
        sessions.last().expect("another session").get("id")
    }

    /// Sends a form that is refused, and shown again on its page.
    pub(super) async fn refuse(&mut self, function: &Runner, cookie: &str) {
        self.age_session("admin");
        let path = format!("/actions/{}", function.name());
        let mut event = event("POST", &path, cookie, "idempotency_key=not+a+key");
        event["headers"]["x-crm-secret"] = json!(ORIGIN_SECRET);
        event["headers"]["accept"] = json!("text/html");
        event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
        let response = self.run(function, &event).await;
        let refused = matches!(response.status, 400 | 403);
        assert!(refused, "{response:?}");
        self.age_session("owner");
    }

    /// Sends a form while the table refuses transactions.
    async fn fail(&mut self, function: &Runner, cookie: &str, fields: Value) {
        let busy = fault::Faults {
            contention: 100,
            ..fault::Faults::default()
        };
        self.inside.proxy.make(busy);
        let response = self.post(function, cookie, fields).await;
        assert_eq!(response.status, 503, "{response:?}");
        self.inside.proxy.make(fault::Faults::default());
    }
}

/// The actions of the settings page: done, replayed, refused with the page. Returns the cookie of a
/// session that is still live.
pub(super) async fn settings(watched: &mut Watched, cookie: &str) -> String {
    let settings = watched.function("settings");
    for role in ["owner", "admin", "owner"] {
        watched.age_session(role);
        let response = watched.get(&settings, "/t/acme/settings", cookie).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
    let other = watched.function("sign-in");
    let other = watched.post(&other, "", account("correct horse")).await;
    let other = other.session();
    for (name, fields, status) in [
        ("update-profile", json!({ "name": "Ada L." }), 200),
        ("end-session", json!({ "id": "nobody's" }), 404),
        (
            "end-session",
            json!({ "id": watched.session_but(cookie) }),
            200,
        ),
        (
            "change-password",
            json!({ "currentPassword": "wrong", "newPassword": "horse correct" }),
            400,
        ),
        (
            "change-password",
            json!({ "currentPassword": "correct horse", "newPassword": "horse correct" }),
            200,
        ),
    ] {
        watched.mark("acme:members").await;
        let function = watched.function(name);
        watched.refuse(&function, cookie).await;
        let mut fields = fields;
        fields["idempotency_key"] = json!(format!("{name}-{status}"));
        for _ in 0..2 {
            let response = watched.post(&function, cookie, fields.clone()).await;
            assert_eq!(response.status, status, "{name}: {response:?}");
        }
    }
    let profile = watched.function("update-profile");
    watched.pending("acme:members");
    let response = watched
        .post(&profile, cookie, json!({ "name": "Ada L." }))
        .await;
    assert_eq!(response.status, 200, "{response:?}");
    watched
        .fail(&profile, cookie, json!({ "name": "Ada" }))
        .await;
    let switch = watched.function("switch-organization");
    watched.refuse(&switch, cookie).await;
    let response = watched
        .post(&switch, cookie, json!({ "tenant": "acme" }))
        .await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_ne!(other, response.session());
    response.session()
}

/// A password reset that ends all sessions. Returns the cookie of the new session.
pub(super) async fn forgotten(watched: &mut Watched) -> String {
    let request = watched.function("request-password-reset");
    let whose = json!({ "email": "ada@example.com", "idempotency_key": "forgotten" });
    for _ in 0..2 {
        let response = watched.post(&request, "", whose.clone()).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
    let other = json!({ "email": "nobody@example.com" });
    watched.fail(&request, "", other).await;
    let keys = Keys::new(&KEY, None).expect("a strong key");
    let letter = watched.inside.table.emails().pop().expect("an email");
    let fields = json!({
        "token": link_token(&letter, &keys), "password": "correct horse", "idempotency_key": "reset",
    });
    let reset = watched.function("reset-password");
    let response = watched.post(&reset, "", fields.clone()).await;
    assert_eq!(response.status, 200, "{response:?}");
    let cookie = response.session();
    assert_eq!(
        watched.post(&reset, &cookie, fields.clone()).await.status,
        200
    );
    let mut late = fields;
    late["idempotency_key"] = json!("late");
    watched.age_session("admin");
    assert_eq!(watched.post(&reset, &cookie, late).await.status, 400);
    watched.post(&request, &cookie, whose).await;
    watched.age_session("owner");

    let everywhere = watched.function("sign-out-everywhere");
    watched.refuse(&everywhere, &cookie).await;
    let response = watched.post(&everywhere, &cookie, json!({})).await;
    assert_eq!(response.status, 200, "{response:?}");
    let sign_in = watched.function("sign-in");
    watched
        .post(&sign_in, "", account("correct horse"))
        .await
        .session()
}
