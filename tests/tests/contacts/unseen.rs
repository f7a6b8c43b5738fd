//! Characters that nobody sees: texts of nothing else, and those that copying leaves at the ends.

use edge_crm_tests::{Client, Product, product_with_table};
use serde_json::json;

/// Marks of direction, spaces without width, a byte order mark, controls: alone and together.
const MARKS: [&str; 12] = [
    "\u{200e}",
    "\u{200f}",
    "\u{202a}",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{feff}",
    "\u{200b}",
    "\u{2060}",
    "\u{ad}",
    "\u{61c}",
    "\u{200e}\u{202c} \u{200d}\u{2063}",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_shows_nothing_is_no_name() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let before = table.saved();
    for nothing in [
        "\u{fe0f}",
        "\u{2800}",
        "\u{3164}",
        "\u{115f}\u{1160}",
        "\u{17b4}",
        "\u{e0100}",
        "\u{ffa0}",
        "\u{34f}",
        "\u{180b}",
        "\u{1d173}",
        "\u{2800} \u{fe0f}\u{3164}\u{a0}",
    ] {
        for (action, field, others) in [
            (
                "create-contact",
                "name",
                &[("email", "ada@example.com")][..],
            ),
            ("create-project", "name", &[]),
            ("update-profile", "name", &[]),
        ] {
            let mut fields = others.to_vec();
            fields.push((field, nothing));
            let response = acme.post(action, &fields).await;
            response.expect(400, "VALIDATION_ERROR");
            assert_eq!(
                response.field_error(field),
                "Name is required",
                "{nothing:?}"
            );
        }
        let fields = [
            ("name", "Zed"),
            ("email", "zed@example.com"),
            ("password", Client::PASSWORD),
            ("organization", nothing),
        ];
        let response = product.client().post("sign-up", &fields).await;
        assert_eq!(
            response.field_error("organization"),
            "Organization is required"
        );
    }
    assert_eq!(table.saved(), before);
    let fields = [
        ("name", "❤\u{fe0f}"),
        ("email", "heart@example.com"),
        ("company", "\u{3164}"),
        ("notes", "\u{2800}\n\u{fe0f}"),
    ];
    let heart = acme.post("create-contact", &fields).await.data();
    assert_eq!(
        [&heart["name"], &heart["company"], &heart["notes"]],
        [&json!("❤\u{fe0f}"), &json!(null), &json!(null)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_at_the_ends_of_a_field_are_not_part_of_it() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for (n, mark) in MARKS.iter().enumerate() {
        let marked = |text: &str| format!("{mark}{text} {mark}");
        let email = format!("ada{n}@example.com");
        let texts = [
            ("name", "Ada (א)"),
            ("email", &email),
            ("company", "شركة"),
            ("phone", "+1 555 0100"),
        ];
        let fields = texts.map(|(name, text)| (name, marked(text)));
        let fields = fields.each_ref().map(|(name, text)| (*name, text.as_str()));
        let contact = acme.post("create-contact", &fields).await.data();
        for (name, text) in texts {
            assert_eq!(contact[name], text, "{mark:?}");
        }
        let id = contact["id"].as_str().unwrap();
        assert_eq!(
            acme.all(&marked(&email)).await,
            std::slice::from_ref(&contact)
        );
        let fields = [
            ("id", marked(id)),
            ("version", marked("1")),
            ("name", marked("Ada King")),
            ("email", marked(&email)),
        ];
        let fields = fields.each_ref().map(|(name, text)| (*name, text.as_str()));
        let updated = acme.post("update-contact", &fields).await.data();
        assert_eq!(updated["name"], "Ada King");
        let entering = [
            ("email", marked(&acme.email)),
            ("password", Client::PASSWORD.to_owned()),
        ];
        let entering = entering
            .each_ref()
            .map(|(name, text)| (*name, text.as_str()));
        let response = product.client().post("sign-in", &entering).await;
        assert_eq!(response.status, 200, "{mark:?}");
        let deleted = acme.post("delete-contact", &[("id", &marked(id))]).await;
        assert_eq!(deleted.status, 200, "{mark:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_visible_character_is_kept() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for name in [
        "❤\u{fe0f}",
        "Room 1\u{fe0f}\u{20e3}",
        "👩\u{200d}💻",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "葛\u{e0100}",
        "ه\u{200d}",
        "e\u{301}",
    ] {
        let fields = [("name", name), ("phone", "555")];
        let contact = acme.post("create-contact", &fields).await.data();
        assert_eq!(contact["name"], name);
    }
}
