//! How a commit takes care of cached pages: quietly if there are none, otherwise with an outbox record in
//! the same transaction.

use crate::cached_views::{Acme, is_cached, is_private};
use edge_crm_local::{Distribution, Faults};
use edge_crm_tests::fault::{Fault, Strike};
use edge_crm_tests::inside::{
    Answer, DISTRIBUTION, Inside, ORIGIN_SECRET, UNHURRIED, config, edge, invoke, through_edge,
};
use edge_crm_tests::now;
use edge_crm_tests::world::scheduled_event;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wrapper::Config;

const KEY: &str = "acme|owner|html|";

/// An organisation, and the API of a CDN that accepts purges. An action waits for it however busy the
/// machine is.
async fn at_edge() -> (Acme, Distribution) {
    let (distribution, client) = edge().await;
    let config = Config {
        origin_secrets: vec![ORIGIN_SECRET.to_owned()],
        inline_purge_timeout: UNHURRIED.operation,
        ..config()
    };
    let acme = Acme::inside(Inside::with(config, client).await).await;
    acme.inside.proxy.calls();
    (acme, distribution)
}

impl Acme {
    async fn create(&self, name: &str) -> Answer {
        let create = edge_crm_tests::runner(Arc::clone(&self.inside.app), "create-contact");
        let email = format!("{name}@example.com");
        let fields = json!({ "name": name, "email": email, "idempotency_key": name });
        let response = self.inside.post(&create, &self.cookie, &fields).await;
        assert_eq!(response.status, 200, "{response:?}");
        response
    }

    async fn look(&self) -> Answer {
        self.list("text/html", KEY).await
    }

    async fn sweep(&self) -> Value {
        let revalidate = edge_crm_tests::runner(Arc::clone(&self.inside.app), "revalidate");
        let event = scheduled_event().to_string();
        let response = revalidate.invoke(event.as_bytes()).await;
        serde_json::from_slice(&response).unwrap()
    }

    /// Sweeps until the list's purge has been made: its record must be due, and the drain may be backing off.
    async fn drained(&self) {
        let late = Instant::now() + Duration::from_secs(60);
        while self.mark("pending") != Value::Null {
            assert!(Instant::now() < late, "the drain never purges");
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.sweep().await;
        }
    }

    fn outbox(&self) -> usize {
        self.inside.table.under("#outbox:").len()
    }

    /// An attribute of the list's mark.
    fn mark(&self, attribute: &str) -> Value {
        let marks = self.inside.table.under("#mark:acme:contacts");
        let mark = marks.iter().find(|mark| mark.pk == "#mark:acme:contacts");
        mark.expect("a mark").get(attribute)
    }
}

/// The tags of a new contact.
fn tags(response: &Answer) -> Value {
    let id = response.json["data"]["id"].as_str().unwrap();
    json!(["acme:contacts", format!("acme:contacts:{id}")])
}

