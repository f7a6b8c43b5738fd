//! Idempotency keys: their format, their scope, and what counts as the same request.

use edge_crm_tests::{Exchange, Product, product_with_table};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ADA: [(&str, &str); 2] = [("name", "Ada Lovelace"), ("email", "ada@example.com")];

#[tokio::test(flavor = "multi_thread")]
async fn a_key_reused_for_other_input_is_refused_and_nothing_is_written() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let first = acme
        .post_form("create-contact", &ADA, Some("k"))
        .await
        .data();
    let before = table.saved();
    let others: [&[(&str, &str)]; 4] = [
        &[("name", "Ada Lovelace"), ("email", "other@example.com")],
        &[("name", "ada lovelace"), ("email", "ada@example.com")],
        &[
            ("name", "Ada Lovelace"),
            ("email", "ada@example.com"),
            ("notes", "new"),
        ],
        &[("name", "Ada Lovelace"), ("email", "ADA@example.com")],
    ];
    for other in others {
        acme.post_form("create-contact", other, Some("k"))
            .await
            .expect(422, "IDEMPOTENCY_ERROR");
    }
    assert_eq!(table.saved(), before);
    assert_eq!(
        acme.post_form("create-contact", &ADA, Some("k"))
            .await
            .data(),
        first
    );
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn encoding_order_and_white_space_do_not_make_other_input() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let first = acme
        .post_form("create-contact", &ADA, Some("k"))
        .await
        .data();
    let before = table.saved();

    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = [
        part("email", "ada@example.com"),
        part("name", "Ada Lovelace"),
        "--b--\r\n".to_owned(),
    ]
    .concat();
    let bodies = [
        (
            "application/x-www-form-urlencoded",
            "email=ada%40example.com&name=Ada+Lovelace".to_owned(),
        ),
        (
            "application/x-www-form-urlencoded; charset=UTF-8",
            "name=++Ada%20Lovelace%09&email=+ada@example.com".to_owned(),
        ),
        (
            "application/x-www-form-urlencoded",
            "name=Ada+Lovelace&email=ada@example.com&idempotency_key=k".to_owned(),
        ),
        (
            "application/x-www-form-urlencoded",
            "name=Ada+Lovelace&email=ada@example.com&company=&phone=+&notes=".to_owned(),
        ),
        (
            "application/x-www-form-urlencoded",
            "name=Ada+Lovelace&email=ada@example.com&unknown=field".to_owned(),
        ),
        ("multipart/form-data; boundary=b", multipart),
        (
            "application/json",
            json!({ "email": " ada@example.com", "name": "Ada Lovelace\n" }).to_string(),
        ),
        (
            "application/json",
            json!({ "notes": null, "name": "Ada Lovelace", "email": "ada@example.com" })
                .to_string(),
        ),
    ];
    for (content_type, body) in bodies {
        let request = acme
            .action("create-contact")
            .header("content-type", content_type)
            .header("idempotency-key", "k");
        let response = request.body(body.clone()).answer().await;
        assert!(response.is_replayed(), "{body}: {response:?}");
        assert_eq!(response.data(), first);
    }
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_may_be_a_header_or_a_field_or_both() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let mut with_field = ADA.to_vec();
    with_field.push(("idempotency_key", "k"));
    let first = acme.post("create-contact", &with_field).await;
    assert!(!first.is_replayed());
    for (fields, header) in [
        (&with_field[..], Some("k")),
        (&ADA, Some("k")),
        (&with_field, None),
    ] {
        let again = acme.post_form("create-contact", fields, header).await;
        assert!(again.is_replayed());
        assert_eq!(again.without_request_id(), first.without_request_id());
    }
    let two = acme
        .post_form("create-contact", &with_field, Some("other"))
        .await;
    two.expect(400, "IDEMPOTENCY_ERROR");
    assert!(two.text.contains("two different keys"), "{two:?}");
    assert_eq!(table.results("create-contact").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_key_is_refused_and_nothing_is_written() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let before = table.saved();
    let long = "k".repeat(256);
    for key in [
        "",
        long.as_str(),
        "a b",
        " ",
        "é",
        "a\u{0}b",
        "a\nb",
        "ключ",
    ] {
        let fields = [ADA[0], ADA[1], ("idempotency_key", key)];
        let response = acme.post("create-contact", &fields).await;
        // A NUL makes the whole body unreadable.
        let code = if key.contains('\0') {
            "BAD_REQUEST"
        } else {
            "IDEMPOTENCY_ERROR"
        };
        response.expect(400, code);
    }
    for key in [&b""[..], long.as_bytes(), b"a b", b"\xc3\xa9", b"\xff"] {
        let request = acme
            .action("create-contact")
            .form(&ADA)
            .header("idempotency-key", key);
        request.answer().await.expect(400, "IDEMPOTENCY_ERROR");
    }
    let fields = [ADA[0], ADA[1], ("idempotency_key", "one")];
    acme.post_form("create-contact", &fields, Some("two"))
        .await
        .expect(400, "IDEMPOTENCY_ERROR");
    assert_eq!(table.saved(), before);
    let longest = "~".repeat(255);
    assert_eq!(
        acme.post_form("create-contact", &ADA, Some(&longest))
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_succeeds_under_the_same_key_once_it_is_corrected() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    acme.create("Taken", "taken@example.com").await;
    let send = |name: &'static str, email: &'static str| {
        let acme = acme.clone();
        async move {
            acme.post_form(
                "create-contact",
                &[("name", name), ("email", email)],
                Some("k"),
            )
            .await
        }
    };
    send("", "nonsense").await.expect(400, "VALIDATION_ERROR");
    send("Ada", "taken@example.com")
        .await
        .expect(409, "CONFLICT");
    let made = send("Ada", "ada@example.com").await;
    assert!(made.status == 200 && !made.is_replayed(), "{made:?}");
    assert!(send("Ada", "ada@example.com").await.is_replayed());
    assert_eq!(table.under("acme:contacts").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_organisations_do_not_share_keys() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let beta = product.sign_up("Beta").await;
    let colleague = product.client_with(
        &table.member(&product.keys(), "acme", action::Role::Member),
        "acme",
    );
    let of_acme = acme.post_form("create-contact", &ADA, Some("k")).await;
    let of_beta = beta.post_form("create-contact", &ADA, Some("k")).await;
    let of_colleague = colleague
        .post_form(
            "create-contact",
            &[("name", "Eve"), ("email", "eve@example.com")],
            Some("k"),
        )
        .await;
    let ids: BTreeSet<_> = [&of_acme, &of_beta, &of_colleague]
        .map(|response| response.data()["id"].to_string())
        .into();
    assert_eq!(ids.len(), 3);
    // Actions do not share keys either.
    let id = of_acme.data()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        acme.post_form("delete-contact", &[("id", &id)], Some("k"))
            .await
            .data(),
        json!({ "id": id })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_deleted_and_created_again_with_the_same_input_exists() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let first = acme
        .post_form("create-contact", &ADA, Some("first"))
        .await
        .data();
    let id = first["id"].as_str().unwrap();
    assert_eq!(
        acme.post_form("delete-contact", &[("id", id)], Some("delete"))
            .await
            .status,
        200
    );
    let second = acme.post_form("create-contact", &ADA, Some("second")).await;
    assert!(!second.is_replayed());
    assert_ne!(second.data()["id"], first["id"]);
    assert_eq!(table.under("acme:contacts").len(), 1);
    assert_eq!(acme.all("").await, [second.data()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_form_with_other_input_is_shown_again_with_a_fresh_key() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let page = acme.page(&acme.contacts("/new")).await;
    let key = page.hidden("idempotency_key").expect("a key");
    let first = acme
        .submit(
            "create-contact",
            &[ADA[0], ADA[1], ("idempotency_key", &key)],
        )
        .await;
    assert_eq!(
        (first.status, first.header("location")),
        (303, Some("/t/acme/contacts#contact-created"))
    );
    let before = table.saved();

    // The user goes back and enters other input. The browser has kept the hidden field.
    let other = [
        ("name", "Grace <Hopper>"),
        ("email", "grace@example.com"),
        ("idempotency_key", &key),
    ];
    let again = acme.submit("create-contact", &other).await;
    assert_eq!(again.status, 422);
    assert!(
        again.text.contains("was sent before") && again.text.contains("saved"),
        "{}",
        again.text
    );
    assert!(
        again.text.contains("value=\"Grace &#60;Hopper&#62;\""),
        "{}",
        again.text
    );
    assert!(again.text.contains("value=\"grace@example.com\""));
    let fresh = again.hidden("idempotency_key").expect("a fresh key");
    assert_ne!(fresh, key);
    assert_eq!(table.saved(), before);

    let sent = acme
        .submit(
            "create-contact",
            &[other[0], other[1], ("idempotency_key", &fresh)],
        )
        .await;
    assert_eq!(sent.status, 303);
    assert_eq!(table.under("acme:contacts").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reused_key_of_a_confirmation_asks_about_the_new_contact() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let [ada, eve] = [
        acme.create(ADA[0].1, ADA[1].1).await,
        acme.create("Eve", "eve@example.com").await,
    ];
    let delete = async |contact: &Value| {
        let id = contact["id"].as_str().expect("an id");
        let fields = [("id", id), ("idempotency_key", "k")];
        acme.submit("delete-contact", &fields).await
    };
    assert_eq!(delete(&ada).await.status, 303);
    let again = delete(&eve).await;
    assert_eq!(again.status, 422);
    assert!(again.text.contains("Delete Eve?"), "{}", again.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_record_and_no_log_line_contains_a_password() {
    let (product, table) = product_with_table().await;
    let secret = "Zx-very-secret-9931";
    let fields = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", secret),
        ("organization", "Acme"),
    ];
    let client = product.client();
    assert_eq!(
        client.post_form("sign-up", &fields, Some("k")).await.status,
        200
    );
    assert_eq!(
        client.post_form("sign-up", &fields, Some("k")).await.status,
        200
    );
    let sign_in = [("email", "ada@example.com"), ("password", secret)];
    assert_eq!(
        client
            .post_form("sign-in", &sign_in, Some("k2"))
            .await
            .status,
        200
    );
    let wrong = client
        .submit(
            "sign-up",
            &[("name", ""), ("email", "x"), ("password", secret)],
        )
        .await;
    assert!(
        wrong.status == 400 && !wrong.text.contains(secret),
        "{wrong:?}"
    );

    let token = client.token();
    let (claims, _) = token.rsplit_once('.').unwrap();
    let session_secret = claims.split('.').nth(1).unwrap();
    for record in table.dump() {
        let text = format!("{record:?}");
        assert!(
            !text.contains(secret) && !text.contains(session_secret),
            "{text}"
        );
    }
    assert!(!table.results("sign-up").is_empty());
    assert!(product.logs("sign-up"));
    let log = product.log().join("\n");
    assert!(
        !log.contains(secret) && !log.contains(session_secret),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_record_is_ignored_before_it_is_removed() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let first = acme
        .post_form("create-contact", &ADA, Some("k"))
        .await
        .data();
    let record = table.results("create-contact").remove(0);
    let day = record.get("expires_at").as_i64().unwrap() - edge_crm_tests::now();
    assert!((86_390..=86_400).contains(&day), "kept {day} s");
    let mut item = Value::Object(record.item());
    item["expires_at"] = json!(edge_crm_tests::now() - 1);
    table.put(&record.pk, &record.sk, &item);

    let other = acme
        .post_form(
            "create-contact",
            &[("name", "Eve"), ("email", "eve@example.com")],
            Some("k"),
        )
        .await;
    assert!(!other.is_replayed());
    assert_ne!(other.data()["id"], first["id"]);
    assert_eq!(table.under("acme:contacts").len(), 2);
}
