//! The function that sends emails, under every fault of the table and of SES. An email is never lost,
//! and arrives twice only if the function could not know that it had arrived.

use crate::cases::{self, Case, HURRIED, UNHURRIED, hurry};
use crate::effect::Effect;
use crate::lane::counting;
use edge_crm_local::Mailbox;
use edge_crm_tests::fault::{Call, Fault, Proxy, Strike};
use edge_crm_tests::inside::{no_edge, unhurried};
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

/// How many offices work concurrently. Most of the time they wait for timeouts.
const OFFICES: usize = 12;

/// How many attempts to send the email meet the fault. An email that is refused so often is not
/// given up yet.
const ROUNDS: u64 = 3;

/// How many more attempts may follow without the fault. One is enough, unless the machine is so busy
/// that a call exceeds its time limit.
const TRIES: u64 = 12;

/// How often a case may be repeated because the machine was too slow for a call without a fault.
const REPEATS: usize = 100;

/// The cases that struck a call, and how many of their emails arrived more than once.
#[derive(Default)]
struct Row {
    tried: u64,
    again: u64,
}

/// A table with one email in it, and SES.
struct Office {
    copy: Copy,
    ses: Proxy,
    mailbox: Mailbox,
    /// With [`UNHURRIED`] limits.
    deliver: Runner,
    /// With [`HURRIED`] limits.
    hurried: Runner,
    stored: Vec<Record>,
    email: Record,
}

impl Office {
    async fn open(prepared: &Prepared) -> Self {
        let copy = prepared.copy().await;
        let table = &copy.inside.table;
        let email = table.emails().pop().expect("an email");
        let others = table.emails().into_iter().filter(|other| *other != email);
        others.for_each(|other| table.remove(&other.pk, &other.sk));
        let mailbox = Mailbox::start().await.expect("a port");
        let ses = Proxy::start(mailbox.endpoint()).await;
        let mailer = Mailer::connect(Ses::local(&ses.url, MAIL_FROM));
        let [deliver, hurried] = [UNHURRIED, HURRIED].map(|patience| {
            let store = Store::connect(TableSettings {
                patience,
                ..unhurried(&copy.inside.proxy.url)
            });
            let mailer = mailer.clone();
            let app = App::with_mail(store, no_edge(), mailer, counting(), functions::SITE);
            edge_crm_tests::runner(app, "deliver-mail")
        });
        Self {
            stored: table.dump(),
            email,
            copy,
            ses,
            mailbox,
            deliver,
            hurried,
        }
    }

    fn table(&self) -> &Table {
        &self.copy.inside.table
    }

    /// Passes an event to the function. Returns how many emails it says that it sent.
    async fn invoke(&self, function: &Runner, event: &Value) -> u64 {
        let reply = function.invoke(event.to_string().as_bytes()).await;
        let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
        reply["sent"].as_u64().unwrap_or_default()
    }

    /// Runs the function as its schedule does, once the email is due.
    async fn sweep(&self, function: &Runner) -> u64 {
        for email in self.table().emails() {
            self.table().make_due(&email);
        }
        self.invoke(function, &scheduled_event()).await
    }

    /// The stream's event after the email was stored.
    fn stored_event(&self) -> Value {
        let keys = json!({ "pk": { "S": self.email.pk }, "sk": { "S": self.email.sk } });
        json!({ "Records": [{ "eventName": "INSERT", "dynamodb": { "Keys": keys } }] })
    }

    /// The calls of DynamoDB that sending the email takes, and its effect on the table.
    async fn learn(&self) -> (Vec<Call>, Effect) {
        let proxy = &self.copy.inside.proxy;
        proxy.calls();
        assert_eq!(self.invoke(&self.deliver, &self.stored_event()).await, 1);
        let effect = Effect::between(&self.stored, &self.table().dump());
        (proxy.detailed_calls(), effect)
    }

