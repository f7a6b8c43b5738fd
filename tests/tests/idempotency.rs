//! One intent, one effect: whatever is sent twice happens once.

use edge_crm_tests::{Answer, Client, Exchange, Launch, Record, Table, product_with_table};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ADA: [(&str, &str); 2] = [("name", "Ada Lovelace"), ("email", "ada@example.com")];

/// Sends the same request `count` times at once.
async fn at_once(
    client: &Client,
    count: usize,
    action: &str,
    fields: &[(&str, &str)],
    key: &str,
) -> Vec<Answer> {
    let send = |_| {
        let (client, action, key) = (client.clone(), action.to_owned(), key.to_owned());
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        tokio::spawn(async move {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            client.post_form(&action, &fields, Some(&key)).await
        })
    };
    join_all((0..count).map(send))
        .await
        .into_iter()
        .map(|answer| answer.expect("an answer"))
        .collect()
}

/// Asserts that all answers are one success, and all but one of them marked as replays.
fn assert_one_result(answers: &[Answer]) -> Value {
    let essences: Vec<_> = answers.iter().map(Answer::essence).collect();
    assert!(
        essences.iter().all(|essence| essence == &essences[0]),
        "{essences:#?}"
    );
    let replayed = answers.iter().filter(|answer| answer.is_replayed()).count();
    assert_eq!(replayed, answers.len() - 1);
    answers[0].data()
}

/// The audit records of one action.
fn audits(table: &Table, action: &str) -> Vec<Record> {
    table
        .under("#audit:")
        .into_iter()
        .filter(|record| record.get("action") == action)
        .collect()
}

