//! An organisation to look around in, made through the same actions that a user's browser calls.

use crate::edge::Edge;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{COOKIE, SET_COOKIE};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

/// The demo user's email.
pub const EMAIL: &str = "demo@example.com";

/// The demo user's password. It guards nothing: the local stack listens on this machine only.
pub const PASSWORD: &str = "correct horse battery staple";

const CONTACTS: &str = include_str!("../demo/contacts.json");

/// Why there is no demo organisation.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// An action refused; the text says which and how.
    #[error("{action} answered {status}: {body}")]
    Refused {
        /// The action's name.
        action: &'static str,
        /// The status of its answer.
        status: StatusCode,
        /// Its answer.
        body: String,
    },
    /// The list of contacts is no list.
    #[error("demo/contacts.json: {0}")]
    Contacts(#[from] serde_json::Error),
    /// A request cannot be built.
    #[error(transparent)]
    Request(#[from] hyper::http::Error),
}

/// Signs the demo organisation up and creates its contacts.
///
/// Every request has an idempotency key, so that a second seeding within a day changes nothing
/// and completes one that broke off. Later, the sign-up finds the account there, and nothing else
/// is tried: what the user has changed or deleted meanwhile stays so.
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
        // The account is there: made more than a day ago, or with another password by now.
        StatusCode::CONFLICT | StatusCode::UNAUTHORIZED => return Ok(()),
        _ => return Err(refused("sign-up", signed_up).await),
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
            return Err(refused("create-contact", created).await);
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
    Ok(edge.answer(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await)
}

/// The cookies that an answer sets, as a request sends them back.
fn cookies(response: &Response<Full<Bytes>>) -> String {
    let set = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs: Vec<_> = set.filter_map(|cookie| cookie.split(';').next()).collect();
    pairs.join("; ")
}

async fn refused(action: &'static str, response: Response<Full<Bytes>>) -> DemoError {
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
