//! Mail: every stored email is sent at least once, and none is lost.

use edge_crm_local::{MailFaults, Mailbox};
use edge_crm_tests::inside::{Inside, config, no_edge};
use edge_crm_tests::people::{PASSWORD, email, token};
use edge_crm_tests::world::{MAIL_FROM, Person, World, scheduled_event};
use edge_crm_tests::{Client, Launch, Table};
use mail::{Mailer, Ses};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use wrapper::{Config, Runner};

/// Makes all waiting emails due.
fn hurry(table: &Table) {
    for record in table.under("#mail:") {
        table.make_due(&record);
    }
}

/// The functions over one table, with a mailbox and without schedules.
struct Post {
    inside: Inside,
    mailbox: Mailbox,
    deliver: Runner,
    cookie: String,
}

impl Post {
    async fn start(config: Config) -> Self {
        let mailbox = Mailbox::start().await.unwrap();
        let mailer = Mailer::connect(Ses::local(mailbox.endpoint(), MAIL_FROM));
        Self::with(config, mailbox, mailer).await
    }

    async fn with(config: Config, mailbox: Mailbox, mailer: Mailer) -> Self {
        let inside = Inside::with_mail(config, no_edge(), mailer).await;
        let (cookie, _) = inside.sign_up("Acme").await;
        let deliver = edge_crm_tests::runner(Arc::clone(&inside.app), "deliver-mail");
        Self {
            inside,
            mailbox,
            deliver,
            cookie,
        }
    }

    async fn invite(&self, email: &str) -> Value {
        self.invite_by(&self.cookie, email).await
    }

    async fn invite_by(&self, cookie: &str, email: &str) -> Value {
        let invite = edge_crm_tests::runner(Arc::clone(&self.inside.app), "invite-member");
        let fields = json!({ "email": email, "role": "member" });
        let response = self.inside.post(&invite, cookie, &fields).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.json["data"].clone()
    }

    async fn sweep(&self) -> Value {
        let response = self
            .deliver
            .invoke(scheduled_event().to_string().as_bytes())
            .await;
        serde_json::from_slice(&response).unwrap()
    }

    fn left(&self) -> usize {
        self.inside.table.under("#mail:").len()
    }
}

#[tokio::test]
async fn an_email_is_sent_as_it_was_stored_and_its_link_works() {
    let world = World::start().await;
    let owner = world.sign_up("A & B <Co>").await;
    let mia = email();
    let data = world.invite(&owner, &mia, "admin").await;
    world.delivered(Duration::from_secs(120)).await;
    let mut letters = world.mailbox.emails();
    letters.retain(|letter| letter.to == mia);
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter = &letters[0];
    assert_eq!((&letter.to, letter.from.as_str()), (&mia, MAIL_FROM));
    assert_eq!(letter.subject, "Ada invites you to A & B <Co>");
    let mut lines = letter.plain.lines();
    let link = lines.find(|line| line.starts_with("https://crm.example/accept-invite?token="));
    let link = link.expect("a link").to_owned();
    let shown = data["link"].as_str().unwrap();
    assert!(!link.ends_with(shown), "the inviter sees another link");
    assert!(letter.plain.contains("A & B <Co>") && letter.plain.contains("as admin"));
    assert!(
        letter.html.contains(&format!("href=\"{link}\"")),
        "{letter:?}"
    );
    assert!(letter.html.contains("A &#38; B &#60;Co&#62;") && !letter.html.contains("<Co>"));
    let response = world
        .accept(&Person::default(), &token(&link), PASSWORD)
        .await;
    assert_eq!(response.status, 200, "{response:?}");
}

#[tokio::test]
async fn every_email_arrives_in_spite_of_faults() {
    let post = Post::start(config()).await;
    let emails: BTreeSet<String> = (0..20).map(|_| email()).collect();
    for email in &emails {
        post.invite(email).await;
    }
    post.mailbox.set_faults(MailFaults {
        throttled: 25,
        unavailable: 25,
        lost_after: 20,
        ..MailFaults::default()
    });
    for _ in 0..300 {
        post.sweep().await;
        if post.left() == 0 {
            break;
        }
        hurry(&post.inside.table);
    }
    assert_eq!(post.left(), 0);
    let arrived: BTreeSet<String> = post.mailbox.emails().into_iter().map(|l| l.to).collect();
    assert_eq!(arrived, emails);
}

