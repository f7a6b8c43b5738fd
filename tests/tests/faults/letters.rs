//! The function that sends letters, under every fault of the table and of SES: a letter is never
//! lost, and arrives twice only where nobody could know that it had arrived.

use crate::cases::{self, Case};
use crate::effect::Effect;
use crate::lane::{PATIENCE, counting};
use edge_crm_local::Mailbox;
use edge_crm_tests::fault::{Call, Fault, Proxy, Strike};
use edge_crm_tests::inside::no_edge;
use edge_crm_tests::prepared::{Copy, Prepared};
use edge_crm_tests::world::{MAIL_FROM, scheduled_event};
use edge_crm_tests::{Record, Table};
use futures_util::future::join_all;
use mail::{Mailer, Ses};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::{Store, TableSettings};
use wrapper::{App, Runner};

/// How many work at a time: what waits for a timeout lets others work.
const OFFICES: usize = 12;

/// How often it is tried to send a letter while everything goes wrong. A letter that is refused so
/// often is not given up yet.
const ROUNDS: u64 = 3;

/// How often it is tried again afterwards: once suffices, unless the machine is so busy that calls
/// take longer than they may.
const TRIES: u64 = 12;

/// How often letters arrived, of the cases that befell a call.
#[derive(Default)]
struct Row {
    tried: u64,
    again: u64,
}

/// A table with one letter in it, and SES.
struct Office {
    copy: Copy,
    ses: Proxy,
    mailbox: Mailbox,
    deliver: Runner,
    stored: Vec<Record>,
    letter: Record,
}

impl Office {
    async fn open(prepared: &Prepared) -> Self {
        let copy = prepared.copy().await;
        let table = &copy.inside.table;
        let letter = table.emails().pop().expect("a letter");
        let others = table.emails().into_iter().filter(|other| *other != letter);
        others.for_each(|other| table.remove(&other.pk, &other.sk));
        let mailbox = Mailbox::start().await.expect("a port");
        let ses = Proxy::start(mailbox.endpoint()).await;
        let store = Store::connect(TableSettings {
            patience: PATIENCE,
            ..TableSettings::local(&copy.inside.proxy.url, "edge-crm")
        });
        let mailer = Mailer::connect(Ses::local(&ses.url, MAIL_FROM));
        let app = App::with_mail(store, no_edge(), mailer, counting(), functions::SITE);
        Self {
            stored: table.dump(),
            letter,
            copy,
            ses,
            mailbox,
            deliver: edge_crm_tests::runner(app, "deliver-mail"),
        }
    }

    fn table(&self) -> &Table {
        &self.copy.inside.table
    }

    /// Lambda brings the letter's record, or sweeps; gives how many it says were sent.
    async fn invoke(&self, event: &Value) -> u64 {
        let reply = self.deliver.invoke(event.to_string().as_bytes()).await;
        let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
        reply["sent"].as_u64().unwrap_or_default()
    }

    async fn sweep(&self) -> u64 {
        for letter in self.table().emails() {
            self.table().make_due(&letter);
        }
        self.invoke(&scheduled_event()).await
    }

    fn written(&self) -> Value {
        let keys = json!({ "pk": { "S": self.letter.pk }, "sk": { "S": self.letter.sk } });
        json!({ "Records": [{ "eventName": "INSERT", "dynamodb": { "Keys": keys } }] })
    }

    /// The calls of DynamoDB that it takes to send a letter, and what that leaves.
    async fn learn(&self) -> (Vec<Call>, Effect) {
        let proxy = &self.copy.inside.proxy;
        proxy.calls();
        assert_eq!(self.invoke(&self.written()).await, 1);
        let effect = Effect::between(&self.stored, &self.table().dump());
        (proxy.detailed_calls(), effect)
    }

