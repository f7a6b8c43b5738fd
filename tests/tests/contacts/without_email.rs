//! Contacts with a phone number and no email.

use edge_crm_tests::{Client, Exchange, product_with_table};
use serde_json::{Value, json};

const PHONE: (&str, &str) = ("phone", "+1 555 0100");

fn id(contact: &Value) -> &str {
    contact["id"].as_str().expect("an id")
}

async fn create(client: &Client, name: &str) -> Value {
    let fields = [("name", name), PHONE];
    client.post("create-contact", &fields).await.data()
}

async fn update(client: &Client, contact: &Value, email: &str) -> edge_crm_tests::Answer {
    let version = contact["version"].to_string();
    let fields = [
        ("id", id(contact)),
        ("version", &version),
        ("name", "Ada"),
        ("email", email),
        PHONE,
    ];
    client.post("update-contact", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_number_is_enough_and_neither_is_not() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let before = table.saved();
    for phone in ["", " ", "\u{200e}", "n/a", "-"] {
        let response = acme
            .post("create-contact", &[("name", "Ada"), ("phone", phone)])
            .await;
        response.expect(400, "VALIDATION_ERROR");
        assert_eq!(
            response.json()["fieldErrors"],
            json!({ "email": "Invalid email format" })
        );
    }
    // A wrong email is not left out.
    let response = acme
        .post(
            "create-contact",
            &[("name", "Ada"), ("email", "ada"), PHONE],
        )
        .await;
    assert_eq!(response.field_error("email"), "Invalid email format");
    assert_eq!(table.saved(), before);

    for body in [
        json!({ "name": "Ada", "phone": "٥٥٥ ٠١٠٠" }),
        json!({ "name": "Ada", "phone": "x5", "email": null }),
        json!({ "name": "Ada", "phone": "1-800-FLOWERS", "email": "\u{200e} " }),
    ] {
        let response = acme.action("create-contact").json(&body).answer().await;
        assert_eq!(response.data()["email"], Value::Null, "{body}");
    }
    // Many have none: it is no duplicate.
    let (one, other) = (create(&acme, "Ada").await, create(&acme, "Ada").await);
    assert_ne!(id(&one), id(&other));
    assert!(table.under("#guard:acme:contacts").is_empty());
    let read = acme.get(&acme.contacts(&format!("/{}", id(&one)))).await;
    assert_eq!(read.data(), one);
    assert!(one.as_object().unwrap().contains_key("email"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_that_is_added_or_removed_is_claimed_or_released() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let guards = || table.under("#guard:acme:contacts").len();
    let ada = create(&acme, "Ada").await;
    let eve = create(&acme, "Eve").await;
    let with = update(&acme, &ada, "ada@example.com").await.data();
    assert_eq!(
        (with["email"].as_str(), guards()),
        (Some("ada@example.com"), 1)
    );
    let taken = update(&acme, &eve, "ADA@example.com").await;
    taken.expect(409, "CONFLICT");
    assert_eq!(taken.json()["existingId"], ada["id"]);
    assert_eq!(
        taken.field_error("email"),
        "Contact with this email already exists"
    );
    let without = update(&acme, &with, "").await.data();
    assert_eq!((&without["email"], guards()), (&Value::Null, 0));
    let freed = update(&acme, &eve, "ada@example.com").await.data();
    assert_eq!(
        (freed["email"].as_str(), guards()),
        (Some("ada@example.com"), 1)
    );
    // Somebody else's change meanwhile.
    let stale = update(&acme, &with, "other@example.com").await;
    stale.expect(409, "CONFLICT");
    assert_eq!(stale.json()["current"]["email"], Value::Null);
    table.audit().await.expect_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_to_the_trash_and_comes_back() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let ada = create(&acme, "Ada").await;
    assert_eq!(acme.delete(&ada).await.status, 200);
    let trash = acme.get(&acme.contacts("/trash")).await.data();
    assert_eq!(trash["contacts"][0]["email"], Value::Null);
    let page = acme.page(&acme.contacts("/trash")).await.text;
    assert!(page.contains("+1 555 0100"), "{page}");
    let back = acme
        .post("restore-contact", &[("id", id(&ada))])
        .await
        .data();
    assert_eq!(back["email"], Value::Null);
    assert_eq!(acme.delete(&ada).await.status, 200);
    let fields = [("id", id(&ada)), ("email", "ada@example.com")];
    let back = acme.post("restore-contact", &fields).await.data();
    assert_eq!(back["email"], "ada@example.com");
    assert_eq!(table.under("#guard:acme:contacts").len(), 1);
    table.audit().await.expect_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_copes() {
    let (product, _table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let ada = create(&acme, "Ada").await;
    let path = |rest: &str| acme.contacts(&format!("/{}{rest}", id(&ada)));
    let list = acme.page(&acme.contacts("")).await.text;
    assert!(
        list.contains("data-slot=\"address\">+1 555 0100<"),
        "{list}"
    );
    assert!(list.contains("<label for=\"email\">Email <span class=\"optional\">or phone</span>"));
    let page = acme.page(&path("")).await.text;
    assert!(
        page.contains("tel:+15550100") && !page.contains("mailto:"),
        "{page}"
    );
    let edit = acme.page(&path("/edit")).await.text;
    let input = edit.split("<input id=\"email\"").nth(1).unwrap();
    let input = input.split('>').next().unwrap();
    assert!(
        input.contains("value=\"\"") && !input.contains("required"),
        "{input}"
    );
    assert_eq!(acme.page(&path("/delete")).await.status, 200);
    assert_eq!(acme.all("555 ada").await, [ada]);
    assert!(acme.all("null").await.is_empty());
    let audit = acme.get("/t/acme/audit").await;
    assert_eq!(audit.status, 200);
    assert_eq!(acme.page("/t/acme/audit").await.status, 200);

    // The form without the script.
    let form = acme.page(&acme.contacts("/new")).await;
    let key = form.hidden("idempotency_key").unwrap();
    let fields = [("name", "Eve"), ("email", ""), PHONE];
    let fields = [&fields[..], &[("idempotency_key", key.as_str())]].concat();
    let saved = acme.submit("create-contact", &fields).await;
    assert_eq!(saved.status, 303, "{saved:?}");
    let fields = [("name", "Eve"), ("email", ""), ("phone", "")];
    let refused = acme.submit("create-contact", &fields).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused
            .text
            .contains("id=\"email-error\">Invalid email format<"),
        "{}",
        refused.text
    );
}
