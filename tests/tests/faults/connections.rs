//! How the clients classify each fault of a connection, and what the SDK then does.

use crate::cases::{HURRIED, UNHURRIED};
use action::{Expect, Key, Operation};
use aws::Access;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use cdn::{CloudFront, InvalidationError, Invalidations};
use edge_crm_local::{Distribution, DistributionSettings};
use edge_crm_tests::Table;
use edge_crm_tests::fault::{Call, Fault, Proxy, Strike};
use edge_crm_tests::inside::unhurried;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use store::{Patience, Rejected, Store, StoreError, TableSettings};

/// A delay that outlasts every test.
const NEVER: Duration = Duration::from_secs(3_600);

/// Each fault, and whether the call takes effect all the same.
fn faults() -> [(Fault, bool); 9] {
    [
        (Fault::DropBefore, false),
        (Fault::ResetBefore, false),
        (Fault::CloseNext, false),
        (Fault::Refuse(503, "ServiceUnavailable"), false),
        (Fault::DropAfter, true),
        (Fault::ResetAfter, true),
        (Fault::Cut, true),
        (Fault::SlowAnswer(NEVER), true),
        (Fault::RefuseAfter(500, "InternalServerError"), true),
    ]
}

async fn proxied() -> (Table, Proxy, Store) {
    let table = Table::start().await;
    let direct = Store::connect(unhurried(table.url()));
    direct.create_table_if_missing().await.unwrap();
    let proxy = Proxy::start(table.url()).await;
    let store = limited(&proxy, UNHURRIED);
    (table, proxy, store)
}

/// A store behind the proxy, with these time limits. It has a region of its own, because the SDK
/// counts the retries of all clients of one region in a process together, and refuses more after
/// many failures: those of the tests beside this one.
fn limited(proxy: &Proxy, patience: Patience) -> Store {
    static REGIONS: AtomicUsize = AtomicUsize::new(0);
    let number = REGIONS.fetch_add(1, Ordering::Relaxed);
    Store::connect(TableSettings {
        patience,
        region: Some(format!("connections-{number}")),
        ..unhurried(&proxy.url)
    })
}

fn once(fault: Fault) -> Vec<Strike> {
    vec![Strike {
        times: 1,
        ..Strike::always(fault)
    }]
}

