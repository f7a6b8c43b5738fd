//! What a view tells the edge: whether its response may be cached, and under which tags. A cached
//! response contains nothing about one user.

use edge_crm_tests::inside::{Answer, Inside, KEY, invoke, through_edge};
use edge_crm_tests::{Record, now};
use serde_json::{Value, json};
use std::sync::Arc;

const CACHED: &str = "max-age=0, must-revalidate, s-maxage=300, stale-if-error=0";
const LIST: &str = "/t/acme/contacts";

/// An organisation with its owner's session and one contact.
pub(crate) struct Acme {
    pub(crate) inside: Inside,
    pub(crate) cookie: String,
    pub(crate) id: String,
}

impl Acme {
    pub(crate) async fn start() -> Self {
        Self::inside(Inside::behind_edge().await).await
    }

    pub(crate) async fn inside(inside: Inside) -> Self {
        let (cookie, tenant) = inside.sign_up("Acme").await;
        assert_eq!(tenant, "acme");
        let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
        let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
        let response = inside.post(&create, &cookie, &fields).await;
        let id = response.json["data"]["id"].as_str().unwrap().to_owned();
        Self { inside, cookie, id }
    }

    pub(crate) async fn list(&self, accept: &str, key: &str) -> Answer {
        let list = edge_crm_tests::runner(Arc::clone(&self.inside.app), "list-contacts");
        invoke(&list, &through_edge(LIST, &self.cookie, accept, key)).await
    }

    pub(crate) async fn detail(&self, id: &str, key: &str) -> Answer {
        let get = edge_crm_tests::runner(Arc::clone(&self.inside.app), "get-contact");
        let path = format!("{LIST}/{id}");
        invoke(&get, &through_edge(&path, &self.cookie, "text/html", key)).await
    }

    /// Gives the only member another role, without an action.
    fn change_role(&self, role: &str) {
        let table = &self.inside.table;
        let membership = table.under("acme:members").remove(0);
        let mut item = membership.item();
        item.insert("role".to_owned(), json!(role));
        table.put(&membership.pk, &membership.sk, &Value::Object(item));
    }

    /// The keys of the open marks.
    pub(crate) fn open_marks(&self) -> Vec<String> {
        let marks = self.inside.table.under("#mark:");
        let is_open = |mark: &Record| mark.get("markedAt") != Value::Null;
        let open = marks.into_iter().filter(is_open);
        open.map(|mark| mark.pk).collect()
    }
}

pub(crate) fn is_cached(response: &Answer) -> bool {
    response.headers["cache-control"] == CACHED
}

pub(crate) fn is_private(response: &Answer) -> bool {
    response.headers["cache-control"] == "private, no-store"
        && !response.headers.contains_key("cache-tag")
}

#[tokio::test]
async fn a_list_has_the_tag_of_its_partition_and_a_contact_its_own_tag() {
    let acme = Acme::start().await;
    let list = acme.list("text/html", "acme|owner|html|").await;
    assert_eq!(list.status, 200, "{list:?}");
    assert!(is_cached(&list));
    assert_eq!(list.headers["cache-tag"], "acme:contacts");
    let detail = acme.detail(&acme.id, "acme|owner|html|").await;
    assert!(is_cached(&detail));
    assert_eq!(
        detail.headers["cache-tag"],
        format!("acme:contacts:{},acme:members", acme.id)
    );
    assert_eq!(
        acme.open_marks(),
        [
            "#mark:acme:contacts".to_owned(),
            format!("#mark:acme:contacts:{}", acme.id),
            "#mark:acme:members".to_owned()
        ]
    );
    let json = acme
        .list("application/json", "acme|owner|json|AAAAAAAAAAAAAAAAAAAAAA")
        .await;
    assert!(is_cached(&json) && json.json["ok"] == true);
}

