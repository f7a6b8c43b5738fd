//! Creating, updating and deleting contacts, and what each action stores.

use edge_crm_tests::{Product, product_with_table};
use serde_json::{Value, json};

const UNKNOWN: &str = "0197a3b0-0000-7000-8000-00000000000f";
const NOT_FOUND: &str = "Contact not found or access denied";

fn id(contact: &Value) -> &str {
    contact["id"].as_str().expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_contact_has_every_field_and_null_if_none_was_given() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let response = acme
        .post(
            "create-contact",
            &[
                ("name", "  Ada \t"),
                ("email", " Ada@Example.com\n"),
                ("phone", " "),
            ],
        )
        .await;
    let contact = response.data();
    let created = contact["createdAt"].as_str().unwrap();
    assert_eq!(
        contact,
        json!({
            "id": id(&contact), "name": "Ada", "email": "Ada@Example.com", "company": null, "phone": null,
            "notes": null, "ownerId": acme.user, "createdAt": created, "updatedAt": created, "version": 1,
        })
    );
    let uuid: uuid::Uuid = id(&contact).parse().unwrap();
    assert_eq!(
        (
            uuid.get_version_num(),
            uuid.hyphenated().to_string().as_str()
        ),
        (7, id(&contact))
    );
    assert!(
        created.ends_with('Z') && created.contains('T') && created.len() <= 24,
        "{created}"
    );
    let tags = json!(["acme:contacts", format!("acme:contacts:{}", id(&contact))]);
    assert_eq!(response.json()["revalidated"], tags);

    assert_eq!(
        acme.get(&acme.contacts(&format!("/{}", id(&contact))))
            .await
            .data(),
        contact
    );
    let stored = table.under("acme:contacts").remove(0);
    assert_eq!(
        stored.get("auditHead"),
        table.audits("create-contact")[0].get("hash"),
        "it names its newest audit record"
    );
    assert_eq!(Value::Object(stored.item()), contact);
    assert!(
        table.under("#outbox:").is_empty(),
        "a finished purge leaves no outbox record"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_audited_and_a_refused_one_is_not() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let before = table.under("#audit:acme").len();
    acme.post("create-contact", &[("name", ""), ("email", "x")])
        .await
        .expect(400, "VALIDATION_ERROR");
    assert_eq!(table.under("#audit:acme").len(), before);
    let response = acme
        .post(
            "create-contact",
            &[("name", "Ada"), ("email", "ada@example.com")],
        )
        .await;
    let audit = table
        .under("#audit:acme")
        .into_iter()
        .find(|record| record.get("action") == "create-contact")
        .unwrap();
    assert_eq!(audit.get("userId"), json!(acme.user));
    assert_eq!(audit.get("subjectId"), response.data()["id"]);
    assert_eq!(
        audit.get("requestId"),
        response.header("x-request-id").unwrap()
    );
    assert_eq!(audit.get("input")["email"], "ada@example.com");
    assert_eq!(
        (audit.get("ip"), audit.get("role")),
        (json!("127.0.0.1"), json!("owner"))
    );
    assert_eq!(audit.get("outcome"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_replaces_every_field_and_increases_the_version() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let full = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("company", "Analytical"),
        ("phone", "+44 1"),
        ("notes", "one\r\ntwo"),
    ];
    let contact = acme.post("create-contact", &full).await.data();
    assert_eq!(contact["notes"], "one\ntwo");
    let changed = acme
        .update(&contact, "1", "Ada King", "ada@example.com")
        .await
        .data();
    let expected = json!({
        "id": contact["id"], "name": "Ada King", "email": "ada@example.com", "company": null, "phone": null,
        "notes": null, "ownerId": contact["ownerId"], "createdAt": contact["createdAt"],
        "updatedAt": changed["updatedAt"], "version": 2,
    });
    assert_eq!(changed, expected);
    assert_ne!(changed["updatedAt"], contact["updatedAt"]);
    assert_eq!(
        acme.update(&contact, "2", "Ada", "ada@example.com")
            .await
            .data()["version"],
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_a_stale_version_is_a_conflict_that_shows_the_contact() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let current = acme
        .update(&contact, "1", "First", "ada@example.com")
        .await
        .data();
    let before = table.saved();
    for version in ["1", "3", "18446744073709551615"] {
        let response = acme
            .update(&contact, version, "Second", "ada@example.com")
            .await;
        response.expect(409, "CONFLICT");
        assert_eq!(response.json()["current"], current);
    }
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_updates_of_one_version_one_wins() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let writers = (0..12).map(|n| {
        let (acme, contact) = (acme.clone(), contact.clone());
        tokio::spawn(async move {
            acme.update(&contact, "1", &format!("Writer {n}"), "ada@example.com")
                .await
        })
    });
    let responses: Vec<_> = futures_util::future::join_all(writers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let winners: Vec<_> = responses
        .iter()
        .filter(|response| response.status == 200)
        .collect();
    assert_eq!(winners.len(), 1);
    for response in responses.iter().filter(|response| response.status != 200) {
        response.expect(409, "CONFLICT");
        assert_eq!(response.json()["current"], winners[0].data());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_belongs_to_one_contact_in_any_letter_case() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    let eve = acme.create("Eve", "eve@example.com").await;
    let taken = acme.update(&eve, "1", "Eve", "ADA@example.com").await;
    taken.expect(409, "CONFLICT");
    assert_eq!(
        taken.field_error("email"),
        "Contact with this email already exists"
    );
    assert_eq!(
        (&taken.json()["existingId"], &taken.json()["current"]),
        (&ada["id"], &Value::Null)
    );

    // A contact may change the case of its own email.
    assert_eq!(
        acme.update(&ada, "1", "Ada", "Ada@Example.COM")
            .await
            .data()["email"],
        "Ada@Example.COM"
    );
    assert_eq!(table.under("#guard:acme:contacts").len(), 2);
    // An email is free again after a change or a deletion.
    assert_eq!(
        acme.update(&ada, "2", "Ada", "king@example.com")
            .await
            .status,
        200
    );
    assert_eq!(
        acme.update(&eve, "1", "Eve", "ada@example.com")
            .await
            .status,
        200
    );
    assert_eq!(acme.delete(&ada).await.data(), json!({ "id": ada["id"] }));
    acme.create("New", "KING@example.com").await;
    assert_eq!(table.under("#guard:acme:contacts").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_or_deleted_contact_is_not_found() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    assert_eq!(acme.delete(&contact).await.status, 200);
    let before = table.saved();
    for absent in [&contact, &json!({ "id": UNKNOWN })] {
        let path = acme.contacts(&format!("/{}", id(absent)));
        for response in [
            acme.update(absent, "1", "Ada", "ada@example.com").await,
            acme.delete(absent).await,
            acme.get(&path).await,
            acme.get(&format!("{path}/edit")).await,
            acme.get(&format!("{path}/delete")).await,
        ] {
            response.expect(404, "NOT_FOUND");
            assert_eq!(response.error(), NOT_FOUND);
        }
    }
    for odd in [
        "",
        "x",
        "0197A3B0-0000-7000-8000-00000000000F",
        "../acme",
        &"0".repeat(5_000),
    ] {
        let odd = json!({ "id": odd });
        for response in [
            acme.update(&odd, "1", "Ada", "a@example.com").await,
            acme.delete(&odd).await,
        ] {
            response.expect(400, "VALIDATION_ERROR");
            assert!(!response.field_error("id").is_empty());
        }
    }
    acme.get(&acme.contacts("/0197A3B0-0000-7000-8000-00000000000F"))
        .await
        .expect(404, "NOT_FOUND");
    assert_eq!(table.saved(), before);
}
