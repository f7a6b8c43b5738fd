//! What each fault of a connection is taken for, and what the SDK then does.

use crate::lane::PATIENCE;
use action::{Expect, Key, Operation};
use aws::Access;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use cdn::{CloudFront, InvalidationError, Invalidations};
use edge_crm_local::{Distribution, DistributionSettings};
use edge_crm_tests::Table;
use edge_crm_tests::fault::{Call, Fault, Proxy, Strike};
use serde_json::json;
use std::time::Duration;
use store::{Rejected, Store, StoreError, TableSettings};

/// Faults after which the call may have taken effect, and others.
fn faults() -> [(Fault, bool); 9] {
    let late = PATIENCE.attempt + Duration::from_millis(300);
    [
        (Fault::DropBefore, false),
        (Fault::ResetBefore, false),
        (Fault::CloseNext, false),
        (Fault::Refuse(503, "ServiceUnavailable"), false),
        (Fault::DropAfter, true),
        (Fault::ResetAfter, true),
        (Fault::Cut, true),
        (Fault::SlowAnswer(late), true),
        (Fault::RefuseAfter(500, "InternalServerError"), true),
    ]
}

async fn proxied() -> (Table, Proxy, Store) {
    let table = Table::start().await;
    let direct = Store::connect(TableSettings::local(table.url(), "edge-crm"));
    direct.create_table_if_missing().await.unwrap();
    let proxy = Proxy::start(table.url()).await;
    let settings = TableSettings {
        patience: PATIENCE,
        ..TableSettings::local(&proxy.url, "edge-crm")
    };
    (table, proxy, Store::connect(settings))
}

fn once(fault: Fault) -> Vec<Strike> {
    vec![Strike {
        times: 1,
        ..Strike::always(fault)
    }]
}

/// A write that cannot be made twice.
fn first_write(name: &str) -> Operation {
    Operation::Put {
        key: Key::from_parts("#test".to_owned(), name.to_owned()),
        item: json!({ "name": name }),
        expect: Expect::Absent,
        conflict: None,
    }
}

#[tokio::test]
async fn a_transaction_that_may_have_been_made_is_sent_again_as_the_same_one() {
    let (table, proxy, store) = proxied().await;
    for (at, (fault, _)) in faults().into_iter().enumerate() {
        let name = at.to_string();
        proxy.calls();
        proxy.plan(once(fault.clone()));
        // Without the token the second attempt would meet the first one's item.
        let done = store.transact(None, &[first_write(&name)]).await;
        assert!(done.is_ok(), "{fault:?}: {done:?}");
        let calls = proxy.detailed_calls();
        let [first, again] = calls.as_slice() else {
            panic!("{fault:?}: {calls:?}")
        };
        let same = |a: &Call, b: &Call| (a.token == b.token) && (a.invocation == b.invocation);
        assert!(same(first, again) && !first.token.is_empty(), "{calls:?}");
        proxy.quiet().await;
        assert_eq!(table.under("#test").len(), at + 1, "{fault:?}");
    }
}