#[tokio::test]
async fn an_organisation_with_many_emails_does_not_hold_up_another() {
    let post = Post::start(config()).await;
    let (flood, _) = post.inside.sign_up("Flood").await;
    post.invite_by(&flood, "flood@example.com").await;
    let first = post.inside.table.under("#mail:").remove(0);
    let own = email();
    post.invite(&own).await;
    let stored = post.inside.table.under("#mail:");
    let partition = &stored.iter().find(|one| one.get("to") == own).unwrap().pk;
    // All in the partition of that email, and due before it.
    for n in 0..80 {
        let mut email = first.whole();
        email.insert("to".to_owned(), json!(format!("flood{n}@example.com")));
        let mut id = uuid::Uuid::now_v7().to_string();
        id.replace_range(35.., &partition["#mail:".len()..]);
        email.insert("id".to_owned(), json!(id));
        let sk = format!("{}:{id}", &first.sk[..13]);
        post.inside.table.put(partition, &sk, &Value::Object(email));
    }

    post.sweep().await;
    let arrived = post.mailbox.emails();
    let before = arrived.iter().rev().position(|email| email.to == own);
    assert!(before.is_some_and(|before| before <= 16), "{before:?}");
    assert_eq!((arrived.len(), post.left()), (82, 0));
}

#[tokio::test]
async fn after_each_failure_an_email_waits_longer_and_an_outage_never_drops_it() {
    let post = Post::start(config()).await;
    post.invite(&email()).await;
    post.mailbox.set_faults(MailFaults {
        unavailable: 100,
        ..MailFaults::default()
    });
    let mut wait = 10_000;
    for attempt in 1..=12 {
        let before = edge_crm_tests::now() * 1_000;
        post.sweep().await;
        post.sweep().await;
        assert_eq!(post.mailbox.calls(), attempt, "no call while it waits");
        let due = post.inside.table.under("#mail:")[0].get("dueAt");
        let due = due.as_i64().unwrap();
        let after = edge_crm_tests::now() * 1_000;
        // However long the sweeps took.
        assert!(
            due >= before + wait && due < after + wait + 5_000,
            "{attempt}: {}",
            due - before
        );
        wait = (2 * wait).min(900_000);
        hurry(&post.inside.table);
    }
    post.mailbox.set_faults(MailFaults::default());
    post.sweep().await;
    assert_eq!((post.left(), post.mailbox.emails().len()), (0, 1));
}

#[tokio::test]
async fn a_refused_email_is_given_up_and_holds_back_no_other() {
    let post = Post::start(config()).await;
    post.invite(&email()).await;
    post.mailbox.set_faults(MailFaults {
        refused: 100,
        ..MailFaults::default()
    });
    for attempt in 1..=5 {
        assert_eq!(post.left(), 1, "{attempt}");
        post.sweep().await;
        hurry(&post.inside.table);
    }
    assert_eq!((post.left(), post.mailbox.calls()), (0, 5));
    post.mailbox.set_faults(MailFaults::default());
    post.invite(&email()).await;
    post.sweep().await;
    assert_eq!(post.mailbox.emails().len(), 1);
}

#[tokio::test]
async fn concurrent_runs_for_one_stream_event_send_an_email_once() {
    let post = Post::start(config()).await;
    for round in 1..=5 {
        post.invite(&email()).await;
        let record = post.inside.table.under("#mail:").remove(0);
        let keys = json!({ "pk": { "S": record.pk }, "sk": { "S": record.sk } });
        let stream =
            json!({ "Records": [{ "eventName": "INSERT", "dynamodb": { "Keys": keys } }] });
        let runs = (0..6).map(|_| invoke_quietly(&post.deliver, &stream));
        futures_util::future::join_all(runs).await;
        assert_eq!((post.left(), post.mailbox.emails().len()), (0, round));
    }
    for junk in [json!({}), json!([]), Value::Null] {
        let response = post.deliver.invoke(junk.to_string().as_bytes()).await;
        let response: Value = serde_json::from_slice(&response).unwrap();
        assert!(response["errorMessage"].is_string(), "{response}");
    }
}