#[tokio::test]
async fn a_change_that_no_page_shows_is_one_transaction_that_notes_it() {
    let (acme, distribution) = at_edge().await;
    let before = now() * 1_000;
    let response = acme.create("bo").await;
    let calls = acme.inside.proxy.calls();
    assert_eq!(calls, ["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(response.json["revalidated"], tags(&response));
    assert_eq!(acme.outbox(), 0);
    assert!(acme.mark("changedAt").as_i64().unwrap() >= before);
    let own = format!("#mark:{}", tags(&response)[1].as_str().unwrap());
    assert!(
        acme.inside.table.under(&own).is_empty(),
        "a new contact is on no page of its own"
    );
    let replay = acme.create("bo").await;
    assert_eq!(replay.json["revalidated"], tags(&response));
    assert_eq!(acme.inside.proxy.calls(), ["BatchGetItem"]);
    assert_eq!(distribution.counters().invalidation_requests, 0);
}

#[tokio::test]
async fn a_change_closes_an_open_mark_with_the_record_of_its_purge() {
    let (acme, distribution) = at_edge().await;
    assert!(is_cached(&acme.look().await));
    acme.inside.proxy.calls();
    let response = acme.create("bo").await;
    // The first transaction meets the open mark, the second closes it, the third concludes the purge.
    let mut expected = vec!["BatchGetItem"];
    expected.extend(["TransactWriteItems"; 3]);
    assert_eq!(acme.inside.proxy.calls(), expected);
    assert_eq!(response.json["revalidated"], tags(&response));
    assert_eq!(distribution.counters().items, 1);
    assert_eq!(acme.mark("closed"), true);
    assert_eq!(acme.mark("pending"), Value::Null);
    assert_eq!(acme.outbox(), 1, "the mark is young: a second purge");
    acme.create("cy").await;
    assert_eq!(distribution.counters().items, 1, "the mark is closed");
}

#[tokio::test]
async fn a_page_that_was_cached_long_ago_is_purged_once() {
    let (acme, distribution) = at_edge().await;
    let minute_ago = (now() - 60) * 1_000;
    let table = &acme.inside.table;
    table.mark("acme:contacts", DISTRIBUTION, minute_ago);
    acme.create("bo").await;
    assert_eq!((acme.outbox(), distribution.counters().items), (0, 1));
}

#[tokio::test]
async fn while_a_purge_is_pending_no_change_claims_that_it_was_made() {
    let (acme, distribution) = at_edge().await;
    acme.look().await;
    distribution.set_faults(Faults {
        throttled: 100,
        ..Faults::default()
    });
    let first = acme.create("bo").await;
    let own = json!([tags(&first)[1]]);
    assert_eq!(first.json["revalidated"], own);
    let second = acme.create("cy").await;
    assert_eq!(second.json["revalidated"], json!([tags(&second)[1]]));
    assert_eq!(acme.create("bo").await.json["revalidated"], own);
    assert_eq!(acme.outbox(), 2);

    distribution.set_faults(Faults::default());
    acme.drained().await;
    assert_eq!(distribution.counters().items, 1, "one purge for both");
    assert_eq!(acme.create("bo").await.json["revalidated"], tags(&first));
    assert_eq!(acme.create("cy").await.json["revalidated"], tags(&second));
}

#[tokio::test]
async fn after_one_conflict_on_a_mark_a_commit_takes_a_record_and_does_not_wait() {
    let (acme, distribution) = at_edge().await;
    for open in [false, true] {
        if open {
            acme.look().await;
        }
        acme.inside.proxy.calls();
        // The mark is the last of eight items.
        let mut reasons = vec!["None"; 8];
        reasons[7] = "TransactionConflict";
        acme.inside.proxy.plan(vec![Strike {
            call: "TransactWriteItems".to_owned(),
            after: 0,
            times: 1,
            fault: Fault::Cancel(reasons),
        }]);
        let response = acme.create(if open { "bo" } else { "cy" }).await;
        acme.inside.proxy.plan(Vec::new());
        assert_eq!(response.json["revalidated"], tags(&response));
        // The conflict, the commit with its record, and what settles the record; if a mark is open, it is
        // read and closed, and the purge is concluded.
        let mut expected = vec!["BatchGetItem"];
        expected.extend(["TransactWriteItems"; 3]);
        if open {
            expected.push("BatchGetItem");
            expected.extend(["TransactWriteItems"; 2]);
        }
        assert_eq!(acme.inside.proxy.calls(), expected, "open: {open}");
        let second_purges = usize::from(open);
        assert_eq!(acme.outbox(), second_purges);
        assert_eq!(distribution.counters().items, u64::from(open));
    }
}

/// The crash leaves the record, with the marks that it closed.
#[tokio::test]
async fn a_purge_that_was_left_behind_is_made_by_the_drain() {
    let (acme, distribution) = at_edge().await;
    acme.look().await;
    distribution.set_faults(Faults {
        refused: 100,
        ..Faults::default()
    });
    acme.create("bo").await;
    let left = acme.inside.table.under("#outbox:").remove(0);
    assert_eq!(left.get("tags"), json!([]));
    assert_eq!(left.get("closed")[0]["tag"], "acme:contacts");
    distribution.set_faults(Faults::default());
    acme.drained().await;
    assert_eq!(distribution.counters().items, 1);
    assert_eq!(acme.mark("pending"), Value::Null);
}

/// Pages may be cached a minute after a change.
fn quiet() -> Config {
    Config {
        origin_secrets: vec![ORIGIN_SECRET.to_owned()],
        quiet_time: Duration::from_secs(60),
        ..config()
    }
}

#[tokio::test]
async fn what_has_just_changed_is_not_cached_and_costs_no_call() {
    let (_distribution, client) = edge().await;
    let acme = Acme::inside(Inside::with(quiet(), client.clone()).await).await;
    assert!(is_private(&acme.look().await), "the mark says so");
    acme.inside.proxy.calls();
    assert!(is_private(&acme.look().await));
    let mut calls = acme.inside.proxy.calls();
    calls.sort();
    assert_eq!(calls, ["BatchGetItem", "Query"], "the process knows it");

    // A minute later, in another process.
    let table = &acme.inside.table;
    let mark = table.under("#mark:acme:contacts").remove(0);
    let mut attributes = mark.item();
    attributes.insert("changedAt".to_owned(), json!((now() - 61) * 1_000));
    table.put(&mark.pk, &mark.sk, &Value::Object(attributes));
    let acme = Acme {
        inside: acme.inside.in_another_process(quiet(), client),
        ..acme
    };
    assert!(is_cached(&acme.look().await));
    acme.create("bo").await;
    assert!(is_private(&acme.look().await));
    let projects = edge_crm_tests::runner(Arc::clone(&acme.inside.app), "list-projects");
    let event = through_edge("/t/acme/projects", &acme.cookie, "text/html", KEY);
    let projects = invoke(&projects, &event).await;
    assert!(is_cached(&projects), "the projects have not changed");
}

impl Acme {
    /// Stores an outbox record that is due.
    fn leave(&self, id: &str, record: Value) {
        let due_at = now() * 1_000 - 5_000;
        let mut record = record;
        record["id"] = json!(id);
        record["dueAt"] = json!(due_at);
        let (pk, sk) = (
            format!("#outbox:{}", &id[35..]),
            format!("{due_at:013}:{id}"),
        );
        self.inside.table.put(&pk, &sk, &record);
    }
}

const ONE: &str = "0197a3b0-0000-7000-8000-000000000001";
const TWO: &str = "0197a3b0-0000-7000-8000-000000000002";

/// Otherwise a replay of the request of the second record would claim that its purge was accepted.
#[tokio::test]
async fn a_record_waits_for_the_purge_that_another_record_has_taken_over() {
    let (acme, distribution) = at_edge().await;
    acme.look().await;
    let created_at = now() * 1_000 - 6_000;
    for id in [ONE, TWO] {
        acme.leave(
            id,
            json!({ "tags": ["acme:contacts"], "createdAt": created_at }),
        );
    }
    distribution.set_faults(Faults {
        refused: 100,
        ..Faults::default()
    });
    acme.sweep().await;
    assert_eq!(acme.mark("closed"), true);
    assert_eq!(acme.outbox(), 2);
}

/// Of the record's tags, one was closed for it, and the other waited for another record and is quiet now.
#[tokio::test]
async fn a_record_is_not_settled_before_its_own_purge() {
    let (acme, distribution) = at_edge().await;
    let mark = json!({
        "tag": "acme:projects", "markedAt": now() * 1_000 - 7_000, "render": "r",
        "distribution": DISTRIBUTION,
    });
    acme.leave(
        ONE,
        json!({
            "tags": ["acme:contacts"], "closed": [mark], "revision": 1,
            "createdAt": now() * 1_000 - 6_000,
        }),
    );
    acme.create("bo").await;
    let result = acme.inside.table.results("create-contact").pop().unwrap();
    let record = acme.inside.table.under("#outbox:").remove(0);
    let mut item = result.item();
    item.insert("outbox".to_owned(), json!([record.pk, record.sk]));
    acme.inside
        .table
        .put(&result.pk, &result.sk, &Value::Object(item));

    distribution.set_faults(Faults {
        refused: 100,
        ..Faults::default()
    });
    acme.create("bo").await;
    assert_eq!(acme.outbox(), 1, "its purge was refused");
    distribution.set_faults(Faults::default());
    acme.sweep().await;
    assert_eq!(distribution.counters().items, 1);
    assert!(acme.inside.table.under("#outbox:").iter().all(|left| {
        left.get("tags") == json!(["acme:contacts"]) || !left.get("againAt").is_null()
    }));
}

#[tokio::test]
async fn what_has_expired_is_not_purged_and_costs_nothing() {
    let (acme, distribution) = at_edge().await;
    let long_ago = (now() - 400) * 1_000;
    let mark = json!({
        "tag": "acme:contacts", "markedAt": long_ago, "render": "r", "distribution": DISTRIBUTION,
    });
    let left = json!({ "tags": [], "closed": [mark], "createdAt": long_ago });
    acme.leave(ONE, left);
    let again =
        json!({ "tags": ["acme:contacts"], "againAt": DISTRIBUTION, "createdAt": long_ago });
    acme.leave(TWO, again);
    acme.sweep().await;
    assert_eq!(acme.outbox(), 0);
    assert_eq!(distribution.counters().invalidation_requests, 0);
    assert!(acme.inside.table.under("#edge:purges").is_empty());
}
