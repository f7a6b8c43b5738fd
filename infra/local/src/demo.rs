//! Creates a demo organisation through the same actions that a browser calls.

use crate::edge::Edge;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{COOKIE, SET_COOKIE};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

/// The demo user's email.
pub const EMAIL: &str = "demo@example.com";

/// The demo user's password. It need not be secret: the local stack listens on this machine only.
pub const PASSWORD: &str = "correct horse battery staple";

const CONTACTS: &str = include_str!("../demo/contacts.json");

/// Why the demo organisation cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// An action failed. The text has its response.
    #[error("{action} responded with {status}: {body}")]
    Refused {
        /// The action's name.
        action: &'static str,
        /// The status code of its response.
        status: StatusCode,
        /// The body of its response.
        body: String,
    },
    /// The file of contacts is not a JSON array.
    #[error("demo/contacts.json: {0}")]
    Contacts(#[from] serde_json::Error),
    /// A request to an action cannot be built.
    #[error(transparent)]
    Request(#[from] hyper::http::Error),
}

/// Signs up the demo organisation and creates its contacts.
///
/// Every request has an idempotency key. So a second run within a day changes nothing, and completes
/// a run that was interrupted. After that day, the sign-up fails because the account exists. Then
/// nothing else is tried, and the user's changes and deletions are kept.
///
/// # Errors
/// [`DemoError`].
pub(crate) async fn seed(edge: &Edge) -> Result<(), DemoError> {
    let contacts: Vec<Value> = serde_json::from_str(CONTACTS)?;
    let account =
        json!({"name": "Dana Demo", "email": EMAIL, "password": PASSWORD, "organization": "Acme"});
    let signed_up = post(edge, "sign-up", "demo-sign-up", "", &account).await?;
    match signed_up.status() {
        StatusCode::OK => {}
        // The account exists: it was created more than a day ago, or its password was changed.
        StatusCode::CONFLICT | StatusCode::UNAUTHORIZED => return Ok(()),
        _ => return Err(failed("sign-up", signed_up).await),
    }
    let session = cookies(&signed_up);
    for (number, contact) in contacts.iter().enumerate() {
        let created = post(
            edge,
            "create-contact",
            &format!("demo-contact-{number}"),
            &session,
            contact,
        )
        .await?;
        if created.status() != StatusCode::OK {
            return Err(failed("create-contact", created).await);
        }
    }
    Ok(())
}

async fn post(
    edge: &Edge,
    action: &str,
    key: &str,
    session: &str,
    fields: &Value,
) -> Result<Response<Full<Bytes>>, DemoError> {
    let request = Request::post(format!("/actions/{action}"))
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", key)
        .header("Sec-Fetch-Site", "same-origin")
        .header(COOKIE, session)
        .body(Full::from(fields.to_string()))?;
    Ok(edge.respond(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await)
}

/// The cookies that a response sets, in the form of a request's `Cookie` header.
fn cookies(response: &Response<Full<Bytes>>) -> String {
    let set = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs: Vec<_> = set.filter_map(|cookie| cookie.split(';').next()).collect();
    pairs.join("; ")
}

async fn failed(action: &'static str, response: Response<Full<Bytes>>) -> DemoError {
    let status = response.status();
    let body = match response.into_body().collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        Err(never) => match never {},
    };
    DemoError::Refused {
        action,
        status,
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_demo_contacts_are_valid_and_distinct() {
        let contacts: Vec<Value> = serde_json::from_str(CONTACTS).unwrap();
        assert_eq!(contacts.len(), 25);
        let emails: BTreeSet<_> = contacts
            .iter()
            .map(|c| c["email"].as_str().unwrap().to_lowercase())
            .collect();
        assert_eq!(emails.len(), 25);
        for contact in &contacts {
            let length = |field: &str| contact[field].as_str().unwrap_or_default().chars().count();
            assert!((1..=100).contains(&length("name")), "{contact}");
            assert!(
                length("company") <= 100 && length("phone") <= 20 && length("notes") <= 500,
                "{contact}"
            );
        }
    }
}