/// A write that fails if it is repeated.
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
    let (table, proxy, _) = proxied().await;
    // Only the first attempt gets no response. The second has 20 s, and so the busiest machine too.
    let hurried = Patience {
        attempt: Duration::from_secs(20),
        ..UNHURRIED
    };
    for (at, (fault, _)) in faults().into_iter().enumerate() {
        let name = at.to_string();
        let patience = match fault {
            Fault::SlowAnswer(_) => hurried,
            _ => UNHURRIED,
        };
        // New connections each time: one that an earlier fault has closed would be a further fault.
        let store = limited(&proxy, patience);
        proxy.calls();
        proxy.plan(once(fault.clone()));
        // Without the token the second attempt would find the item of the first.
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
async fn a_missing_response_is_a_timeout_and_a_refusal_is_unavailable_storage() {
    let (table, proxy, store) = proxied().await;
    let hurried = limited(&proxy, HURRIED);
    for (at, (fault, made)) in faults().into_iter().enumerate() {
        let store = match fault {
            Fault::SlowAnswer(_) => &hurried,
            _ => &store,
        };
        let name = format!("{at} for good");
        let before = table.under("#test").len();
        proxy.plan(vec![Strike::always(fault.clone())]);
        let error = match store.transact(None, &[first_write(&name)]).await {
            Err(Rejected::Storage(error)) => error,
            other => panic!("{fault:?}: {other:?}"),
        };
        match fault {
            Fault::SlowAnswer(_) => assert!(matches!(error, StoreError::Timeout(_)), "{error}"),
            _ => assert!(
                matches!(error, StoreError::Unavailable(_)),
                "{fault:?}: {error}"
            ),
        }
        // A call that timed out may still be on its way.
        let late = Instant::now() + Duration::from_secs(60);
        while made && table.under("#test").len() == before && Instant::now() < late {
            tokio::time::sleep(Duration::from_millis(10)).await;
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
async fn a_broken_connection_is_no_timeout_and_no_mistake_of_the_caller() {
    let (_table, proxy, _) = proxied().await;
    let connections = Access::local().connect(UNHURRIED.connect);
    for fault in [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::ResetBefore,
        Fault::ResetAfter,
    ] {
        proxy.plan(once(fault.clone()));
        let request = HttpRequest::get(&proxy.url).unwrap();
        let error = connections.call(request).await.unwrap_err();
        // Either way the SDK retries. That is safe, since each transaction has a token.
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
    // A documentation address (RFC 5737) leads nowhere: no response, or no route.
    let connections = Access::local().connect(HURRIED.connect);
    let nowhere = HttpRequest::get("http://192.0.2.1:81").unwrap();
    let error = connections.call(nowhere).await.unwrap_err();
    assert!(error.is_timeout() || error.is_io(), "{error:?}");
}

#[tokio::test]
async fn two_closed_connections_in_a_row_are_survived() {
    let (table, proxy, store) = proxied().await;
    store
        .transact(None, &[first_write("before")])
        .await
        .unwrap();
    // The connection of the next call is closed, and so is the one that replaces it.
    proxy.plan(once(Fault::CloseNext));
    store.transact(None, &[first_write("after")]).await.unwrap();
    assert_eq!(table.under("#test").len(), 2);
}

#[tokio::test]
async fn an_empty_response_does_not_mean_that_nothing_is_stored() {
    let (_table, proxy, store) = proxied().await;
    let key = Key::from_parts("#test".to_owned(), "x".to_owned());
    for junk in ["{}", ""] {
        proxy.plan(vec![Strike::always(Fault::Junk(junk))]);
        let errors = [
            store.items([key.clone()]).await.err(),
            store.settled_item(&key).await.err(),
            store.due(0).await.err(),
            store.count(&key, 0).await.err(),
            store.scan(|_, _| ()).await.err(),
        ];
        for error in errors {
            assert!(
                matches!(error, Some(StoreError::Unavailable(_))),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_transaction_cancelled_for_a_lasting_reason_is_a_bug_and_writes_nothing() {
    let (table, proxy, store) = proxied().await;
    for reason in [
        "ValidationError",
        "ItemCollectionSizeLimitExceeded",
        "NewInTwoYears",
    ] {
        proxy.plan(once(Fault::Cancel(vec![reason])));
        let outcome = store.transact(None, &[first_write(reason)]).await;
        let is_bug = matches!(
            &outcome,
            Err(Rejected::Storage(StoreError::Bug(text))) if text.contains(reason)
        );
        assert!(is_bug, "{outcome:?}");
        assert!(store.transact(None, &[first_write(reason)]).await.is_ok());
    }
    assert_eq!(table.under("#test").len(), 3);
}

#[tokio::test]
async fn a_response_without_an_invalidation_is_not_taken_as_accepted() {
    let settings = DistributionSettings::local(443, &"k".repeat(64)).unwrap();
    let distribution = Distribution::start(settings).await.unwrap();
    let proxy = Proxy::start(distribution.endpoint()).await;
    let client = Invalidations::connect(CloudFront::local(&proxy.url));
    let [tags, cause] = ["acme:contacts", "cause"].map(|text| [text.to_owned()].into());
    for junk in ["", "<html></html>", "<Invalidation></Invalidation>"] {
        proxy.plan(once(Fault::Junk(junk)));
        let outcome = client.invalidate(distribution.id(), &tags, &cause).await;
        assert!(
            matches!(outcome, Err(InvalidationError::Unavailable(_))),
            "{junk}: {outcome:?}"
        );
    }
    assert_eq!(distribution.counters().invalidations, 0);
    assert_eq!(
        client.invalidate(distribution.id(), &tags, &cause).await,
        Ok(())
    );
    assert_eq!(distribution.counters().invalidations, 1);
}