#[tokio::test]
async fn what_never_answers_is_late_and_what_refuses_is_unavailable() {
    let (table, proxy, store) = proxied().await;
    let late = PATIENCE.operation + Duration::from_millis(500);
    for (at, (fault, made)) in faults().into_iter().enumerate() {
        let fault = match fault {
            Fault::SlowAnswer(_) => Fault::SlowAnswer(late),
            other => other,
        };
        let name = format!("{at} for good");
        let before = table.under("#test").len();
        proxy.plan(vec![Strike::always(fault.clone())]);
        let said = store.transact(None, &[first_write(&name)]).await;
        let said = match said {
            Err(Rejected::Storage(error)) => error,
            other => panic!("{fault:?}: {other:?}"),
        };
        match fault {
            Fault::SlowAnswer(_) => assert!(matches!(said, StoreError::Timeout(_)), "{said}"),
            _ => assert!(
                matches!(said, StoreError::Unavailable(_)),
                "{fault:?}: {said}"
            ),
        }
        proxy.plan(Vec::new());
        proxy.quiet().await;
        assert_eq!(
            table.under("#test").len() - before,
            usize::from(made),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_failure_of_a_connection_says_what_kind_it_is() {
    let (_table, proxy, _) = proxied().await;
    let connections = Access::local().connect(Duration::from_millis(500));
    for fault in [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::ResetBefore,
        Fault::ResetAfter,
    ] {
        proxy.plan(once(fault.clone()));
        let request = HttpRequest::get(&proxy.url).unwrap();
        let error = connections.call(request).await.unwrap_err();
        // Either way the SDK tries again: it may, since it names each transaction by a token.
        assert!(
            error.is_io() || error.as_other().is_some(),
            "{fault:?}: {error:?}"
        );
        assert!(
            !error.is_timeout() && !error.is_user(),
            "{fault:?}: {error:?}"
        );
    }
    let nobody = HttpRequest::get("http://127.0.0.1:1").unwrap();
    assert!(connections.call(nobody).await.unwrap_err().is_io());
    // Documentation addresses (RFC 5737) lead nowhere: there is no answer, or no way.
    let nowhere = HttpRequest::get("http://192.0.2.1:81").unwrap();
    let error = connections.call(nowhere).await.unwrap_err();
    assert!(error.is_timeout() || error.is_io(), "{error:?}");
}

#[tokio::test]
async fn two_connections_that_are_closed_at_once_cost_nothing() {
    let (table, proxy, store) = proxied().await;
    store
        .transact(None, &[first_write("before")])
        .await
        .unwrap();
    // The connection is closed under the next call, and so is the one that takes its place.
    proxy.plan(once(Fault::CloseNext));
    store.transact(None, &[first_write("after")]).await.unwrap();
    assert_eq!(table.under("#test").len(), 2);
}

#[tokio::test]
async fn an_answer_without_what_was_asked_for_does_not_say_that_there_is_nothing() {
    let (_table, proxy, store) = proxied().await;
    let key = Key::from_parts("#test".to_owned(), "x".to_owned());
    for junk in ["{}", ""] {
        proxy.plan(vec![Strike::always(Fault::Junk(junk))]);
        let said = [
            store.items([key.clone()]).await.err(),
            store.settled_item(&key).await.err(),
            store.due(0, 1).await.err(),
            store.count(&key, 0).await.err(),
            store.scan(|_, _| ()).await.err(),
        ];
        for said in said {
            assert!(matches!(said, Some(StoreError::Unavailable(_))), "{said:?}");
        }
    }
}

#[tokio::test]
async fn a_transaction_cancelled_for_a_reason_that_lasts_is_a_bug_and_writes_nothing() {
    let (table, proxy, store) = proxied().await;
    for reason in [
        "ValidationError",
        "ItemCollectionSizeLimitExceeded",
        "NewInTwoYears",
    ] {
        proxy.plan(once(Fault::Cancel(vec![reason])));
        let said = store.transact(None, &[first_write(reason)]).await;
        let is_bug = matches!(
            &said,
            Err(Rejected::Storage(StoreError::Bug(text))) if text.contains(reason)
        );
        assert!(is_bug, "{said:?}");
        assert!(store.transact(None, &[first_write(reason)]).await.is_ok());
    }
    assert_eq!(table.under("#test").len(), 3);
}

#[tokio::test]
async fn an_answer_without_an_invalidation_accepts_none() {
    let settings = DistributionSettings::local(443, &"k".repeat(64)).unwrap();
    let distribution = Distribution::start(settings).await.unwrap();
    let proxy = Proxy::start(distribution.endpoint()).await;
    let client = Invalidations::connect(CloudFront::local(&proxy.url));
    let [tags, cause] = ["acme:contacts", "cause"].map(|text| [text.to_owned()].into());
    for junk in ["", "<html></html>", "<Invalidation></Invalidation>"] {
        proxy.plan(once(Fault::Junk(junk)));
        let said = client.invalidate(distribution.id(), &tags, &cause).await;
        assert!(
            matches!(said, Err(InvalidationError::Unavailable(_))),
            "{junk}: {said:?}"
        );
    }
    assert_eq!(distribution.counters().invalidations, 0);
    assert_eq!(
        client.invalidate(distribution.id(), &tags, &cause).await,
        Ok(())
    );
    assert_eq!(distribution.counters().invalidations, 1);
}
