//! What a view tells the edge: when its answer may be kept, under which tags, and that what may be
//! given to others holds nothing of one person.

use edge_crm_tests::inside::{Answer, Inside, KEY, invoke, through_edge};
use edge_crm_tests::now;
use serde_json::{Value, json};
use std::sync::Arc;

const KEPT: &str = "max-age=0, must-revalidate, s-maxage=300, stale-if-error=0";
const LIST: &str = "/t/acme/contacts";

/// An organisation with its owner's session and one contact.
struct Acme {
    inside: Inside,
    cookie: String,
    id: String,
}

impl Acme {
    async fn start() -> Self {
        let inside = Inside::behind_edge().await;
        let (cookie, tenant) = inside.sign_up("Acme").await;
        assert_eq!(tenant, "acme");
        let create = edge_crm_tests::runner(Arc::clone(&inside.app), "create-contact");
        let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
        let answer = inside.post(&create, &cookie, &fields).await;
        let id = answer.json["data"]["id"].as_str().unwrap().to_owned();
        Self { inside, cookie, id }
    }

    async fn list(&self, accept: &str, key: &str) -> Answer {
        let list = edge_crm_tests::runner(Arc::clone(&self.inside.app), "list-contacts");
        invoke(&list, &through_edge(LIST, &self.cookie, accept, key)).await
    }

    async fn detail(&self, id: &str, key: &str) -> Answer {
        let get = edge_crm_tests::runner(Arc::clone(&self.inside.app), "get-contact");
        let path = format!("{LIST}/{id}");
        invoke(&get, &through_edge(&path, &self.cookie, "text/html", key)).await
    }

    /// Gives the one member another role, behind the session's back.
    fn change_role(&self, role: &str) {
        let table = &self.inside.table;
        let membership = table.under("acme:members").remove(0);
        let mut item = membership.item();
        item.insert("role".to_owned(), json!(role));
        table.put(&membership.pk, &membership.sk, &Value::Object(item));
    }

    fn marks(&self) -> Vec<(String, Value)> {
        let marks = self.inside.table.under("#mark:");
        marks
            .iter()
            .map(|mark| (mark.pk.clone(), mark.get("closed")))
            .collect()
    }
}

fn is_kept(answer: &Answer) -> bool {
    answer.headers["cache-control"] == KEPT
}

fn is_own(answer: &Answer) -> bool {
    answer.headers["cache-control"] == "private, no-store"
        && !answer.headers.contains_key("cache-tag")
}

#[tokio::test]
async fn a_list_carries_the_tag_of_its_partition_and_a_contact_its_own() {
    let acme = Acme::start().await;
    let list = acme.list("text/html", "acme|owner|html|").await;
    assert_eq!(list.status, 200, "{list:?}");
    assert!(is_kept(&list));
    assert_eq!(list.headers["cache-tag"], "acme:contacts");
    let detail = acme.detail(&acme.id, "acme|owner|html|").await;
    assert!(is_kept(&detail));
    assert_eq!(
        detail.headers["cache-tag"],
        format!("acme:contacts:{},acme:members", acme.id)
    );
    let marks: Vec<_> = acme.marks().into_iter().map(|(pk, _)| pk).collect();
    assert_eq!(
        marks,
        [
            "#mark:acme:contacts".to_owned(),
            format!("#mark:acme:contacts:{}", acme.id),
            "#mark:acme:members".to_owned()
        ]
    );
    let json = acme
        .list("application/json", "acme|owner|json|AAAAAAAAAAAAAAAAAAAAAA")
        .await;
    assert!(is_kept(&json) && json.json["ok"] == true);
}

#[tokio::test]
async fn a_kept_answer_is_the_same_for_everybody_and_sets_no_cookie() {
    let acme = Acme::start().await;
    for key in ["acme|owner|html|", "acme|owner|html|AAAAAAAAAAAAAAAAAAAAAA"] {
        let list = acme.list("text/html", key).await;
        assert!(list.cookies.is_empty());
        assert!(
            !list.text.contains("idempotency_key"),
            "a key is used once, a page by many"
        );
        assert!(!list.text.contains("Ada"), "the page names nobody");
    }
}

#[tokio::test]
async fn without_a_shared_key_nothing_is_marked_or_kept() {
    let acme = Acme::start().await;
    for key in [
        "0197a3b0-0000-7000-8000-000000000001",
        "acme|owner|html",
        "acme|chief|html|",
    ] {
        assert!(is_own(&acme.list("text/html", key).await), "{key}");
    }
    let mut forged = through_edge(LIST, &acme.cookie, "text/html", "acme|owner|html|");
    forged["headers"]["x-crm-secret"] = json!("a guess");
    let list = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "list-contacts");
    let answer = invoke(&list, &forged).await;
    assert_eq!(answer.status, 403);
    assert!(is_own(&answer));
    assert!(acme.marks().is_empty());
}

/// The edge cannot make such a key; if it did, nobody may be given the answer.
#[tokio::test]
async fn a_key_that_is_not_the_requests_is_refused() {
    let acme = Acme::start().await;
    for key in ["other|owner|html|", "acme|member|html|", "acme|owner|json|"] {
        let answer = acme.list("text/html", key).await;
        assert_eq!(answer.status, 500, "{key}");
        assert!(is_own(&answer) && !answer.text.contains("Zoë"));
    }
    assert!(acme.marks().is_empty());
}

