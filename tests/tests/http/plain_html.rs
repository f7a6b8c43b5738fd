//! The product without scripts: only pages, forms and redirects.

use edge_crm_tests::Product;
use serde_json::Value;

fn path(contact: &Value) -> String {
    format!(
        "/t/acme/contacts/{}",
        contact["id"].as_str().expect("an id")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_created_by_form_and_redirect() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let empty = acme.page(&acme.contacts("")).await.text;
    assert!(
        empty.contains("No contacts yet")
            && empty.contains("Add your first contact using the form above.")
    );

    let form = acme.page(&acme.contacts("/new")).await;
    let key = form.hidden("idempotency_key").expect("a key");
    assert_ne!(
        acme.page(&acme.contacts("/new"))
            .await
            .hidden("idempotency_key")
            .as_ref(),
        Some(&key)
    );
    for words in [
        "Add Contact",
        "Create Contact",
        "method=\"post\"",
        "action=\"/actions/create-contact\"",
    ] {
        assert!(form.text.contains(words), "{words}: {}", form.text);
    }
    let fields = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("company", ""),
        ("idempotency_key", key.as_str()),
    ];
    let sent = acme.submit("create-contact", &fields).await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, Some("/t/acme/contacts#contact-created"))
    );
    assert_eq!(sent.text, "");
    let list = acme.page(&acme.contacts("")).await.text;
    for words in [
        ">Ada<",
        "ada@example.com",
        "Contact created!",
        "Contacts (1)",
        "Added ",
    ] {
        assert!(list.contains(words), "{words}: {list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_is_shown_again_with_input_errors_and_key() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let key = acme
        .page(&acme.contacts("/new"))
        .await
        .hidden("idempotency_key")
        .unwrap();
    let fields = [
        ("name", ""),
        ("email", "nonsense \"x\""),
        ("company", "Müller & <Söhne>"),
        ("notes", "</textarea><b>"),
        ("idempotency_key", key.as_str()),
    ];
    let response = acme.submit("create-contact", &fields).await;
    assert_eq!(response.status, 400);
    for words in [
        "<title>Error: Add Contact",
        "Name is required",
        "Invalid email format",
        "nonsense &#34;x&#34;",
        "Müller &#38; &#60;Söhne&#62;",
        "&#60;/textarea&#62;&#60;b&#62;",
        "aria-invalid=\"true\"",
    ] {
        assert!(response.text.contains(words), "{words}: {}", response.text);
    }
    assert_eq!(response.hidden("idempotency_key"), Some(key));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_gets_a_link_to_the_existing_contact() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    let response = acme
        .submit(
            "create-contact",
            &[("name", "Another"), ("email", "ADA@example.com")],
        )
        .await;
    assert_eq!(response.status, 409);
    for words in [
        "Contact with this email already exists",
        &format!("href=\"{}\"", path(&ada)),
        "value=\"Another\"",
    ] {
        assert!(response.text.contains(words), "{words}: {}", response.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_edited_and_a_conflict_shows_both_versions() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    let edit = acme.page(&format!("{}/edit", path(&ada))).await;
    let [id, version, key] =
        ["id", "version", "idempotency_key"].map(|name| edit.hidden(name).expect("a hidden field"));
    assert!(edit.text.contains("Edit Contact") && edit.text.contains("Update Contact"));
    assert!(edit.text.contains("value=\"Ada\"") && version == "1");
    let email = ("email", "ada@example.com");
    let fields = [
        ("id", id.as_str()),
        ("version", &version),
        ("name", "Ada King"),
        email,
        ("idempotency_key", &key),
    ];
    let sent = acme.submit("update-contact", &fields).await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (
            303,
            Some(format!("{}#contact-updated", path(&ada)).as_str())
        )
    );
    assert!(acme.page(&path(&ada)).await.text.contains("Ada King"));

    // Another user still has the old page open.
    let late = [
        ("id", id.as_str()),
        ("version", "1"),
        ("name", "Ada Byron"),
        email,
        ("idempotency_key", "late"),
    ];
    let conflict = acme.submit("update-contact", &late).await;
    assert_eq!(conflict.status, 409);
    assert!(
        conflict.text.contains("Ada Byron") && conflict.text.contains("Ada King"),
        "{}",
        conflict.text
    );
    let (version, key) = (
        conflict.hidden("version").unwrap(),
        conflict.hidden("idempotency_key").unwrap(),
    );
    assert_eq!(version, "2");
    let again = [
        ("id", id.as_str()),
        ("version", &version),
        ("name", "Ada Byron"),
        email,
        ("idempotency_key", &key),
    ];
    assert_eq!(acme.submit("update-contact", &again).await.status, 303);
    assert_eq!(acme.get(&path(&ada)).await.data()["name"], "Ada Byron");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_deleted_after_a_confirmation() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    let question = acme.page(&format!("{}/delete", path(&ada))).await;
    assert!(
        question
            .text
            .contains("Delete Ada? It stays in the trash for 30 days"),
        "{question:?}"
    );
    let [id, key] =
        ["id", "idempotency_key"].map(|name| question.hidden(name).expect("a hidden field"));
    let sent = acme
        .submit("delete-contact", &[("id", &id), ("idempotency_key", &key)])
        .await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, Some("/t/acme/contacts#contact-deleted"))
    );
    assert_eq!(acme.page(&path(&ada)).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_markup_is_escaped_on_every_page() {
    let product = Product::start();
    let acme = product.sign_up("<script>o</script>").await;
    let markup = "<script>n</script>\"'><img src=x onerror=y>";
    let fields = [
        ("name", markup),
        ("email", "a@b.example"),
        ("company", markup),
        ("phone", "\"><b>"),
        ("notes", markup),
    ];
    let id = acme.post("create-contact", &fields).await.data()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for page in [
        "",
        &format!("/{id}"),
        &format!("/{id}/edit"),
        &format!("/{id}/delete"),
        "?q=%3Cscript%3En",
    ] {
        let response = acme.page(&acme.contacts(page)).await;
        assert_eq!(response.status, 200);
        for raw in ["<script>o", "<script>n", "<img src=x", "\"><b>"] {
            assert!(!response.text.contains(raw), "{page}: {}", response.text);
        }
        assert!(
            response.text.contains("&#60;script&#62;n"),
            "{page}: {}",
            response.text
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_page_contains_no_key_and_nothing_of_one_user() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let ada = acme.create("Ada", "ada@example.com").await;
    for page in [acme.contacts(""), path(&ada)] {
        let (first, second) = (acme.page(&page).await, acme.page(&page).await);
        assert_eq!(first.text, second.text, "the page is the same each time");
        assert!(!first.text.contains("idempotency_key"), "{}", first.text);
        assert!(
            !first.text.contains(&acme.email) && !first.text.contains(&acme.user),
            "{}",
            first.text
        );
        assert_eq!(first.session(), None, "it sets no session");
    }
}