/// The idempotency records of one action.
fn results(table: &Table, action: &str) -> Vec<Record> {
    table
        .under("#idempotency:")
        .into_iter()
        .filter(|record| record.pk.contains(&format!(":{action}:")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_equal_posts_at_once_make_one_contact() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let answers = at_once(&acme, 20, "create-contact", &ADA, "twenty").await;
    let contact = assert_one_result(&answers);

    let contacts = table.under("acme:contacts");
    assert_eq!(contacts.len(), 1);
    assert_eq!(Value::Object(contacts[0].item()), contact);
    assert_eq!(audits(&table, "create-contact").len(), 1);
    assert_eq!(results(&table, "create-contact").len(), 1);
    assert_eq!(table.under("#guard:").len(), 1);
    assert_eq!(
        acme.get(&acme.contacts("")).await.data()["contacts"],
        json!([contact])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_equal_updates_at_once_change_a_contact_once() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let id = contact["id"].as_str().unwrap();
    let fields = [
        ("id", id),
        ("version", "1"),
        ("name", "Ada King"),
        ("email", "king@example.com"),
    ];
    let answers = at_once(&acme, 20, "update-contact", &fields, "update").await;

    let changed = assert_one_result(&answers);
    assert_eq!(
        (&changed["version"], &changed["name"]),
        (&json!(2), &json!("Ada King"))
    );
    assert_eq!(audits(&table, "update-contact").len(), 1);
    assert_eq!(results(&table, "update-contact").len(), 1);
    let guards = table.under("#guard:");
    assert_eq!(guards.len(), 1);
    assert!(guards[0].pk.ends_with(":king@example.com"), "{guards:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_equal_deletes_at_once_all_succeed() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let id = contact["id"].as_str().unwrap();
    let answers = at_once(&acme, 20, "delete-contact", &[("id", id)], "delete").await;

    assert_eq!(assert_one_result(&answers), json!({ "id": id }));
    assert_eq!(audits(&table, "delete-contact").len(), 1);
    assert!(table.under("acme:contacts").is_empty());
    assert!(table.under("#guard:").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_twins_make_one_account_and_each_gets_a_session() {
    let (product, table) = product_with_table().await;
    let fields = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", Client::PASSWORD),
        ("organization", "Acme"),
    ];
    let answers = at_once(&product.client(), 6, "sign-up", &fields, "sign-up").await;

    assert_eq!(assert_one_result(&answers)["tenant"], "acme");
    assert_eq!(table.under("#account:").len(), 1);
    assert_eq!(table.under("#tenant:").len(), 1);
    assert_eq!(audits(&table, "sign-up").len(), 1);
    let tokens: BTreeSet<_> = answers.iter().filter_map(Answer::session).collect();
    assert_eq!(tokens.len(), answers.len());
    for token in tokens {
        let client = product.client_with(&token, "acme");
        assert_eq!(client.get("/t/acme/contacts").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_sign_up_with_another_password_opens_no_session() {
    let (product, table) = product_with_table().await;
    let fields = |password| {
        [
            ("name", "Ada"),
            ("email", "ada@example.com"),
            ("password", password),
            ("organization", "Acme"),
        ]
    };
    let first = product
        .client()
        .post_form("sign-up", &fields(Client::PASSWORD), Some("k"))
        .await;
    assert_eq!(first.status, 200);
    let before = table.saved();
    let replay = product
        .client()
        .post_form("sign-up", &fields("another password"), Some("k"))
        .await;
    replay.expect(422, "IDEMPOTENCY_ERROR");
    assert!(
        replay.session().is_none_or(|token| token.is_empty()),
        "{replay:?}"
    );
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_keys_with_one_email_make_one_contact_and_49_conflicts() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let send = |n: usize| {
        let acme = acme.clone();
        // The same address in any case is the same address.
        let email = if n % 2 == 0 {
            "ada@example.com"
        } else {
            "ADA@Example.com"
        };
        tokio::spawn(async move {
            acme.post_form(
                "create-contact",
                &[("name", "Ada"), ("email", email)],
                Some(&format!("key-{n}")),
            )
            .await
        })
    };
    let answers: Vec<_> = join_all((0..50).map(send))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();

    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 49));
    let id = made[0].data()["id"].clone();
    for answer in refused {
        answer.expect(409, "CONFLICT");
        assert_eq!(
            answer.field_error("email"),
            "Contact with this email already exists"
        );
        assert_eq!(answer.json()["existingId"], id);
    }
    assert_eq!(table.under("acme:contacts").len(), 1);
    assert_eq!(audits(&table, "create-contact").len(), 1);
    assert_eq!(results(&table, "create-contact").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_used_for_other_input_is_refused_and_nothing_is_written() {
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
async fn encoding_order_and_white_space_are_not_other_input() {
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
        let answer = request.body(body.clone()).answer().await;
        assert!(answer.is_replayed(), "{body}: {answer:?}");
        assert_eq!(answer.data(), first);
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
        assert_eq!(again.essence(), first.essence());
    }
    assert_eq!(results(&table, "create-contact").len(), 1);
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
        let answer = acme.post("create-contact", &fields).await;
        // A NUL makes the whole body unreadable.
        let code = if key.contains('\0') {
            "BAD_REQUEST"
        } else {
            "IDEMPOTENCY_ERROR"
        };
        answer.expect(400, code);
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
        &table.member(&product.keys(), "acme", commit::Role::Member),
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
        .map(|answer| answer.data()["id"].to_string())
        .into();
    assert_eq!(ids.len(), 3);
    // Nor do actions.
    let id = of_acme.data()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        acme.post_form("delete-contact", &[("id", &id)], Some("k"))
            .await
            .data(),
        json!({ "id": id })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_deleted_and_added_again_with_the_same_words_is_there() {
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
async fn an_old_form_sent_with_other_input_comes_back_with_a_fresh_key() {
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

    // Back, other input, and the browser has kept the hidden field.
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
async fn a_form_sent_twice_by_a_browser_ends_on_the_same_page() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let key = acme
        .page(&acme.contacts("/new"))
        .await
        .hidden("idempotency_key")
        .expect("a key");
    let fields = [ADA[0], ADA[1], ("idempotency_key", key.as_str())];
    let (first, second) = tokio::join!(
        acme.submit("create-contact", &fields),
        acme.submit("create-contact", &fields)
    );
    assert_eq!((first.status, second.status), (303, 303));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(table.under("acme:contacts").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_stored_or_logged_holds_a_password() {
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
    assert!(!results(&table, "sign-up").is_empty());
    let log = product.log().join("\n");
    assert!(
        log.contains("sign-up") && !log.contains(secret) && !log.contains(session_secret),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_record_counts_as_absent_before_it_is_removed() {
    let table = Table::start().await;
    let product = Launch::new().table(&table).start();
    let acme = product.sign_up("Acme").await;
    let first = acme
        .post_form("create-contact", &ADA, Some("k"))
        .await
        .data();
    let record = results(&table, "create-contact").remove(0);
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
