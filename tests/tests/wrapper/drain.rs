//! The function `revalidate`: its events, its batches, and how it backs off from CloudFront.

use edge_crm_local::{Distribution, Faults};
use edge_crm_tests::inside::{Inside, ORIGIN_SECRET, config, edge, invoke, through_edge};
use edge_crm_tests::world::scheduled_event;
use serde_json::{Value, json};
use std::sync::Arc;
use store::OutboxRecord;
use wrapper::{Config, Revalidation, Runner};

const LIST: &str = "/t/acme/contacts";

/// Functions that leave purges to the background, and the CloudFront API that they call.
struct Background {
    inside: Inside,
    distribution: Distribution,
    cookie: String,
    revalidate: Runner,
}

impl Background {
    async fn start() -> Self {
        let (distribution, client) = edge().await;
        let config = Config {
            origin_secrets: vec![ORIGIN_SECRET.to_owned()],
            revalidation: Revalidation::Background,
            ..config()
        };
        let inside = Inside::with(config, client).await;
        let (cookie, _) = inside.sign_up("Acme").await;
        let revalidate = edge_crm_tests::runner(Arc::clone(&inside.app), "revalidate");
        let background = Self {
            inside,
            distribution,
            cookie,
            revalidate,
        };
        background.sweep().await;
        background
    }

    /// Renders the list, so that it may be cached.
    async fn look(&self) {
        let list = edge_crm_tests::runner(Arc::clone(&self.inside.app), "list-contacts");
        let event = through_edge(LIST, &self.cookie, "text/html", "acme|owner|html|");
        assert_eq!(invoke(&list, &event).await.status, 200);
    }

    async fn create(&self, name: &str) {
        let create = edge_crm_tests::runner(Arc::clone(&self.inside.app), "create-contact");
        let fields = json!({ "name": name, "email": format!("{name}@example.com") });
        let response = self.inside.post(&create, &self.cookie, &fields).await;
        assert_eq!(response.json["revalidated"], json!([]), "{response:?}");
    }

    async fn handle(&self, event: &Value) -> Value {
        let response = self.revalidate.invoke(event.to_string().as_bytes()).await;
        serde_json::from_slice(&response).unwrap()
    }

    async fn sweep(&self) -> Value {
        self.handle(&scheduled_event()).await
    }

    /// The outbox records, as a batch of the table's stream.
    fn batch(&self) -> Value {
        let records = self.inside.table.under("#outbox:").into_iter().map(|record| {
            let keys = json!({ "pk": { "S": record.pk }, "sk": { "S": record.sk } });
            json!({ "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": { "Keys": keys } })
        });
        json!({ "Records": records.collect::<Vec<_>>() })
    }

    fn backoff(&self) -> Option<(Value, i64)> {
        let found = self.inside.table.under("#edge:backoff");
        let until = |record: &edge_crm_tests::Record| record.get("until").as_i64().unwrap();
        found
            .first()
            .map(|record| (record.get("reason"), until(record)))
    }

    /// Ends the backoff.
    fn end_backoff(&self) {
        let record = self.inside.table.under("#edge:backoff").remove(0);
        let mut item = record.item();
        item.insert("until".to_owned(), json!(0));
        self.inside
            .table
            .put(&record.pk, &record.sk, &Value::Object(item));
    }
}

#[tokio::test]
async fn due_records_are_purged_in_one_call_and_each_tag_once() {
    let background = Background::start().await;
    background.look().await;
    for name in ["a", "b", "c"] {
        background.create(name).await;
    }
    assert_eq!(background.inside.table.under("#outbox:").len(), 3);
    let response = background.sweep().await;
    assert_eq!(
        response,
        json!({ "batchItemFailures": [], "drained": 3, "purged": 1 })
    );
    let counters = background.distribution.counters();
    assert_eq!((counters.invalidation_requests, counters.items), (1, 1));
    let left = background.inside.table.under("#outbox:");
    assert_eq!(
        left.len(),
        1,
        "pages on their way are purged once more, later"
    );
    assert_eq!(left[0].get("tags"), json!(["acme:contacts"]));
    assert_eq!(background.sweep().await["drained"], 0, "it is not due yet");
}

