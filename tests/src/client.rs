//! An HTTP client of the product, which sends requests as a browser or a program does.

use crate::{Answer, Product};
use reqwest::cookie::{CookieStore, Jar};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Url};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The password of every account that [`Product::sign_up`] makes.
const PASSWORD: &str = "correct horse battery";

/// A client with its own cookies. It does not follow redirects.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    jar: Arc<Jar>,
    base: Url,
    /// The organisation that the client is signed in to. Empty if it is signed out.
    pub tenant: String,
    /// The email of the client's account.
    pub email: String,
    /// The id of the signed-in user.
    pub user: String,
}

impl Product {
    /// A client that is not signed in.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// A client that sends this session token, valid or not.
    #[must_use]
    pub fn client_with(&self, token: &str, tenant: &str) -> Client {
        let mut client = self.client();
        client.set_cookie("session", token);
        client.tenant = tenant.to_owned();
        client
    }

    /// Signs up a new organisation. The client is signed in as its owner.
    pub async fn sign_up(&self, organization: &str) -> Client {
        let email = format!("owner-{}@example.com", uuid::Uuid::new_v4().simple());
        let fields = [
            ("name", "Olive Owner"),
            ("email", &email),
            ("password", PASSWORD),
            ("organization", organization),
        ];
        self.client().enter("sign-up", &fields).await
    }

    /// Signs in to an existing account.
    pub async fn sign_in(&self, email: &str, password: &str) -> Client {
        let fields = [("email", email), ("password", password)];
        self.client().enter("sign-in", &fields).await
    }
}

impl Client {
    /// The password of every account that [`Product::sign_up`] makes.
    pub const PASSWORD: &'static str = PASSWORD;

    /// A client of the product at `base` that is not signed in.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let jar = Arc::new(Jar::default());
        let http = reqwest::Client::builder()
            .cookie_provider(Arc::clone(&jar))
            .redirect(Policy::none())
            .timeout(Duration::from_secs(120))
            .no_proxy()
            .build()
            .expect("an HTTP client");
        let base = base.parse().expect("a URL");
        Self {
            http,
            jar,
            base,
            tenant: String::new(),
            email: String::new(),
            user: String::new(),
        }
    }

    async fn enter(mut self, action: &str, fields: &[(&str, &str)]) -> Self {
        let data = self.post(action, fields).await.data();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.tenant = text(&data["tenant"]);
        self.user = text(&data["user"]["id"]);
        self.email = text(&data["user"]["email"]);
        self
    }

    /// The origin of the product's pages.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// The session token among the cookies. Empty if there is none.
    #[must_use]
    pub fn token(&self) -> String {
        self.cookie("session")
    }

    /// Sets a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let cookie = format!("{name}={value}");
        self.jar.add_cookie_str(&cookie, &self.base);
    }

    /// The value of a cookie. Empty if there is none.
    #[must_use]
    pub fn cookie(&self, name: &str) -> String {
        let header = self.jar.cookies(&self.base);
        let cookies = header
            .as_ref()
            .and_then(|header| header.to_str().ok())
            .unwrap_or_default();
        let own = cookies
            .split("; ")
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value));
        own.unwrap_or_default().to_owned()
    }

    /// A request with only the cookies. `path` begins with a slash.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, self.base.join(path).expect("a path"))
    }

    /// A request for JSON with the headers that a page of the product sends.
    pub fn own(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .header("accept", "application/json")
            .header("origin", self.origin())
            .header("sec-fetch-site", "same-origin")
    }

    /// A request that runs an action. It has no body yet.
    pub fn action(&self, action: &str) -> RequestBuilder {
        self.own(Method::POST, &format!("/actions/{action}"))
    }

    /// Runs an action without an idempotency key.
    pub async fn post(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_form(action, fields, None).await
    }

    /// Runs an action.
    pub async fn post_form(
        &self,
        action: &str,
        fields: &[(&str, &str)],
        key: Option<&str>,
    ) -> Answer {
        let mut request = self.action(action).form(fields);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        send(request).await
    }

    /// Submits a form as a browser without scripts does: it asks for HTML.
    pub async fn submit(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self
            .request(Method::POST, &format!("/actions/{action}"))
            .header(
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            )
            .header("origin", self.origin())
            .header("sec-fetch-site", "same-origin");
        send(request.form(fields)).await
    }

    /// Gets a view as JSON.
    pub async fn get(&self, path: &str) -> Answer {
        send(
            self.request(Method::GET, path)
                .header("accept", "application/json"),
        )
        .await
    }

    /// Gets a view as a page.
    pub async fn page(&self, path: &str) -> Answer {
        send(
            self.request(Method::GET, path)
                .header("accept", "text/html"),
        )
        .await
    }

    /// The path of the organisation's contact list, followed by `rest`.
    #[must_use]
    pub fn contacts(&self, rest: &str) -> String {
        format!("/t/{}/contacts{rest}", self.tenant)
    }

    /// Adds a contact.
    pub async fn create(&self, name: &str, email: &str) -> Value {
        let answer = self
            .post("create-contact", &[("name", name), ("email", email)])
            .await;
        answer.data()
    }

    /// Saves a contact's name and email as an edit of this version.
    pub async fn update(&self, contact: &Value, version: &str, name: &str, email: &str) -> Answer {
        let fields = [
            ("id", contact["id"].as_str().unwrap_or_default()),
            ("version", version),
            ("name", name),
            ("email", email),
        ];
        self.post("update-contact", &fields).await
    }

    /// Moves a contact to the trash.
    pub async fn delete(&self, contact: &Value) -> Answer {
        let id = contact["id"].as_str().unwrap_or_default();
        self.post("delete-contact", &[("id", id)]).await
    }

    /// Reads every page of the contact list for `q`. Returns the contacts, newest first.
    pub async fn all(&self, q: &str) -> Vec<Value> {
        let mut contacts = Vec::new();
        let mut after = Value::Null;
        loop {
            let mut url = self.base.join(&self.contacts("")).expect("a path");
            url.query_pairs_mut().append_pair("q", q);
            if let Some(after) = after.as_str() {
                url.query_pairs_mut().append_pair("after", after);
            }
            let mut page = send(self.http.get(url).header("accept", "application/json"))
                .await
                .data();
            let Value::Array(shown) = page["contacts"].take() else {
                panic!("not a list: {page}")
            };
            contacts.extend(shown);
            after = page["next"].take();
            if after.is_null() {
                return contacts;
            }
        }
    }
}

/// Sends the request and reads the response.
async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("a response");
    Answer::read(response).await.expect("a whole response")
}

/// Sends a request that a test has built.
pub trait Exchange {
    /// Sends the request and reads the response.
    fn answer(self) -> impl Future<Output = Answer>;
}

impl Exchange for RequestBuilder {
    async fn answer(self) -> Answer {
        send(self).await
    }
}
