//! Contacts: adding, changing and deleting them, each rule with its message, and who may.

use commit::Role;
use edge_crm_tests::{Answer, Client, Product, Table, product_with_table};
use serde_json::{Value, json};

const NOBODY: &str = "0197a3b0-0000-7000-8000-00000000000f";
const NOT_FOUND: &str = "Contact not found or access denied";

fn id(contact: &Value) -> &str {
    contact["id"].as_str().expect("an id")
}

async fn update(
    client: &Client,
    contact: &Value,
    version: &str,
    name: &str,
    email: &str,
) -> Answer {
    let fields = [
        ("id", id(contact)),
        ("version", version),
        ("name", name),
        ("email", email),
    ];
    client.post("update-contact", &fields).await
}

async fn delete(client: &Client, contact: &Value) -> Answer {
    client.post("delete-contact", &[("id", id(contact))]).await
}

fn member(product: &Product, table: &Table, role: Role) -> Client {
    product.client_with(&table.member(&product.keys(), "acme", role), "acme")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_contact_has_every_field_and_null_where_nothing_was_given() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let answer = acme
        .post(
            "create-contact",
            &[
                ("name", "  Ada \t"),
                ("email", " Ada@Example.com\n"),
                ("phone", " "),
            ],
        )
        .await;
    let contact = answer.data();
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
    assert_eq!(answer.json()["revalidated"], tags);

    assert_eq!(
        acme.get(&acme.contacts(&format!("/{}", id(&contact))))
            .await
            .data(),
        contact
    );
    assert_eq!(
        Value::Object(table.under("acme:contacts")[0].item()),
        contact
    );
    assert!(
        table.under("#outbox:").is_empty(),
        "what was revalidated leaves the outbox"
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
    let answer = acme
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
    assert_eq!(audit.get("subjectId"), answer.data()["id"]);
    assert_eq!(
        audit.get("requestId"),
        answer.header("x-request-id").unwrap()
    );
    assert_eq!(audit.get("input")["email"], "ada@example.com");
    assert_eq!(
        (audit.get("ip"), audit.get("role")),
        (json!("127.0.0.1"), json!("owner"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_replaces_every_field_and_counts_the_version() {
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
    let changed = update(&acme, &contact, "1", "Ada King", "ada@example.com")
        .await
        .data();
    let expected = json!({
        "id": contact["id"], "name": "Ada King", "email": "ada@example.com", "company": null, "phone": null,
        "notes": null, "ownerId": contact["ownerId"], "createdAt": contact["createdAt"],
        "updatedAt": changed["updatedAt"], "version": 2,
    });
    assert_eq!(changed, expected);
    assert!(changed["updatedAt"].as_str() > contact["updatedAt"].as_str());
    assert_eq!(
        update(&acme, &contact, "2", "Ada", "ada@example.com")
            .await
            .data()["version"],
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_told_what_the_contact_is_now() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let current = update(&acme, &contact, "1", "First", "ada@example.com")
        .await
        .data();
    let before = table.saved();
    for version in ["1", "3", "18446744073709551615"] {
        let answer = update(&acme, &contact, version, "Second", "ada@example.com").await;
        answer.expect(409, "CONFLICT");
        assert_eq!(answer.json()["current"], current);
    }
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_one_version_one_wins() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let writers = (0..12).map(|n| {
        let (acme, contact) = (acme.clone(), contact.clone());
        tokio::spawn(async move {
            update(
                &acme,
                &contact,
                "1",
                &format!("Writer {n}"),
                "ada@example.com",
            )
            .await
        })
    });
    let answers: Vec<_> = futures_util::future::join_all(writers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let won: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(won.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.expect(409, "CONFLICT");
        assert_eq!(answer.json()["current"], won[0].data());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_a_whole_number_from_1() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    for version in [
        "",
        "0",
        "-1",
        "+1",
        "1.0",
        "1e0",
        "one",
        "0x1",
        "١",
        "99999999999999999999",
    ] {
        let answer = update(&acme, &contact, version, "Ada", "ada@example.com").await;
        answer.expect(400, "VALIDATION_ERROR");
        assert!(!answer.field_error("version").is_empty(), "{version:?}");
    }
    let body = json!({ "id": contact["id"], "version": 1, "name": "Ada King", "email": "ada@example.com" });
    let answer = acme.action("update-contact").json(&body);
    assert_eq!(
        edge_crm_tests::Exchange::answer(answer).await.data()["version"],
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_belongs_to_one_contact_in_any_letter_case() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    let eve = acme.create("Eve", "eve@example.com").await;
    let taken = update(&acme, &eve, "1", "Eve", "ADA@example.com").await;
    taken.expect(409, "CONFLICT");
    assert_eq!(
        taken.field_error("email"),
        "Contact with this email already exists"
    );
    assert_eq!(
        (&taken.json()["existingId"], &taken.json()["current"]),
        (&ada["id"], &Value::Null)
    );

    // Its own address in another case stays its own.
    assert_eq!(
        update(&acme, &ada, "1", "Ada", "Ada@Example.COM")
            .await
            .data()["email"],
        "Ada@Example.COM"
    );
    assert_eq!(table.under("#guard:").len(), 2);
    // A changed address is free again, and a deleted contact's too.
    assert_eq!(
        update(&acme, &ada, "2", "Ada", "king@example.com")
            .await
            .status,
        200
    );
    assert_eq!(
        update(&acme, &eve, "1", "Eve", "ada@example.com")
            .await
            .status,
        200
    );
    assert_eq!(delete(&acme, &ada).await.data(), json!({ "id": ada["id"] }));
    acme.create("New", "KING@example.com").await;
    assert_eq!(table.under("#guard:").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    assert_eq!(delete(&acme, &contact).await.status, 200);
    let before = table.saved();
    for gone in [&contact, &json!({ "id": NOBODY })] {
        let path = acme.contacts(&format!("/{}", id(gone)));
        for answer in [
            update(&acme, gone, "1", "Ada", "ada@example.com").await,
            delete(&acme, gone).await,
            acme.get(&path).await,
            acme.get(&format!("{path}/edit")).await,
            acme.get(&format!("{path}/delete")).await,
        ] {
            answer.expect(404, "NOT_FOUND");
            assert_eq!(answer.error(), NOT_FOUND);
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
        for answer in [
            update(&acme, &odd, "1", "Ada", "a@example.com").await,
            delete(&acme, &odd).await,
        ] {
            answer.expect(400, "VALIDATION_ERROR");
            assert!(!answer.field_error("id").is_empty());
        }
    }
    acme.get(&acme.contacts("/0197A3B0-0000-7000-8000-00000000000F"))
        .await
        .expect(404, "NOT_FOUND");
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_has_its_message() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let before = table.saved();
    let (long, longer) = ("é".repeat(101), "n".repeat(501));
    let local = format!("{}@example.com", "l".repeat(65));
    let cases = [
        ("name", "", "Name is required"),
        ("name", " \t\u{a0}\u{3000}", "Name is required"),
        ("name", "\u{200b}", "Name is required"),
        ("name", &long, "Name too long"),
        ("name", "Ada\u{202e}", "Name contains invisible characters"),
        ("name", "A\u{200b}da", "Name contains invisible characters"),
        ("name", "A\nda", "Name contains invisible characters"),
        ("company", &long, "Company too long"),
        ("phone", "123456789012345678901", "Phone too long"),
        ("notes", &longer, "Notes too long"),
        ("email", "", "Invalid email format"),
        ("email", "ada", "Invalid email format"),
        ("email", "ada@", "Invalid email format"),
        ("email", "@example.com", "Invalid email format"),
        ("email", ".ada@example.com", "Invalid email format"),
        ("email", "ada.@example.com", "Invalid email format"),
        ("email", "a..da@example.com", "Invalid email format"),
        ("email", "ada@exam ple.com", "Invalid email format"),
        ("email", "ada@-example.com", "Invalid email format"),
        ("email", "ada@example.com.", "Invalid email format"),
        ("email", "ada@bücher.example", "Invalid email format"),
        ("email", "a@b@c", "Invalid email format"),
        ("email", &local, "Invalid email format"),
    ];
    for (field, value, message) in cases {
        let mut fields = vec![("name", "Ada"), ("email", "ada@example.com")];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let answer = acme.post("create-contact", &fields).await;
        answer.expect(400, "VALIDATION_ERROR");
        assert_eq!(
            answer.json()["fieldErrors"],
            json!({ field: message }),
            "{value:?}"
        );
        assert_eq!(answer.error(), "Invalid input");
    }
    let all = acme
        .post(
            "create-contact",
            &[("phone", &long), ("company", &long), ("notes", &longer)],
        )
        .await;
    let fields = ["company", "email", "name", "notes", "phone"];
    assert_eq!(
        all.json()["fieldErrors"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        fields
    );
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_and_the_oddest_that_is_allowed_is_kept() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let (name, notes) = ("é".repeat(100), "日".repeat(500));
    let email = format!("{}@example.com", "l".repeat(64));
    let fields = [
        ("name", name.as_str()),
        ("email", &email),
        ("company", &name),
        ("phone", "+1 (234) 567-8901 x12"),
        ("notes", &notes),
    ];
    // 21 characters: one too many.
    acme.post("create-contact", &fields)
        .await
        .expect(400, "VALIDATION_ERROR");
    let fields = [
        fields[0],
        fields[1],
        fields[2],
        ("phone", "+1 (234) 567-8901 x1"),
        fields[4],
    ];
    let contact = acme.post("create-contact", &fields).await.data();
    for (field, value) in fields {
        assert_eq!(contact[field], value);
    }
    for (n, name) in [
        "محمد",
        "שרה",
        "می‌خواهم",
        "👩‍💻 Ada",
        "O'Neil <b>&amp;",
        "__proto__",
        "0",
        "null",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(
            acme.create(name, &format!("a+{n}'!#$%&*/=?^_`{{|}}~-@x.y"))
                .await["name"],
            *name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_deleted_by_its_owner_or_an_admin_and_edited_by_any_member() {
    let (product, table) = product_with_table().await;
    let owner = product.sign_up("Acme").await;
    let [mia, other, admin] =
        [Role::Member, Role::Member, Role::Admin].map(|role| member(&product, &table, role));
    let contact = mia.create("Ada", "ada@example.com").await;
    let contact = update(&other, &contact, "1", "Ada King", "ada@example.com")
        .await
        .data();
    delete(&other, &contact).await.expect(403, "AUTH_ERROR");
    assert_eq!(table.under("acme:contacts").len(), 1);
    assert_eq!(delete(&mia, &contact).await.status, 200);

    let contact = mia.create("Ada", "ada@example.com").await;
    assert_eq!(delete(&admin, &contact).await.status, 200);
    let contact = mia.create("Ada", "ada@example.com").await;
    assert_eq!(delete(&owner, &contact).await.status, 200);
    assert!(table.under("acme:contacts").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_and_changes_nothing() {
    let (product, table) = product_with_table().await;
    let owner = product.sign_up("Acme").await;
    let contact = owner.create("Ada", "ada@example.com").await;
    let viewer = member(&product, &table, Role::Viewer);
    let before = table.saved();
    let path = viewer.contacts(&format!("/{}", id(&contact)));
    assert_eq!(viewer.get(&path).await.data(), contact);
    assert_eq!(viewer.all("").await, std::slice::from_ref(&contact));
    viewer
        .post(
            "create-contact",
            &[("name", "Eve"), ("email", "eve@example.com")],
        )
        .await
        .expect(403, "AUTH_ERROR");
    update(&viewer, &contact, "1", "Eve", "eve@example.com")
        .await
        .expect(403, "AUTH_ERROR");
    delete(&viewer, &contact).await.expect(403, "AUTH_ERROR");
    for page in [
        viewer.contacts("/new"),
        format!("{path}/edit"),
        format!("{path}/delete"),
    ] {
        viewer.get(&page).await.expect(403, "AUTH_ERROR");
    }
    assert_eq!(table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_counts_at_once_and_a_removed_member_is_out() {
    let (product, table) = product_with_table().await;
    product.sign_up("Acme").await;
    let mia = member(&product, &table, Role::Member);
    let contact = mia.create("Ada", "ada@example.com").await;
    let membership = table
        .under("acme:members")
        .into_iter()
        .find(|record| record.sk == contact["ownerId"])
        .unwrap();
    let mut item = Value::Object(membership.item());
    item["role"] = json!("viewer");
    table.put(&membership.pk, &membership.sk, &item);
    let refused = update(&mia, &contact, "1", "Eve", "eve@example.com").await;
    refused.expect(403, "AUTH_ERROR");
    assert!(
        refused
            .session()
            .is_some_and(|token| token.contains(".viewer.")),
        "{refused:?}"
    );

    table.remove(&membership.pk, &membership.sk);
    let refused = update(&mia, &contact, "1", "Eve", "eve@example.com").await;
    refused.expect(401, "AUTH_ERROR");
    assert_eq!(
        refused.session().as_deref(),
        Some(""),
        "the cookie is removed"
    );
    assert_eq!(mia.get(&mia.contacts("")).await.status, 401);
}