    /// Tries a case, again if the machine was too slow for a call without a fault: such a call may
    /// have taken effect though the function could not know. Returns how often the email arrived, or
    /// `None` if the fault struck no call.
    async fn try_case(&self, case: &Case, expected: &Effect) -> Result<Option<u64>, String> {
        let (proxy, ses) = (&self.copy.inside.proxy, &self.ses);
        for _ in 0..REPEATS {
            let _earlier = (proxy.given_up(), ses.given_up());
            let outcome = self.try_once(case, expected).await;
            if proxy.given_up() + ses.given_up() == 0 {
                return outcome;
            }
        }
        Err("the machine is too slow".to_owned())
    }

    async fn try_once(&self, case: &Case, expected: &Effect) -> Result<Option<u64>, String> {
        self.table().restore(&self.stored);
        let (proxy, ses) = (&self.copy.inside.proxy, &self.ses);
        let made = || proxy.made.load(Ordering::Relaxed) + ses.made.load(Ordering::Relaxed);
        let (before, calls) = (made(), self.mailbox.calls());
        proxy.plan(case.database.clone());
        ses.plan(case.others.clone());
        let function = match hurry(&case.database) {
            true => &self.hurried,
            false => &self.deliver,
        };
        let mut sent = self.invoke(function, &self.stored_event()).await;
        for _ in 1..ROUNDS {
            sent += self.sweep(function).await;
        }
        let struck = made() > before;
        for other in [proxy, ses] {
            other.plan(Vec::new());
            other.quiet().await;
        }
        let mut tries = 0;
        while !self.table().emails().is_empty() && tries < TRIES {
            sent += self.sweep(&self.deliver).await;
            tries += 1;
        }
        // The mailbox itself has no faults: each call that reaches it is an email.
        let arrived = self.mailbox.calls() - calls;
        let left = Effect::between(&self.stored, &self.table().dump());
        if left != *expected {
            return Err(format!("left {left:?}, instead of {expected:?}"));
        }
        // A run that fails after it has sent emails does not say how many.
        if arrived == 0 || sent > arrived {
            return Err(format!(
                "reported {sent} times as sent, arrived {arrived} times"
            ));
        }
        if arrived > 1 && !may_repeat(case) {
            return Err(format!("arrived {arrived} times"));
        }
        Ok(struck.then_some(arrived))
    }
}

/// Whether the email may arrive without the function knowing: the response of SES is lost, or the
/// write that removes the email fails.
fn may_repeat(case: &Case) -> bool {
    let taken = |fault: &Fault| {
        use Fault as F;
        match fault {
            F::SlowAnswer(by) | F::SlowCall(by) => *by >= mail::PATIENCE,
            F::DropAfter | F::ResetAfter | F::Cut | F::RefuseAfter(..) => true,
            _ => false,
        }
    };
    // The first transaction postpones the email, the second removes it.
    let removal = |strike: &Strike| match strike.call.as_str() {
        "" => true,
        "TransactWriteItems" => strike.after > 0 || strike.times > 1,
        _ => false,
    };
    case.others.iter().any(|strike| taken(&strike.fault)) || case.database.iter().any(removal)
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
async fn under_every_fault_an_email_arrives() {
    let all = Prepared::all().await.into_iter();
    let mut waiting = all.filter(|prepared| prepared.name == "reset-password");
    let prepared = Arc::new(waiting.next().expect("the turn at which an email waits"));
    let (calls, effect) = Office::open(&prepared).await.learn().await;
    let names: Vec<_> = calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(
        names,
        ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]
    );
    let mut cases = cases::systematic(&calls, &mut fastrand::Rng::with_seed(7));
    cases.extend(cases::of_emails());
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
                Err(error) => wrong.push(format!("{case:?}: {error}")),
            }
        }
    }
    println!("| {:<56} | emails | arrived again |", "fault");
    println!("|---|--:|--:|");
    for (fault, row) in &rows {
        println!("| {fault:<56} | {} | {} |", row.tried, row.again);
    }
    let shown: Vec<_> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} are wrong: {shown:#?}", wrong.len());
    let tried: u64 = rows.values().map(|row| row.tried).sum();
    assert!(tried > 150, "only {tried} emails met a fault");
}