#[tokio::test]
async fn errors_are_not_kept() {
    let acme = Acme::start().await;
    let missing = acme
        .detail("0197a3b0-0000-7000-8000-000000000001", "acme|owner|html|")
        .await;
    assert_eq!(missing.status, 404);
    assert!(is_own(&missing));
    let list = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "list-contacts");
    let mut event = through_edge(LIST, &acme.cookie, "text/html", "acme|owner|html|");
    event["rawQueryString"] = json!("after=made-up");
    let answer = invoke(&list, &event).await;
    assert_eq!(answer.status, 400);
    assert!(is_own(&answer));
}

#[tokio::test]
async fn a_session_that_has_ended_is_told_so_without_a_cookie() {
    let acme = Acme::start().await;
    let session = acme.inside.table.under("#session:").remove(0);
    acme.inside.table.remove(&session.pk, &session.sk);
    let page = acme.list("text/html", "acme|owner|html|").await;
    assert_eq!(page.status, 303);
    assert_eq!(
        page.headers["location"],
        "/sign-in?return_to=/t/acme/contacts"
    );
    assert!(is_own(&page) && page.cookies.is_empty());
    let json = acme.list("application/json", "acme|owner|json|").await;
    assert_eq!((json.status, json.cookies.len()), (401, 0));
    let own = acme
        .list("text/html", "0197a3b0-0000-7000-8000-000000000001")
        .await;
    assert_eq!(own.cookies.len(), 1, "an answer to nobody else ends it");
}

/// The answer may be given to others who hold the token's role, so it is made for that role, or
/// for less.
#[tokio::test]
async fn after_a_change_of_role_nobody_is_shown_more_than_both_roles_allow() {
    let acme = Acme::start().await;
    let as_owner = acme.list("text/html", "acme|owner|html|").await;
    acme.change_role("viewer");
    let demoted = acme.list("text/html", "acme|owner|html|").await;
    assert_eq!(demoted.status, 200);
    assert!(is_own(&demoted) && demoted.cookies.is_empty());
    assert_ne!(
        demoted.text, as_owner.text,
        "a viewer is offered nothing to change"
    );
    let renewed = acme
        .list("text/html", "0197a3b0-0000-7000-8000-000000000001")
        .await;
    assert_eq!(renewed.text, demoted.text);
    assert_eq!(
        renewed.cookies.len(),
        1,
        "the token is renewed where nobody else gets it"
    );
    let as_viewer = Acme {
        cookie: renewed.session(),
        ..acme
    };
    as_viewer.change_role("admin");
    let promoted = as_viewer.list("text/html", "acme|viewer|html|").await;
    assert!(is_kept(&promoted) && promoted.cookies.is_empty());
    assert_eq!(promoted.text, demoted.text);
}

#[tokio::test]
async fn a_token_that_the_edge_still_believed_is_not_renewed_in_a_shared_answer() {
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
async fn a_miss_asks_storage_in_two_steps_and_the_read_comes_after_the_mark() {
    let acme = Acme::start().await;
    acme.inside.proxy.calls();
    acme.list("text/html", "acme|owner|html|").await;
    let calls = acme.inside.proxy.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert!(calls[..2].contains(&"UpdateItem".to_owned()), "{calls:?}");
    assert!(calls[..2].contains(&"BatchGetItem".to_owned()), "{calls:?}");
    assert_eq!(calls[2], "Query");
}

#[tokio::test]
async fn a_change_sets_fresh_and_so_does_its_replay() {
    let acme = Acme::start().await;
    let create = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "create-contact");
    let fields = json!({ "name": "Bo", "email": "bo@example.com", "idempotency_key": "k" });
    let mut values = Vec::new();
    for _ in 0..2 {
        let answer = acme.inside.post(&create, &acme.cookie, &fields).await;
        let cookie = answer
            .cookies
            .iter()
            .find(|cookie| cookie.starts_with("fresh="))
            .unwrap();
        assert!(
            cookie.ends_with("; Path=/; Max-Age=330; HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
        values.push(cookie[6..28].to_owned());
        let id = answer.json["data"]["id"].as_str().unwrap();
        assert_eq!(
            answer.json["revalidated"],
            json!(["acme:contacts", format!("acme:contacts:{id}")])
        );
    }
    assert_ne!(values[0], values[1]);
    let refused = acme
        .inside
        .post(&create, &acme.cookie, &json!({ "name": "" }))
        .await;
    assert!(refused.cookies.is_empty(), "nothing has changed");
}

/// What was live stays in the outbox while CloudFront cannot be reached, and the answer does not
/// claim otherwise.
#[tokio::test]
async fn what_could_not_be_purged_is_not_said_to_be() {
    let acme = Acme::start().await;
    acme.list("text/html", "acme|owner|html|").await;
    let create = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "create-contact");
    let fields = json!({ "name": "Bo", "email": "bo@example.com", "idempotency_key": "k" });
    let answer = acme.inside.post(&create, &acme.cookie, &fields).await;
    let id = answer.json["data"]["id"].as_str().unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json["revalidated"],
        json!([format!("acme:contacts:{id}")])
    );
    let outbox = acme.inside.table.under("#outbox:");
    assert_eq!(outbox.len(), 1);
    let replay = acme.inside.post(&create, &acme.cookie, &fields).await;
    assert_eq!(replay.json["revalidated"], answer.json["revalidated"]);
    assert_eq!(acme.inside.table.under("#outbox:").len(), 1);
}
