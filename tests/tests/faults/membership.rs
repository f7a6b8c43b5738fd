//! Every action of a member whose membership changes at the last moment: when the action has decided, and
//! its transaction is on the way. Nothing is written for somebody who is no longer allowed to.

use crate::effect::Effect;
use crate::lane::counting;
use action::Role;
use edge_crm_tests::Record;
use edge_crm_tests::fault::{Fault, Strike};
use edge_crm_tests::inside::Answer;
use edge_crm_tests::prepared::{Copy, Prepared};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What happens to the membership meanwhile.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    Removed,
    /// Removed, and a member again since.
    Rejoined,
    Demoted,
    Renamed,
}

/// The key of the membership of the caller of a sample; `None` if the sample is of a user who is signed
/// out.
fn membership(event: &Value) -> Option<(String, String)> {
    let cookie = event["cookies"].as_array()?.first()?.as_str()?;
    let mut claims = cookie.split('.').skip(2);
    let (tenant, user) = (claims.next()?, claims.next()?);
    Some((format!("{tenant}:members"), user.to_owned()))
}

fn change(copy: &Copy, (pk, sk): &(String, String), change: Change) {
    let table = &copy.inside.table;
    let stored = table.under(pk).into_iter().find(|record| record.sk == *sk);
    let mut item = stored.expect("the membership").whole();
    let version = item["version"].as_u64().expect("a version");
    match change {
        Change::Removed => return table.remove(pk, sk),
        Change::Rejoined => {
            let now = jiff::Timestamp::now().to_string();
            item.extend([("createdAt".to_owned(), json!(now))]);
            item.extend([("version".to_owned(), json!(1))]);
        }
        Change::Demoted => item.extend([("role".to_owned(), json!("viewer"))]),
        Change::Renamed => item.extend([("name".to_owned(), json!("Another Name"))]),
    }
    if change != Change::Rejoined {
        item.extend([("version".to_owned(), json!(version + 1))]);
    }
    table.put(pk, sk, &Value::Object(item));
}

/// Sends the action's sample, holds its first transaction back, makes the change, and lets the
/// transaction go. Returns the response, the table before it and after it, and how many transactions were
/// sent. `None` if there was no transaction.
async fn race(
    prepared: &Prepared,
    own: &(String, String),
    what: Change,
) -> Option<(Answer, [Vec<Record>; 2], usize)> {
    let copy = prepared.copy_with(counting()).await;
    let proxy = &copy.inside.proxy;
    proxy.plan(vec![Strike {
        call: "TransactWriteItems".to_owned(),
        after: 0,
        times: 1,
        fault: Fault::HeldCall,
    }]);
    let event = prepared.event();
    let request = copy.send(&event);
    tokio::pin!(request);
    let held = async {
        while proxy.made.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _response = &mut request => return None,
        () = held => {}
    }
    change(&copy, own, what);
    let before = copy.inside.table.dump();
    proxy.calls();
    proxy.writes();
    proxy.plan(Vec::new());
    let response = request.await;
    let sent = proxy.writes().len();
    Some((response, [before, copy.inside.table.dump()], sent))
}

/// The lowest role that the sample of the action requires. Removing others requires an admin, though every
/// member may leave.
fn least(prepared: &Prepared) -> Option<Role> {
    let function = functions::named(prepared.name).expect("a function");
    match prepared.name {
        "remove-member" => Some(Role::Admin),
        // The sample has a session instead of a token.
        "create-organization" => Some(Role::Viewer),
        _ => function.routes()[0].least,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_for_a_member_who_has_lost_the_membership_meanwhile() {
    let mut tried = 0;
    for prepared in Prepared::all().await.iter().filter(|one| one.is_action()) {
        let Some(own) = membership(&prepared.event()) else {
            continue;
        };
        let least = least(prepared);
        for what in [
            Change::Removed,
            Change::Rejoined,
            Change::Demoted,
            Change::Renamed,
        ] {
            let name = format!("{} {what:?}", prepared.name);
            let Some((response, [before, after], sent)) = race(prepared, &own, what).await else {
                panic!("{name}: no transaction");
            };
            let expected = match (what, least) {
                // Who signs out need not be a member.
                (_, None) | (Change::Renamed, _) => 200,
                (Change::Removed | Change::Rejoined, _) => 401,
                (Change::Demoted, Some(Role::Viewer)) => 200,
                (Change::Demoted, _) => 403,
            };
            assert_eq!(response.status, expected, "{name}: {response:?}");
            if expected != 200 {
                assert_eq!(response.json["code"], "AUTH_ERROR", "{name}: {response:?}");
                let effect = Effect::between(&before, &after);
                assert_eq!(effect, Effect::default(), "{name}");
                // The one that was held back. A refusal is not retried.
                assert_eq!(sent, 0, "{name} sent {sent} more transactions");
            }
            if expected == 401 {
                let clears = |cookie: &String| cookie.contains("session=;");
                assert!(response.cookies.iter().any(clears), "{name}: {response:?}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 60, "only {tried} cases");
}