async fn invoke_quietly(function: &Runner, event: &Value) {
    function.invoke(event.to_string().as_bytes()).await;
}

#[tokio::test]
async fn an_email_without_a_recipient_and_an_unreadable_one_are_dropped() {
    let post = Post::start(config()).await;
    post.invite(&email()).await;
    let record = post.inside.table.under("#mail:").remove(0);
    let mut item = record.item();
    item.insert("to".to_owned(), Value::Null);
    post.inside
        .table
        .put(&record.pk, &record.sk, &Value::Object(item));
    post.inside
        .table
        .put("#mail:0", "0000000000000:x", &json!({ "id": "x" }));
    post.sweep().await;
    assert_eq!((post.left(), post.mailbox.calls()), (0, 0));
}

static LINES: AtomicU32 = AtomicU32::new(0);

#[tokio::test]
async fn without_a_sender_emails_are_dropped_with_one_log_line_and_the_link_works() {
    let logged = Config {
        log: |line| {
            if line["action"] == "deliver-mail" {
                assert_eq!(line["dropped"], 2, "{line}");
                LINES.fetch_add(1, Ordering::Relaxed);
            }
        },
        ..config()
    };
    let mailbox = Mailbox::start().await.unwrap();
    let post = Post::with(logged, mailbox, Mailer::default()).await;
    post.invite(&email()).await;
    let data = post.invite(&email()).await;
    post.sweep().await;
    post.sweep().await;
    assert_eq!((post.left(), LINES.load(Ordering::Relaxed)), (0, 1));
    let accept = edge_crm_tests::runner(Arc::clone(&post.inside.app), "accept-invite");
    let token = token(data["link"].as_str().unwrap());
    let fields = json!({ "token": token, "name": "Mia", "password": PASSWORD });
    let response = post.inside.post(&accept, "", &fields).await;
    assert_eq!(response.status, 200, "{response:?}");
}

#[tokio::test]
async fn no_log_line_contains_an_email_address() {
    static SEEN: AtomicU32 = AtomicU32::new(0);
    let logged = Config {
        log: |line| {
            assert!(!line.to_string().contains("@example.com"), "{line}");
            SEEN.fetch_add(1, Ordering::Relaxed);
        },
        ..config()
    };
    let post = Post::start(logged).await;
    post.invite(&email()).await;
    post.mailbox.set_faults(MailFaults {
        refused: 100,
        ..MailFaults::default()
    });
    post.sweep().await;
    assert!(SEEN.load(Ordering::Relaxed) >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailbox_shows_sent_emails_escaped() {
    let product = Launch::new().start();
    let owner = product.sign_up("<b>A</b> & \"Co\"").await;
    let letters = product.wait_for_letters(&owner.email, 1).await;
    let confirmation = [("token", letters[0].token())];
    assert_eq!(owner.post("confirm-email", &confirmation).await.status, 200);
    let mut links = Vec::new();
    for address in [email(), email()] {
        let fields = [("email", address.as_str()), ("role", "member")];
        assert_eq!(owner.post("invite-member", &fields).await.status, 200);
        links.push(product.wait_for_letters(&address, 1).await.remove(0).link);
    }
    let page = owner.page("/mailbox").await;
    assert!(
        page.text
            .contains("&#60;b&#62;A&#60;/b&#62; &#38; &#34;Co&#34;"),
        "{page:?}"
    );
    assert!(!page.text.contains("<b>A"), "{page:?}");
    let at = |link: &str| {
        page.text
            .find(&format!("<a href=\"{}{link}\"", owner.origin()))
    };
    let [first, second] = [at(&links[0]), at(&links[1])].map(|at| at.expect("a link"));
    assert!(second < first, "the newest is first");
    let joining: Client = product.client();
    let opened = joining.page(&links[0]).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    let fields = [
        ("token", &*token(&links[0])),
        ("name", "Mia"),
        ("password", PASSWORD),
    ];
    let joined = joining.post("accept-invite", &fields).await.data();
    assert_eq!(joined["role"], "member");
}