#[tokio::test]
async fn an_organisation_with_many_records_does_not_hold_up_another() {
    let background = Background::start().await;
    let now = edge_crm_tests::now() * 1_000;
    let leave = |tenant: &str, due_at: i64| {
        let record = OutboxRecord::new(vec![format!("{tenant}:contacts")], due_at, due_at);
        let item =
            json!({ "id": record.id, "tags": record.tags, "createdAt": due_at, "dueAt": due_at });
        let key = record.key();
        background
            .inside
            .table
            .put(key.parts().0, key.parts().1, &item);
    };
    for n in 0..500 {
        leave("flood", now - 10_000 + n);
    }
    leave("acme", now);

    let due = background.inside.app.store.due(now).await.unwrap();
    let before = due
        .iter()
        .position(|record| record.tags == ["acme:contacts"]);
    assert!(before.is_some_and(|before| before <= 16), "{before:?}");
    assert_eq!(background.sweep().await["drained"], 501);
    assert!(background.inside.table.under("#outbox:").is_empty());
}

#[tokio::test]
async fn records_of_a_batch_are_read_again_so_nothing_is_paid_twice() {
    let background = Background::start().await;
    background.look().await;
    background.create("a").await;
    let batch = background.batch();
    assert_eq!(background.handle(&batch).await["purged"], 1);
    // The stream repeats a batch after an error, and a sweep may have drained it meanwhile.
    assert_eq!(background.handle(&batch).await["drained"], 0);
    assert_eq!(background.distribution.counters().invalidation_requests, 1);
    let put_off = background.batch();
    assert_eq!(
        background.handle(&put_off).await["drained"],
        0,
        "it is not due yet"
    );
    let other = json!({ "Records": [{ "dynamodb": { "Keys": { "pk": { "S": "acme:contacts" } } } }, {}, 7] });
    assert_eq!(background.handle(&other).await["drained"], 0);
    for junk in [
        json!({}),
        json!([]),
        json!({ "detail-type": "Other" }),
        Value::Null,
    ] {
        assert!(
            background.handle(&junk).await["errorMessage"].is_string(),
            "{junk}"
        );
    }
}

#[tokio::test]
async fn each_kind_of_failure_has_its_own_backoff_and_nothing_is_lost() {
    let background = Background::start().await;
    background.look().await;
    background.create("a").await;
    // In whole seconds, so a backoff may look up to a second longer than it is.
    let now = || edge_crm_tests::now() * 1_000;
    let all = |faults: Faults| background.distribution.set_faults(faults);
    let calls = || background.distribution.counters().invalidation_requests;
    let cases = [
        (
            Faults {
                throttled: 100,
                ..Faults::default()
            },
            "throttled",
            500..=3_000,
        ),
        (
            Faults {
                too_many: 100,
                ..Faults::default()
            },
            "in-progress",
            2_500..=7_000,
        ),
        (
            Faults {
                refused: 100,
                ..Faults::default()
            },
            "unavailable",
            250..=2_500,
        ),
    ];
    for (faults, reason, wait) in cases {
        all(faults);
        let (before, began) = (calls(), now());
        assert_eq!(background.sweep().await["drained"], 0);
        let (cause, until) = background.backoff().unwrap();
        assert_eq!(cause, reason);
        // However long the sweep took.
        assert!(
            until - began >= *wait.start() && until - now() <= *wait.end(),
            "{reason}: {}",
            until - began
        );
        if until > now() + 1_000 {
            background.sweep().await;
            assert_eq!(calls(), before + 1, "no call during the backoff");
        }
        background.end_backoff();
    }
    all(Faults::default());
    assert_eq!(background.sweep().await["purged"], 1);
    assert_eq!(background.backoff(), None);
}

/// The response to the first call is lost. The second call is the same, so it is the same
/// invalidation.
#[tokio::test]
async fn a_purge_whose_response_was_lost_is_not_paid_twice() {
    let background = Background::start().await;
    background.look().await;
    background.create("a").await;
    background.distribution.set_faults(Faults {
        lost_after: 100,
        ..Faults::default()
    });
    assert_eq!(background.sweep().await["drained"], 0);
    background.distribution.set_faults(Faults::default());
    background.end_backoff();
    assert_eq!(background.sweep().await["drained"], 1);
    let counters = background.distribution.counters();
    assert_eq!(
        (
            counters.invalidation_requests,
            counters.invalidations,
            counters.items
        ),
        (2, 1, 1)
    );
}