#[tokio::test]
async fn a_cached_response_is_the_same_for_everyone_and_sets_no_cookie() {
    let acme = Acme::start().await;
    for key in ["acme|owner|html|", "acme|owner|html|AAAAAAAAAAAAAAAAAAAAAA"] {
        let list = acme.list("text/html", key).await;
        assert!(list.cookies.is_empty());
        assert!(
            !list.text.contains("idempotency_key"),
            "an idempotency key is for one use, a cached page for many"
        );
        assert!(!list.text.contains("Ada"), "the page names no user");
    }
}

#[tokio::test]
async fn without_a_shared_key_nothing_is_marked_or_cached() {
    let acme = Acme::start().await;
    for key in [
        "0197a3b0-0000-7000-8000-000000000001",
        "acme|owner|html",
        "acme|chief|html|",
    ] {
        assert!(is_private(&acme.list("text/html", key).await), "{key}");
    }
    let mut forged = through_edge(LIST, &acme.cookie, "text/html", "acme|owner|html|");
    forged["headers"]["x-crm-secret"] = json!("a guess");
    let list = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "list-contacts");
    let response = invoke(&list, &forged).await;
    assert_eq!(response.status, 403);
    assert!(is_private(&response));
    assert!(acme.open_marks().is_empty());
}

/// The edge never makes such a key. If it did, nobody might get the response.
#[tokio::test]
async fn a_key_that_does_not_fit_the_request_is_refused() {
    let acme = Acme::start().await;
    for key in ["other|owner|html|", "acme|member|html|", "acme|owner|json|"] {
        let response = acme.list("text/html", key).await;
        assert_eq!(response.status, 500, "{key}");
        assert!(is_private(&response) && !response.text.contains("Zoë"));
    }
    assert!(acme.open_marks().is_empty());
}

#[tokio::test]
async fn errors_are_not_cached() {
    let acme = Acme::start().await;
    let missing = acme
        .detail("0197a3b0-0000-7000-8000-000000000001", "acme|owner|html|")
        .await;
    assert_eq!(missing.status, 404);
    assert!(is_private(&missing));
    let list = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "list-contacts");
    let mut event = through_edge(LIST, &acme.cookie, "text/html", "acme|owner|html|");
    event["rawQueryString"] = json!("after=made-up");
    let response = invoke(&list, &event).await;
    assert_eq!(response.status, 400);
    assert!(is_private(&response));
}

#[tokio::test]
async fn a_shared_response_to_an_ended_session_sets_no_cookie() {
    let acme = Acme::start().await;
    let session = acme.inside.table.under("#session:").remove(0);
    acme.inside.table.remove(&session.pk, &session.sk);
    let page = acme.list("text/html", "acme|owner|html|").await;
    assert_eq!(page.status, 303);
    assert_eq!(
        page.headers["location"],
        "/sign-in?return_to=/t/acme/contacts"
    );
    assert!(is_private(&page) && page.cookies.is_empty());
    let json = acme.list("application/json", "acme|owner|json|").await;
    assert_eq!((json.status, json.cookies.len()), (401, 0));
    let own = acme
        .list("text/html", "0197a3b0-0000-7000-8000-000000000001")
        .await;
    assert_eq!(
        own.cookies.len(),
        1,
        "a private response removes the cookie"
    );
}

/// Other users with the token's role may get the response, so it is rendered for that role or a lower
/// one.
#[tokio::test]
async fn after_a_change_of_role_a_page_shows_no_more_than_both_roles_allow() {
    let acme = Acme::start().await;
    let as_owner = acme.list("text/html", "acme|owner|html|").await;
    acme.change_role("viewer");
    let demoted = acme.list("text/html", "acme|owner|html|").await;
    assert_eq!(demoted.status, 200);
    assert!(is_private(&demoted) && demoted.cookies.is_empty());
    assert_ne!(
        demoted.text, as_owner.text,
        "a viewer gets no links to change anything"
    );
    let renewed = acme
        .list("text/html", "0197a3b0-0000-7000-8000-000000000001")
        .await;
    assert_eq!(renewed.text, demoted.text);
    assert_eq!(
        renewed.cookies.len(),
        1,
        "a private response renews the token"
    );
    let as_viewer = Acme {
        cookie: renewed.session(),
        ..acme
    };
    as_viewer.change_role("admin");
    let promoted = as_viewer.list("text/html", "acme|viewer|html|").await;
    assert!(is_cached(&promoted) && promoted.cookies.is_empty());
    assert_eq!(promoted.text, demoted.text);
}

