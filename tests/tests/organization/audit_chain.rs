//! The chains of audit records. Everything that the product does leaves them whole, and every other
//! change to the table breaks them.

use action::{Item, Key, Role};
use edge_crm_tests::people::PASSWORD;
use edge_crm_tests::world::{Person, World};
use edge_crm_tests::{Launch, Record, Scratch, Table, verify_audit};
use serde_json::{Value, json};
use wrapper::audit_hash;

const NONE: [&str; 0] = [];

/// An organisation in which two members have worked on two contacts.
struct Acme {
    world: World,
    ada: Person,
    bob: Person,
    /// Created, updated three times by two members, and not deleted.
    kept: String,
    /// Created, updated and deleted.
    gone: String,
}

impl Acme {
    async fn start() -> Self {
        let world = World::start().await;
        let ada = world.sign_up("Acme").await;
        let bob = world.join(&ada, Role::Member);
        let mut acme = Self {
            world,
            ada,
            bob,
            kept: String::new(),
            gone: String::new(),
        };
        acme.kept = acme.create("kept@example.com").await;
        acme.gone = acme.create("gone@example.com").await;
        for (version, person) in [(1, &acme.ada), (2, &acme.bob), (3, &acme.ada)] {
            let fields = change(&acme.kept, version);
            let response = acme.world.act(person, "update-contact", &fields).await;
            assert_eq!(response.status, 200, "{response:?}");
        }
        let fields = change(&acme.gone, 1);
        acme.world.act(&acme.ada, "update-contact", &fields).await;
        let which = json!({ "id": acme.gone });
        let response = acme.world.act(&acme.ada, "delete-contact", &which).await;
        assert_eq!(response.status, 200, "{response:?}");
        acme
    }

    async fn create(&self, email: &str) -> String {
        let fields = json!({ "name": "Zoë", "email": email });
        let response = self.world.act(&self.bob, "create-contact", &fields).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["data"]["id"].as_str().unwrap().to_owned()
    }

    fn table(&self) -> &Table {
        &self.world.table
    }

    /// The audit records of a contact, oldest first.
    fn chain(&self, id: &str) -> Vec<Record> {
        let mut records = self.table().under("#audit:acme");
        records.retain(|record| record.get("subjectId") == id);
        records.sort_by(|a, b| a.sk.cmp(&b.sk));
        records
    }

    /// What the verification finds after `tamper`. Then undoes the change.
    async fn found(&self, tamper: impl FnOnce(&Self)) -> String {
        let before = self.table().dump();
        tamper(self);
        assert_ne!(self.table().dump(), before, "the tampering changed nothing");
        let found = self.table().broken_chains().await.join("\n");
        for record in self.table().dump() {
            self.table().remove(&record.pk, &record.sk);
        }
        for record in before {
            put(self.table(), &record, record.whole());
        }
        assert_eq!(self.table().broken_chains().await, NONE);
        found
    }
}

fn change(id: &str, version: u32) -> Value {
    let notes = format!("Version {version}, “quoted”, \n and 1.50");
    json!({ "id": id, "version": version, "name": "Zoë", "email": format!("{id}@example.com"), "notes": notes })
}

fn put(table: &Table, record: &Record, item: Item) {
    table.put(&record.pk, &record.sk, &Value::Object(item));
}

fn with(record: &Record, name: &str, value: Value) -> Item {
    let mut item = record.whole();
    item.insert(name.to_owned(), value);
    item
}

