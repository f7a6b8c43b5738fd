//! The validation rules of a contact's fields, each with its message.

use edge_crm_tests::{Exchange, Product, product_with_table};
use serde_json::json;

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
        let fields = [
            ("id", contact["id"].as_str().unwrap()),
            ("version", version),
            ("name", "Ada"),
            ("email", "ada@example.com"),
        ];
        let response = acme.post("update-contact", &fields).await;
        response.expect(400, "VALIDATION_ERROR");
        assert!(!response.field_error("version").is_empty(), "{version:?}");
    }
    let body = json!({ "id": contact["id"], "version": 1, "name": "Ada King", "email": "ada@example.com" });
    let response = acme.action("update-contact").json(&body);
    assert_eq!(response.answer().await.data()["version"], 2);
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
        ("name", "A\u{202e}da", "Name contains invisible characters"),
        ("name", "A\u{200b}da", "Name contains invisible characters"),
        ("name", "A\nda", "Name contains invisible characters"),
        ("company", &long, "Company too long"),
        (
            "phone",
            "123456789012345678901",
            "Phone too long: it has 21 characters; 20 fit, and an extension",
        ),
        (
            "phone",
            "+1 (555) 123-4567 8901 x890",
            "Phone too long: it has 22 characters; 20 fit before the extension",
        ),
        ("phone", "A\u{202e}1", "Phone contains invisible characters"),
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
        let response = acme.post("create-contact", &fields).await;
        response.expect(400, "VALIDATION_ERROR");
        assert_eq!(
            response.json()["fieldErrors"],
            json!({ field: message }),
            "{value:?}"
        );
        assert_eq!(response.error(), "Invalid input");
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
async fn the_longest_and_oddest_allowed_values_are_stored_unchanged() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let (name, notes) = ("é".repeat(100), "日".repeat(500));
    let email = format!("{}@example.com", "l".repeat(64));
    let fields = [
        ("name", name.as_str()),
        ("email", &email),
        ("company", &name),
        ("phone", "+1 (234) 567-8901 23 ext. 12345678901234567890"),
        ("notes", &notes),
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

/// Whether it is a line break, or a character of no width that reorders nothing.
fn harmless_in_notes(c: char) -> bool {
    "\r\u{200b}\u{2028}\u{2060}\u{feff}".contains(c)
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_any_script_are_allowed_and_hidden_reordering_is_not() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    for (n, name) in [
        "محمد بن سلمان",
        "שרה לוי",
        "علی‌رضا",
        "Ada \u{200f}(א)\u{200e} King",
        "👨‍👩‍👧",
        "नमस्ते",
        "e\u{301}",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(
            acme.create(name, &format!("{n}@example.com")).await["name"],
            *name
        );
    }
    let (before, mut harmless) = (table.saved(), Vec::new());
    for hidden in [
        '\u{202e}',
        '\u{202a}',
        '\u{2066}',
        '\u{2069}',
        '\u{200b}',
        '\u{feff}',
        '\u{2060}',
        '\u{e0041}',
        '\u{7f}',
        '\u{85}',
        '\u{2028}',
        '\r',
    ] {
        for (field, name) in [
            ("name", format!("Ada{hidden}gpj.exe")),
            ("company", format!("A{hidden}B")),
            ("notes", format!("A{hidden}B")),
        ] {
            if field == "notes" && harmless_in_notes(hidden) {
                harmless.push(name);
                continue;
            }
            let mut fields = vec![("name", "Ada"), ("email", "ada@example.com")];
            fields.retain(|(name, _)| *name != field);
            fields.push((field, &name));
            let response = acme.post("create-contact", &fields).await;
            response.expect(400, "VALIDATION_ERROR");
            assert!(
                response.field_error(field).contains("invisible characters"),
                "{hidden:?} in {field}"
            );
        }
    }
    assert_eq!(table.saved(), before);
    assert_eq!(harmless.len(), 5);
    for (n, notes) in harmless.iter().enumerate() {
        let email = format!("harmless-{n}@example.com");
        let fields = [("name", "Ada"), ("email", &*email), ("notes", notes)];
        let contact = acme.post("create-contact", &fields).await.data();
        let expected = notes.replace(['\r', '\u{2028}'], "\n");
        assert_eq!(contact["notes"], expected, "{notes:?}");
    }
}
