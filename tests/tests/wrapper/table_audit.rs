//! The audit of the whole table finds every flaw, and none in what the product writes.

use edge_crm_tests::{Client, Product, Table, product_with_table};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An organisation that has used every action once, and its table.
struct Used {
    _product: Product,
    table: Table,
    acme: Client,
    live: Value,
}

async fn act(client: &Client, action: &str, fields: &[(&str, &str)]) -> Value {
    client.post(action, fields).await.data()
}

async fn used() -> Used {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let live = acme.create("Ada", "ADA@example.com").await;
    let id = |contact: &Value| contact["id"].as_str().unwrap().to_owned();
    let change = [
        ("id", &*id(&live)),
        ("version", "1"),
        ("name", "Ada"),
        ("email", "ada@two.example"),
    ];
    let live = acme
        .post_form("update-contact", &change, Some("change"))
        .await;
    let live = live.data();
    for email in ["gone@example.com", "back@example.com"] {
        let contact = acme.create("Eve", email).await;
        act(&acme, "delete-contact", &[("id", &id(&contact))]).await;
        if email.starts_with("back") {
            act(&acme, "restore-contact", &[("id", &id(&contact))]).await;
        }
    }
    let project = act(&acme, "create-project", &[("name", "Moon")]).await;
    for _ in 0..2 {
        act(&acme, "archive-project", &[("id", &id(&project))]).await;
    }
    let invited = [("email", "mia@example.com"), ("role", "member")];
    act(&acme, "invite-member", &invited).await;
    product.sign_in(&acme.email, Client::PASSWORD).await;
    let late = Instant::now() + Duration::from_secs(60);
    while !table.waiting().is_empty() {
        assert!(Instant::now() < late, "{:?}", table.waiting());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Used {
        _product: product,
        table,
        acme,
        live,
    }
}

impl Used {
    async fn flaws(&self) -> Vec<String> {
        self.table.audit().await.flaws.into_iter().collect()
    }

    /// The flaws found after `harm`, in words. Then restores the table.
    async fn found(&self, pk: &str, sk: &str, harm: Option<Value>) -> Vec<String> {
        let before = self.table.dump();
        let before = before
            .iter()
            .find(|record| record.pk == pk && record.sk == sk);
        match harm {
            Some(item) => self.table.put(pk, sk, &item),
            None => self.table.remove(pk, sk),
        }
        let flaws = self.flaws().await;
        match before {
            Some(record) => self.table.put(pk, sk, &Value::Object(record.whole())),
            None => self.table.remove(pk, sk),
        }
        flaws
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_finds_no_flaw_in_what_the_product_writes() {
    let used = used().await;
    let audit = used.table.audit().await;
    assert_eq!(audit.flaws, [].into());
    assert_eq!((audit.contacts, audit.trashed), (2, 1));
    assert_eq!(audit.items, used.table.dump().len());
    let counted: Vec<_> = audit
        .successes
        .iter()
        .map(|(name, n)| (name.as_str(), *n))
        .collect();
    let expected = [
        ("archive-project", 1),
        ("create-contact", 3),
        ("create-project", 1),
        ("delete-contact", 2),
        ("invite-member", 1),
        ("restore-contact", 1),
        ("sign-in", 1),
        ("sign-up", 1),
        ("update-contact", 1),
    ];
    assert_eq!(counted, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_or_superfluous_record_is_found() {
    let used = used().await;
    let id = used.live["id"].as_str().unwrap();
    let timeline = format!("#timeline:acme:contacts:{id}");
    let first = |prefix: &str| {
        let record = used.table.under(prefix).remove(0);
        (record.pk, record.sk)
    };
    let members = used.table.under("acme:members");
    let owner = members
        .iter()
        .find(|member| member.get("role") == "owner")
        .unwrap();
    let in_outbox = json!({ "id": "0", "tags": [], "createdAt": 0, "dueAt": 0 });
    let owned_by_nobody = json!({ "owner": "nobody" });
    let harms = [
        (
            ("acme:contacts".to_owned(), id.to_owned()),
            None,
            "belongs to acme:contacts",
        ),
        (
            first("#guard:acme:contacts:email:ada@two"),
            None,
            "has no guard for ada@two.example",
        ),
        (
            first("#guard:acme:contacts:email:ada@two"),
            Some(owned_by_nobody),
            "contacts nobody",
        ),
        (
            (
                "#guard:acme:contacts:email:x@y".to_owned(),
                "guard".to_owned(),
            ),
            Some(json!({ "owner": id })),
            "the guard of x@y",
        ),
        (
            first("#guard:acme:members:email:mia"),
            None,
            "has no guard for mia@example.com",
        ),
        (first("#audit:acme"), None, "audit"),
        (
            (timeline.clone(), "0".to_owned()),
            Some(json!({ "id": "0" })),
            "which is no audit record about it",
        ),
        (first(&timeline), None, "lacks"),
        (
            first("#trash:acme"),
            None,
            "has audit records but does not exist",
        ),
        (
            first("#tenant:acme"),
            None,
            "has members but is no organisation",
        ),
        (
            first("#tenant:acme"),
            Some(json!({ "id": "acme", "owners": [] })),
            "lists {}",
        ),
        (
            ("acme:members".to_owned(), owner.sk.clone()),
            None,
            "lists acme but is no member of it",
        ),
        (
            first(&format!("#account:{}", used.acme.email)),
            None,
            "has no account that lists acme",
        ),
        (
            ("#outbox:0".to_owned(), "0000000000000:0".to_owned()),
            Some(in_outbox),
            "#outbox:0",
        ),
    ];
    for ((pk, sk), harm, words) in harms {
        let found = used.found(&pk, &sk, harm).await;
        assert!(
            found.iter().any(|flaw| flaw.contains(words)),
            "{pk} {sk}: {found:?}"
        );
    }
    assert_eq!(used.flaws().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_without_its_audit_record_is_found_twice() {
    let used = used().await;
    let record = used.table.audits("update-contact").remove(0);
    let found = used.found(&record.pk, &record.sk, None).await;
    for words in [
        "is at version 2 and has 1 audit records",
        "has 1 saved results and 0 audit records",
    ] {
        assert!(
            found.iter().any(|flaw| flaw.contains(words)),
            "{words}: {found:?}"
        );
    }
}
