//! Actions on a user's email, account and organisations.

use super::Watched;
use auth::Keys;
use edge_crm_tests::inside::KEY;
use edge_crm_tests::samples::link_token;
use serde_json::{Value, json};

/// The token in the latest email.
fn latest_token(watched: &Watched) -> String {
    let keys = Keys::new(&KEY, None).expect("a strong key");
    let letters = watched.inside.table.emails();
    link_token(letters.last().expect("an email"), &keys)
}

/// Runs an action twice with the same key. Returns the first response's data and cookie.
async fn twice(
    watched: &mut Watched,
    name: &str,
    cookie: &str,
    fields: &Value,
    status: u64,
) -> String {
    watched.mark("acme:members").await;
    let function = watched.function(name);
    watched.refuse(&function, cookie).await;
    let mut fields = fields.clone();
    watched.keys += 1;
    fields["idempotency_key"] = json!(format!("{name}-{}", watched.keys));
    let first = watched.post(&function, cookie, fields.clone()).await;
    assert_eq!(first.status, status, "{name}: {first:?}");
    watched.post(&function, cookie, fields).await;
    first.session()
}

/// The email of the new account: the link sent again, and confirmed.
pub(super) async fn confirm(watched: &mut Watched, cookie: &str) {
    let sent = watched.inside.table.under("#emails:").remove(0);
    let mut item = sent.item();
    item.insert("sentAt".to_owned(), json!([]));
    watched
        .inside
        .table
        .put(&sent.pk, &sent.sk, &Value::Object(item));
    for status in [200, 403] {
        twice(watched, "send-confirmation", cookie, &json!({}), status).await;
    }
    let token = json!({ "token": latest_token(watched) });
    for (fields, status) in [(json!({ "token": "junk" }), 400), (token, 200)] {
        twice(watched, "confirm-email", cookie, &fields, status).await;
    }
}

/// The organisation renamed and another made, the email changed, and the account deleted. Then everything is
/// stored as before, for the functions that are run next.
pub(super) async fn account(watched: &mut Watched, cookie: &str) {
    let before = watched.inside.table.dump();
    let name = json!({ "name": "Acme & Daughters" });
    twice(watched, "rename-organization", cookie, &name, 200).await;
    let name = json!({ "name": "Beta" });
    watched.pending("beta:members");
    let cookie = twice(watched, "create-organization", cookie, &name, 200).await;
    for (password, status) in [("wrong", 400), ("correct horse", 200)] {
        let fields = json!({ "email": "ada@new.example", "password": password });
        twice(watched, "change-email", &cookie, &fields, status).await;
    }
    let token = json!({ "token": latest_token(watched) });
    twice(watched, "confirm-email", &cookie, &token, 200).await;
    let password = json!({ "password": "correct horse" });
    twice(watched, "delete-account", &cookie, &password, 403).await;
    watched.inside.table.add_owners();
    watched.pending("beta:members");
    twice(watched, "delete-account", &cookie, &password, 200).await;
    watched.inside.table.restore(&before);
}
