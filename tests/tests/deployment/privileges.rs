//! Each function has exactly the AWS permissions that it uses. With fewer it would fail only on AWS.
//! `UPDATE=1` writes the observed calls to the list that the template is generated from.

mod contacts;
mod identity;
mod members;
mod own;
mod projects;
mod samples;

use cdn::{CloudFront, Invalidations};
use edge_crm_local::{Distribution, DistributionSettings, Faults, Mailbox, TEMPLATE};
use edge_crm_tests::inside::{
    Answer, DISTRIBUTION, Inside, ORIGIN_SECRET, config, event, invoke, through_edge,
};
use edge_crm_tests::now;
use edge_crm_tests::world::MAIL_FROM;
use mail::{Mailer, Ses};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::OutboxRecord;
use wrapper::{Config, Runner};
use xtask::calls::{Calls, OBSERVE, PATH};

const LIST: &str = "/t/acme/contacts";
const INVALIDATE: &str = "cloudfront:CreateInvalidation";

type Permissions = BTreeMap<String, BTreeSet<String>>;

/// The calls that the template allows each function, by its binary.
fn allowed() -> Permissions {
    let template: Value = serde_saphyr::from_str(TEMPLATE).expect("YAML");
    let resources = template["Resources"].as_object().expect("resources");
    let mut allowed = Permissions::new();
    for (id, function) in resources {
        if function["Type"] != "AWS::Serverless::Function" {
            continue;
        }
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str();
        let of = allowed
            .entry(binary.expect("a binary").to_owned())
            .or_default();
        let policies = function["Properties"]["Policies"].as_array();
        for policy in policies.expect("policies") {
            match policy["Ref"].as_str() {
                Some(name) => {
                    of.extend(actions(&resources[name]["Properties"]["PolicyDocument"]));
                }
                None => of.extend(actions(policy)),
            }
        }
        let role = json!({ "Ref": format!("{id}Role") });
        for policy in resources.values() {
            let roles = policy["Properties"]["Roles"].as_array();
            if roles.is_some_and(|roles| roles.contains(&role)) {
                of.extend(actions(&policy["Properties"]["PolicyDocument"]));
            }
        }
        // Lambda reads the stream with these, and notes what it skips. The function calls none of them.
        let stream = [
            "DescribeStream",
            "GetRecords",
            "GetShardIterator",
            "ListStreams",
            "sqs:SendMessage",
        ];
        of.retain(|action| !stream.iter().any(|name| action.ends_with(name)));
    }
    allowed
}

fn actions(document: &Value) -> Vec<String> {
    let statements = document["Statement"].as_array().expect("statements");
    let mut actions = Vec::new();
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow");
        match &statement["Action"] {
            Value::Array(several) => actions.extend(several.iter().cloned()),
            one => actions.push(one.clone()),
        }
    }
    let text = |action: Value| action.as_str().expect("an action").to_owned();
    actions.into_iter().map(text).collect()
}

/// The functions, whose calls are recorded.
struct Watched {
    inside: Inside,
    /// Writes to the table without recording.
    distribution: Distribution,
    mailbox: Mailbox,
    used: Permissions,
    keys: u32,
}

impl Watched {
    async fn start() -> Self {
        let settings = DistributionSettings {
            id: DISTRIBUTION.to_owned(),
            ..DistributionSettings::local(443, "a-signing-key-for-the-tests-only").expect("random")
        };
        let distribution = Distribution::start(settings).await.expect("a port");
        let limited = Config {
            origin_secrets: vec![ORIGIN_SECRET.to_owned()],
            rate_limit_per_user: 10_000,
            rate_limit_per_ip: 10_000,
            ..config()
        };
        let edge = Invalidations::connect(CloudFront::local(distribution.endpoint()));
        let mailbox = Mailbox::start().await.expect("a port");
        let mailer = Mailer::connect(Ses::local(mailbox.endpoint(), MAIL_FROM));
        let inside = Inside::with_mail(limited, edge, mailer).await;
        Self {
            inside,
            distribution,
            mailbox,
            used: Permissions::new(),
            keys: 0,
        }
    }

    /// Runs a function and records its calls.
    async fn run(&mut self, function: &Runner, event: &Value) -> Answer {
        self.inside.proxy.permissions();
        let purges = self.distribution.counters().invalidation_requests;
        let calls = self.mailbox.calls();
        let response = invoke(function, event).await;
        let used = self.used.entry(function.name().to_owned()).or_default();
        used.extend(self.inside.proxy.permissions());
        if self.distribution.counters().invalidation_requests > purges {
            used.insert(INVALIDATE.to_owned());
        }
        if self.mailbox.calls() > calls {
            used.insert("ses:SendEmail".to_owned());
        }
        response
    }