    /// Tries a case; gives how often the letter arrived, where the fault befell a call.
    async fn try_case(&self, case: &Case, expected: &Effect) -> Result<Option<u64>, String> {
        self.table().restore(&self.stored);
        let (proxy, ses) = (&self.copy.inside.proxy, &self.ses);
        let made = || proxy.made.load(Ordering::Relaxed) + ses.made.load(Ordering::Relaxed);
        let (before, calls) = (made(), self.mailbox.calls());
        proxy.plan(case.database.clone());
        ses.plan(case.beside.clone());
        let mut sent = self.invoke(&self.written()).await;
        for _ in 1..ROUNDS {
            sent += self.sweep().await;
        }
        let befell = made() > before;
        for other in [proxy, ses] {
            other.plan(Vec::new());
            other.quiet().await;
        }
        let mut tries = 0;
        while !self.table().emails().is_empty() && tries < TRIES {
            sent += self.sweep().await;
            tries += 1;
        }
        // Nothing goes wrong in the mailbox itself: each call that reaches it is a letter.
        let arrived = self.mailbox.calls() - calls;
        let left = Effect::between(&self.stored, &self.table().dump());
        if left != *expected {
            return Err(format!("left {left:?}, instead of {expected:?}"));
        }
        // One that failed later does not say what it had sent.
        if arrived == 0 || sent > arrived {
            return Err(format!("said {sent} times to be sent, arrived {arrived}"));
        }
        if arrived > 1 && !may_repeat(case) {
            return Err(format!("arrived {arrived} times"));
        }
        Ok(befell.then_some(arrived))
    }
}

/// Whether a letter may be taken without that being known: its answer is lost, or what removes it
/// fails.
fn may_repeat(case: &Case) -> bool {
    let taken = |fault: &Fault| {
        use Fault as F;
        match fault {
            F::SlowAnswer(by) | F::SlowCall(by) => *by >= mail::PATIENCE,
            F::DropAfter | F::ResetAfter | F::Cut | F::RefuseAfter(..) => true,
            _ => false,
        }
    };
    // The first transaction puts the letter off, the second removes it.
    let removal = |strike: &Strike| match strike.call.as_str() {
        "" => true,
        "TransactWriteItems" => strike.after > 0 || strike.times > 1,
        _ => false,
    };
    case.beside.iter().any(|strike| taken(&strike.fault)) || case.database.iter().any(removal)
}

async fn run(prepared: Arc<Prepared>, expected: Arc<Effect>, cases: Vec<Case>) -> Tried {
    let office = Office::open(&prepared).await;
    let mut tried = Vec::new();
    for case in cases {
        let outcome = office.try_case(&case, &expected).await;
        tried.push((case, outcome));
    }
    tried
}

type Tried = Vec<(Case, Result<Option<u64>, String>)>;

#[tokio::test(flavor = "multi_thread")]
async fn under_every_fault_a_letter_arrives() {
    let all = Prepared::all().await.into_iter();
    let mut waiting = all.filter(|prepared| prepared.name == "reset-password");
    let prepared = Arc::new(waiting.next().expect("the turn when a letter waits"));
    let (calls, effect) = Office::open(&prepared).await.learn().await;
    let names: Vec<_> = calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(
        names,
        ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]
    );
    let mut cases = cases::systematic(&calls, &mut fastrand::Rng::with_seed(7));
    cases.extend(cases::at_the_post());
    let effect = Arc::new(effect);
    let tasks = (0..OFFICES).map(|office| {
        let share = cases.iter().skip(office).step_by(OFFICES).cloned();
        let run = run(Arc::clone(&prepared), Arc::clone(&effect), share.collect());
        tokio::spawn(run)
    });
    let (mut rows, mut wrong) = (BTreeMap::<String, Row>::new(), Vec::new());
    for tried in join_all(tasks.collect::<Vec<_>>()).await {
        for (case, outcome) in tried.expect("an office") {
            match outcome {
                Ok(Some(arrived)) => {
                    let row = rows.entry(case.label).or_default();
                    row.tried += 1;
                    row.again += u64::from(arrived > 1);
                }
                Ok(None) => {}
                Err(what) => wrong.push(format!("{case:?}: {what}")),
            }
        }
    }
    println!("| {:<56} | letters | arrived again |", "fault");
    println!("|---|--:|--:|");
    for (fault, row) in &rows {
        println!("| {fault:<56} | {} | {} |", row.tried, row.again);
    }
    let shown: Vec<_> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} are wrong: {shown:#?}", wrong.len());
    let tried: u64 = rows.values().map(|row| row.tried).sum();
    assert!(tried > 150, "only {tried} letters met a fault");
}