#[tokio::test]
async fn a_shared_response_never_renews_a_token() {
    let acme = Acme::start().await;
    let keys = auth::Keys::new(&KEY, None).unwrap();
    let (name, text) = acme.cookie.split_once('=').unwrap();
    let mut token = auth::Token::verify(text, &keys).unwrap();
    token.expires = now() - 1;
    let expired = format!("{name}={}", token.sign(&keys));
    let acme = Acme {
        cookie: expired,
        ..acme
    };
    let shared = acme.list("text/html", "acme|owner|html|").await;
    assert_eq!((shared.status, shared.cookies.len()), (200, 0));
    let own = acme
        .list("text/html", "0197a3b0-0000-7000-8000-000000000001")
        .await;
    assert_eq!((own.status, own.cookies.len()), (200, 1));
}

#[tokio::test]
async fn a_miss_takes_two_round_trips_and_reads_after_the_mark() {
    let acme = Acme::start().await;
    acme.inside.proxy.calls();
    acme.list("text/html", "acme|owner|html|").await;
    // The first time in a window, what the organisation may reserve is read too.
    let mut calls = acme.inside.proxy.calls();
    assert_eq!(calls.pop().as_deref(), Some("Query"));
    calls.sort();
    assert_eq!(
        calls,
        ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    );
    acme.list("text/html", "acme|owner|html|").await;
    let calls = acme.inside.proxy.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert!(calls[..2].contains(&"UpdateItem".to_owned()), "{calls:?}");
    assert!(calls[..2].contains(&"BatchGetItem".to_owned()), "{calls:?}");
    assert_eq!(calls[2], "Query");
}

#[tokio::test]
async fn a_change_sets_the_cookie_fresh_and_so_does_its_replay() {
    let acme = Acme::start().await;
    let create = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "create-contact");
    let fields = json!({ "name": "Bo", "email": "bo@example.com", "idempotency_key": "k" });
    let mut values = Vec::new();
    for _ in 0..2 {
        let response = acme.inside.post(&create, &acme.cookie, &fields).await;
        let cookie = response
            .cookies
            .iter()
            .find(|cookie| cookie.starts_with("fresh="))
            .unwrap();
        assert!(
            cookie.ends_with("; Path=/; Max-Age=330; HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
        values.push(cookie[6..28].to_owned());
        let id = response.json["data"]["id"].as_str().unwrap();
        assert_eq!(
            response.json["revalidated"],
            json!(["acme:contacts", format!("acme:contacts:{id}")])
        );
    }
    assert_ne!(values[0], values[1]);
    let refused = acme
        .inside
        .post(&create, &acme.cookie, &json!({ "name": "" }))
        .await;
    assert!(refused.cookies.is_empty(), "nothing was changed");
}

/// While CloudFront cannot be reached, live tags stay in the outbox, and the response does not list
/// them.
#[tokio::test]
async fn a_response_does_not_claim_a_purge_that_failed() {
    let acme = Acme::start().await;
    acme.list("text/html", "acme|owner|html|").await;
    let create = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "create-contact");
    let fields = json!({ "name": "Bo", "email": "bo@example.com", "idempotency_key": "k" });
    let response = acme.inside.post(&create, &acme.cookie, &fields).await;
    let id = response.json["data"]["id"].as_str().unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(
        response.json["revalidated"],
        json!([format!("acme:contacts:{id}")])
    );
    let outbox = acme.inside.table.under("#outbox:");
    assert_eq!(outbox.len(), 1);
    let replay = acme.inside.post(&create, &acme.cookie, &fields).await;
    assert_eq!(replay.json["revalidated"], response.json["revalidated"]);
    assert_eq!(acme.inside.table.under("#outbox:").len(), 1);
}
