//! A signed-in user and the requests that they send.

use crate::drive::Requests;
use auth::{TOKEN_LIFETIME, Token};
use bytes::Bytes;
use edge_crm_tests::{Client, Product, now};
use http_body_util::Full;
use hyper::Request;
use hyper::http::request::Builder;
use uuid::Uuid;

/// A signed-in user.
pub struct Session {
    client: Client,
    keys: auth::Keys,
    origin: String,
}

impl Session {
    /// Signs up a new organisation. The user is its owner.
    pub async fn sign_up(product: &Product, organization: &str) -> Self {
        Self {
            client: product.sign_up(organization).await,
            keys: product.keys(),
            origin: product.url.clone(),
        }
    }

    /// The session cookie with a new token, which the edge accepts for two minutes.
    fn cookie(&self) -> String {
        let mut token = Token::verify(&self.client.token(), &self.keys).expect("a token");
        token.expires = now() + TOKEN_LIFETIME;
        format!("session={}", token.sign(&self.keys))
    }

    fn post(&self, cookie: &str, action: &str) -> Builder {
        Request::post(format!("/actions/{action}"))
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header("cookie", cookie)
    }

    /// Requests for views of the organisation's contacts. `rests` is what follows `/contacts`. If `fresh`,
    /// each request has its own cache key and therefore misses the cache.
    pub fn views(&self, rests: impl IntoIterator<Item = String>, fresh: bool) -> Requests {
        let cookie = self.cookie();
        let views = rests.into_iter().map(|rest| {
            let fresh =
                fresh.then(|| format!("; fresh={}", &Uuid::new_v4().simple().to_string()[..22]));
            let cookie = format!("{cookie}{}", fresh.unwrap_or_default());
            Request::get(self.client.contacts(&rest))
                .header("accept", "application/json")
                .header("cookie", cookie)
                .body(Full::default())
                .expect("a request")
        });
        views.collect()
    }

    /// Requests to an action, each with a form and an idempotency key.
    pub fn actions(&self, action: &str, forms: &[String], keys: &[String]) -> Requests {
        let cookie = self.cookie();
        let keyed = forms.iter().zip(keys).map(|(form, key)| {
            let request = self.post(&cookie, action).header("idempotency-key", key);
            with_body(request, form)
        });
        keyed.collect()
    }
}

/// A request with this form.
pub fn with_body(request: Builder, form: &str) -> Request<Full<Bytes>> {
    request
        .body(Full::from(form.to_owned()))
        .expect("a request")
}