/// The item with the right hash.
fn hashed(record: &Record, mut item: Item) -> Item {
    let hash = audit_hash(
        &Key::from_parts(record.pk.clone(), record.sk.clone()),
        &item,
    );
    item.insert("hash".to_owned(), json!(hash));
    item
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_whole_after_actions_of_several_members() {
    let acme = Acme::start().await;
    assert_eq!(acme.table().broken_chains().await, NONE);
    let chain = acme.chain(&acme.kept);
    let text = |record: &Record, name: &str| record.get(name).as_str().map(str::to_owned);
    assert_eq!(chain.len(), 4);
    assert_eq!(text(&chain[0], "previous"), None);
    for pair in chain.windows(2) {
        assert_eq!(text(&pair[1], "previous"), text(&pair[0], "hash"));
    }
    let stored = acme.table().under("acme:contacts").remove(0);
    assert_eq!(stored.get("auditHead"), chain[3].get("hash"));
    let last = acme.chain(&acme.gone).remove(2);
    assert_eq!(last.get("action"), "delete-contact");
    let place = json!(["#trash:acme", acme.gone]);
    assert_eq!(last.get("head"), place, "the chain continues in the trash");
    let session = acme.table().audits("sign-up").remove(0);
    assert_eq!(session.get("resource"), "members");
    assert!(session.get("hash").is_string(), "a member is an entity too");
}

/// An invited user who has an account replaces the invitee, under the id of the account.
#[tokio::test(flavor = "multi_thread")]
async fn a_chain_continues_under_the_id_of_the_user_who_accepts() {
    let acme = Acme::start().await;
    let (mia, email) = acme.world.joined(&acme.ada, "member").await;
    let other = acme.world.sign_up("Other").await;
    let token = acme.world.invitation(&other, &email, "admin").await;
    let response = acme.world.accept(&mia, &token, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(acme.table().broken_chains().await, NONE);
    let records = acme.table().under("#audit:other");
    let of = |action: &str| {
        let record = records.iter().find(|record| record.get("action") == action);
        record.expect("a record").clone()
    };
    let (invited, accepted) = (of("invite-member"), of("accept-invite"));
    assert_ne!(invited.get("subjectId"), accepted.get("subjectId"));
    assert_eq!(accepted.get("previous"), invited.get("hash"));
    for (record, flaw) in [
        (&invited, "the record before"),
        (&accepted, "its entity is not there"),
    ] {
        let found = acme
            .found(|acme| acme.table().remove(&record.pk, &record.sk))
            .await;
        assert!(found.contains(flaw), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_continues_in_the_trash_and_ends_when_the_trash_is_emptied() {
    let acme = Acme::start().await;
    let deleted = acme.table().under("#trash:acme").remove(0);
    let found = acme
        .found(|acme| acme.table().remove(&deleted.pk, &deleted.sk))
        .await;
    assert!(found.contains("is not there as record"), "{found:?}");

    let which = json!({ "id": acme.gone });
    let world = &acme.world;
    let restored = world.act(&acme.ada, "restore-contact", &which).await;
    assert_eq!(restored.status, 200, "{restored:?}");
    let chain = acme.chain(&acme.gone);
    assert_eq!(chain[3].get("previous"), chain[2].get("hash"));
    assert_eq!(acme.table().broken_chains().await, NONE);

    let gone = world.act(&acme.ada, "delete-contact", &which).await;
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!(acme.table().broken_chains().await, NONE);
    // As long after that as the table takes to remove it.
    let deletion = acme.chain(&acme.gone).remove(4);
    let item = with(&deletion, "at", json!("2026-01-01T00:00:00Z"));
    put(acme.table(), &deletion, hashed(&deletion, item));
    acme.table().remove("#trash:acme", &acme.gone);
    assert_eq!(acme.table().broken_chains().await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_and_a_refusal_add_nothing_to_a_chain() {
    let acme = Acme::start().await;
    let mut fields = change(&acme.kept, 4);
    fields["idempotency_key"] = json!("again");
    for _ in 0..3 {
        let response = acme.world.act(&acme.bob, "update-contact", &fields).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
    let stale = acme
        .world
        .act(&acme.ada, "update-contact", &change(&acme.kept, 1))
        .await;
    assert_eq!(stale.status, 409);
    assert_eq!(acme.chain(&acme.kept).len(), 5);
    assert_eq!(acme.table().broken_chains().await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_updates_do_not_fork_a_chain() {
    let acme = Acme::start().await;
    let fields = change(&acme.kept, 4);
    let which = json!({ "id": acme.kept });
    let (ada, bob) = (&acme.ada, &acme.bob);
    let updates = (0..8).map(|n| {
        let person = if n % 2 == 0 { ada } else { bob };
        acme.world.act(person, "update-contact", &fields)
    });
    // It runs again where an update comes in between.
    let deletion = acme.world.act(ada, "delete-contact", &which);
    let (updated, deleted) = futures_util::join!(futures_util::future::join_all(updates), deletion);
    let done = updated
        .iter()
        .filter(|response| response.status == 200)
        .count();
    assert!(done <= 1, "{updated:?}");
    assert_eq!(deleted.status, 200, "{deleted:?}");
    assert_eq!(acme.chain(&acme.kept).len(), 4 + done + 1);
    assert_eq!(acme.table().broken_chains().await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_record_is_found() {
    let acme = Acme::start().await;
    let second = &acme.chain(&acme.kept)[1];
    for (name, value) in [
        ("action", json!("create-contact")),
        ("userId", json!("0197a3b0-0000-7000-8000-00000000000f")),
        ("at", json!("2020-01-01T00:00:00Z")),
        ("outcome", json!("no")),
        ("input", json!({})),
        ("userAgent", json!("another")),
        ("added", json!(1)),
    ] {
        let found = acme
            .found(|acme| put(acme.table(), second, with(second, name, value)))
            .await;
        assert!(
            found.contains(&acme.kept) && found.contains("was changed"),
            "{name}: {found:?}"
        );
    }
    let found = acme
        .found(|acme| {
            let item = with(second, "input", json!({}));
            put(acme.table(), second, hashed(second, item));
        })
        .await;
    assert!(
        found.contains("the record before"),
        "with the right hash: {found:?}"
    );
    let newest = &acme.chain(&acme.kept)[3];
    let found = acme
        .found(|acme| {
            let item = with(newest, "input", json!({}));
            put(acme.table(), newest, hashed(newest, item));
        })
        .await;
    assert!(found.contains("the head"), "the newest record: {found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_record_is_found_at_any_place() {
    let acme = Acme::start().await;
    let expected = [
        "the record before",
        "the record before",
        "the record before",
        "the head",
    ];
    for (at, words) in expected.into_iter().enumerate() {
        let record = &acme.chain(&acme.kept)[at];
        let found = acme
            .found(|acme| acme.table().remove(&record.pk, &record.sk))
            .await;
        assert!(
            found.contains(&acme.kept) && found.contains(words),
            "{at}: {found:?}"
        );
    }
    let deletion = &acme.chain(&acme.gone)[2];
    let found = acme
        .found(|acme| acme.table().remove(&deletion.pk, &deletion.sk))
        .await;
    assert!(
        found.contains(&acme.gone) && found.contains("is not there"),
        "{found:?}"
    );
    let found = acme
        .found(|acme| {
            for record in acme.chain(&acme.kept) {
                acme.table().remove(&record.pk, &record.sk);
            }
        })
        .await;
    assert!(found.contains("does not match any"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_and_moved_records_are_found() {
    let acme = Acme::start().await;
    let chain = acme.chain(&acme.kept);
    let found = acme
        .found(|acme| {
            put(acme.table(), &chain[1], chain[2].whole());
            put(acme.table(), &chain[2], chain[1].whole());
        })
        .await;
    assert!(found.contains("was changed"), "{found:?}");
    let found = acme
        .found(|acme| {
            acme.table().remove(&chain[1].pk, &chain[1].sk);
            acme.table().put(
                "#audit:other",
                &chain[1].sk,
                &Value::Object(chain[1].whole()),
            );
        })
        .await;
    assert!(
        found.contains("acme contacts") && found.contains("other contacts"),
        "{found:?}"
    );
    // A second record after the same one, as if another user had done something.
    let found = acme
        .found(|acme| {
            let id = uuid::Uuid::now_v7().to_string();
            let key = Key::from_parts("#audit:acme".to_owned(), id.clone());
            let mut item = with(&chain[3], "id", json!(id));
            let hash = audit_hash(&key, &item);
            item.insert("hash".to_owned(), json!(hash));
            acme.table().put("#audit:acme", &id, &Value::Object(item));
        })
        .await;
    assert!(found.contains("not the only one"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_with_a_foreign_head_is_found() {
    let acme = Acme::start().await;
    let stored = &acme.table().under("acme:contacts")[0];
    let older = acme.chain(&acme.kept)[2].get("hash");
    for head in [older, json!("0"), Value::Null] {
        let found = acme
            .found(|acme| put(acme.table(), stored, with(stored, "auditHead", head)))
            .await;
        assert!(found.contains(&acme.kept), "{found:?}");
    }
    let found = acme
        .found(|acme| acme.table().remove(&stored.pk, &stored.sk))
        .await;
    assert!(found.contains("is not there"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_reports_what_is_wrong_and_where() {
    let scratch = Scratch::new();
    let directory = scratch.path().to_str().unwrap();
    let (code, text) = verify_audit(&["--data", directory]);
    assert_eq!(code, Some(2), "there is no database yet: {text}");
    let product = Launch::new().data(scratch.path()).start();
    let acme = product.sign_up("Acme").await;
    acme.create("Zoë", "zoe@example.com").await;
    let (code, text) = verify_audit(&["--data", directory]);
    assert_eq!(code, Some(2), "the database is in use: {text}");
    assert!(product.stop().status.success());
    let (code, text) = verify_audit(&["--data", directory]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("2 audit records"), "{text}");

    let table = Table::start().await;
    let product = Launch::new().table(&table).start();
    let acme = product.sign_up("Acme").await;
    let id = acme.create("Zoë", "zoe@example.com").await["id"].clone();
    let other = product.sign_up("Other").await;
    other.create("Bo", "bo@example.com").await;
    let record = table.audits("create-contact").remove(0);
    assert_eq!(record.get("subjectId"), id);
    table.put(
        &record.pk,
        &record.sk,
        &Value::Object(with(&record, "ip", json!("192.0.2.9"))),
    );
    let (code, text) = verify_audit(&["--dynamodb-url", table.url()]);
    assert_eq!(code, Some(1), "{text}");
    let broken = format!(
        "acme contacts {}: record {}",
        id.as_str().unwrap(),
        record.sk
    );
    assert!(text.contains(&broken), "{text}");
    for (tenant, expected) in [("acme", 1), ("other", 0)] {
        let arguments = ["--dynamodb-url", table.url(), "--tenant", tenant];
        let (code, text) = verify_audit(&arguments);
        assert_eq!(code, Some(expected), "{text}");
    }
}

/// Tries every action with additional fields, signed in and not signed in.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_stored_anywhere() {
    const SECRET: &str = "correct-horse-zarquon";
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    let template = edge_crm_local::Template::parse(edge_crm_local::TEMPLATE).unwrap();
    for action in &template.functions {
        for person in [Person::default(), ada.clone()] {
            let fields = json!({
                "name": "Eve", "email": format!("{}@example.com", uuid::Uuid::new_v4()),
                "organization": "Other", "password": SECRET, "current_password": SECRET,
                "new_password": SECRET, "token": SECRET, "idempotency_key": "k",
            });
            world.act(&person, action, &fields).await;
        }
    }
    let fields = json!({ "name": "Eve", "email": "eve@example.com", "organization": "Eve", "password": SECRET });
    let signed_up = world.act(&Person::default(), "sign-up", &fields).await;
    let signed_in = world.act(&Person::default(), "sign-in", &fields).await;
    assert_eq!((signed_up.status, signed_in.status), (200, 200));
    let audit = world.table.audits("sign-in").remove(0);
    assert_eq!(audit.get("input")["password"], "[redacted]");
    let session = signed_in.cookie("__Host-session").unwrap();
    let secret = session.split('.').nth(1).unwrap();
    for record in world.table.dump() {
        let text = format!("{record:?}");
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.contains(secret), "{text}");
    }
}