    /// Sends a form, with a new idempotency key unless it has one.
    async fn post(&mut self, function: &Runner, cookie: &str, mut fields: Value) -> Answer {
        if fields["idempotency_key"].is_null() {
            self.keys += 1;
            fields["idempotency_key"] = json!(format!("key-{}", self.keys));
        }
        let path = format!("/actions/{}", function.name());
        let mut event = event("POST", &path, cookie, &fields.to_string());
        event["headers"]["x-crm-secret"] = json!(ORIGIN_SECRET);
        self.run(function, &event).await
    }

    async fn get(&mut self, function: &Runner, path: &str, cookie: &str) -> Answer {
        // A request that may not be cached has its own id as the key.
        let key = match function.name() {
            "audit" | "pages" | "settings" => "a-request-id",
            _ => "acme|owner|html|",
        };
        let event = through_edge(path, cookie, "text/html", key);
        self.run(function, &event).await
    }

    /// Marks the tag, as a view does: a cached page may have it.
    async fn mark(&self, tag: &str) {
        self.inside.table.mark(tag, DISTRIBUTION, now() * 1000);
    }

    /// Marks the tag as if the purge of its pages were left to the outbox. A commit then leaves a record too.
    fn pending(&self, tag: &str) {
        let table = &self.inside.table;
        table.mark(tag, DISTRIBUTION, now() * 1000);
        let mark = table.under(&format!("#mark:{tag}")).remove(0);
        let mut item = mark.item();
        item.extend([
            ("closed".to_owned(), json!(true)),
            ("pending".to_owned(), json!("another record")),
        ]);
        table.put(&mark.pk, &mark.sk, &Value::Object(item));
    }

    /// Stores an outbox record, as after a crash right after the commit.
    fn leave(&self, record: &OutboxRecord) {
        let key = record.key();
        let (pk, sk) = key.parts();
        let record = json!({
            "id": record.id, "tags": record.tags, "createdAt": record.created_at,
            "dueAt": record.due_at,
        });
        self.inside.table.put(pk, sk, &record);
    }

    /// Makes the session old and changes its role, so that the next response renews the cookie and
    /// extends the session.
    fn age_session(&self, role: &str) {
        let table = &self.inside.table;
        for (prefix, name, value) in [
            ("#session:", "expires_at", json!(now() + 3600)),
            ("acme:members", "role", json!(role)),
        ] {
            for record in table.under(prefix) {
                let mut item = record.item();
                item.insert(name.to_owned(), value.clone());
                table.put(&record.pk, &record.sk, &Value::Object(item));
            }
        }
    }

    fn function(&self, name: &str) -> Runner {
        let functions = functions::runners(&self.inside.app);
        functions
            .into_iter()
            .find(|f| f.name() == name)
            .expect(name)
    }
}

fn account(password: &str) -> Value {
    json!({
        "name": "Ada", "email": "ada@example.com", "organization": "Acme", "password": password,
    })
}

/// An outbox record of these tags that is due.
fn due(tags: Value) -> OutboxRecord {
    let tags = serde_json::from_value(tags).expect("tags");
    OutboxRecord::new(tags, now() * 1000, now() * 1000 - 1)
}

/// Sign-up: done, replayed, replayed after a crash, refused. Returns the session's cookie.
async fn accounts(watched: &mut Watched) -> String {
    let sign_up = watched.function("sign-up");
    let mut keyed = account("correct horse");
    keyed["idempotency_key"] = json!("sign-up");
    let response = watched.post(&sign_up, "", keyed.clone()).await;
    assert_eq!(response.status, 200, "{response:?}");
    let cookie = response.session();
    watched.post(&sign_up, "", keyed.clone()).await;
    let result = watched.inside.table.results("sign-up").remove(0);
    // As if a mark had been busy: the record is still to be checked.
    let record = due(result.get("tags"));
    let (pk, sk) = record.key().into_parts();
    let mut item = result.item();
    item.insert("outbox".to_owned(), json!([pk, sk]));
    let table = &watched.inside.table;
    table.put(&result.pk, &result.sk, &Value::Object(item));
    watched.leave(&record);
    watched.mark("acme:members").await;
    let replay = watched.post(&sign_up, "", keyed).await;
    assert_eq!(replay.headers["idempotency-replayed"], "true", "{replay:?}");
    let taken = watched.post(&sign_up, "", account("correct horse")).await;
    assert_eq!(taken.status, 409, "{taken:?}");
    watched.age_session("admin");
    watched.post(&sign_up, &cookie, json!({})).await;
    watched.age_session("owner");

    let sign_in = watched.function("sign-in");
    let wrong = watched
        .post(&sign_in, "", account("a wrong password"))
        .await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
    let response = watched
        .post(&sign_in, &cookie, account("correct horse"))
        .await;
    assert_eq!(response.status, 200, "{response:?}");
    cookie
}

async fn sign_out(watched: &mut Watched, cookie: &str) {
    let sign_out = watched.function("sign-out");
    watched.post(&sign_out, "", json!({})).await;
    let response = watched.post(&sign_out, cookie, json!({})).await;
    assert_eq!(response.status, 200, "{response:?}");
}

/// The outbox: empty, with a tag that is not cached, with a live tag, while CloudFront throttles, and
/// afterwards.
async fn revalidate(watched: &mut Watched) {
    let function = watched.function("revalidate");
    let sweep = json!({ "detail-type": "Scheduled Event", "source": "aws.events" });
    let due = || due(json!(["acme:contacts"]));
    watched.run(&function, &sweep).await;
    watched.leave(&due());
    watched.run(&function, &sweep).await;
    let record = due();
    watched.leave(&record);
    watched.mark("acme:contacts").await;
    let throttled = |throttled| Faults {
        throttled,
        ..Faults::default()
    };
    watched.distribution.set_faults(throttled(100));
    let key = record.key();
    let (pk, sk) = key.parts();
    let keys = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    let stream = json!({ "Records": [{ "eventName": "INSERT", "dynamodb": { "Keys": keys } }] });
    watched.run(&function, &stream).await;
    watched.distribution.set_faults(throttled(0));
    // The first backoff is at most a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    watched.run(&function, &sweep).await;
    let left = watched.inside.table.under("#outbox:");
    assert!(
        left.iter().all(|record| !record.get("againAt").is_null()),
        "{left:?}"
    );
}

/// The index: nothing to do, built, and extended.
async fn index_search(watched: &mut Watched, cookie: &str) {
    let function = watched.function("index-search");
    let create = watched.function("create-contact");
    let sweep = json!({ "detail-type": "Scheduled Event", "source": "aws.events" });
    for email in ["first@example.com", "second@example.com"] {
        watched.run(&function, &sweep).await;
        let fields = json!({ "name": email, "email": email });
        let response = watched.post(&create, cookie, fields).await;
        assert_eq!(response.status, 200, "{response:?}");
        watched.run(&function, &sweep).await;
    }
    assert!(watched.inside.table.under("#unindexed:").is_empty());
}

#[tokio::test]
async fn each_function_has_exactly_the_permissions_that_it_uses() {
    let mut watched = Watched::start().await;
    let cookie = accounts(&mut watched).await;
    identity::confirm(&mut watched, &cookie).await;
    // Actions extend an old session too.
    contacts::contacts(&mut watched, &cookie).await;
    projects::projects(&mut watched, &cookie).await;
    let cookie = own::settings(&mut watched, &cookie).await;
    members::members(&mut watched, &cookie).await;
    let cookie = own::forgotten(&mut watched).await;
    revalidate(&mut watched).await;
    index_search(&mut watched, &cookie).await;
    sign_out(&mut watched, &cookie).await;
    let sign_in = watched.function("sign-in");
    let signed_in = watched.post(&sign_in, "", account("correct horse")).await;
    identity::account(&mut watched, &signed_in.session()).await;
    samples::others(&mut watched).await;
    compare(watched.used);
}

/// Compares the observed calls with the list that the template is generated from, and with the
/// template. `UPDATE=1` rewrites the list.
fn compare(used: Permissions) {
    let (root, observed) = (xtask::root(), Calls(used));
    if std::env::var_os("UPDATE").is_some() {
        observed.write(&root).expect("the list of calls");
    }
    let listed = Calls::read(&root).expect("the list of calls");
    let advice = format!("`{OBSERVE}` writes {PATH} anew, and `cargo xtask generate` the template");
    assert_eq!(listed, observed, "{advice}");
    let allowed = allowed();
    for (function, used) in &observed.0 {
        let may = &allowed[function];
        let missing: Vec<_> = used.difference(may).collect();
        let spare: Vec<_> = may.difference(used).collect();
        assert!(
            missing.is_empty(),
            "{function} calls {missing:?} without permission: {advice}"
        );
        assert!(
            spare.is_empty(),
            "{function} may call {spare:?} but never does: {advice}"
        );
    }
    let run: Vec<_> = observed.0.keys().collect();
    assert_eq!(
        run,
        allowed.keys().collect::<Vec<_>>(),
        "every function is run"
    );
}
