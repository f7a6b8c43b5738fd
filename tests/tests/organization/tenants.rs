//! Separation of organisations: a member of one who knows everything about another gets nothing of
//! it.
//!
//! Both are called Acme, so their slugs are `acme` and `acme-2`: one begins with the other.

use edge_crm_tests::{Answer, Client, Exchange, Product, Table, product_with_table, raw};
use reqwest::Method;
use serde_json::{Value, json};

const SECRET: &str = "Zarquon";
const UNKNOWN: &str = "0197a3b0-0000-7000-8000-00000000000f";

struct Scene {
    product: Product,
    table: Table,
    /// The owner of the secret contact.
    victim: Client,
    /// The owner of the other organisation, who tries to get it.
    other: Client,
    contact: Value,
}

impl Scene {
    async fn new() -> Self {
        let (product, table) = product_with_table().await;
        let (victim, other) = (product.sign_up("Acme").await, product.sign_up("Acme").await);
        assert_eq!(
            (victim.tenant.as_str(), other.tenant.as_str()),
            ("acme", "acme-2")
        );
        let fields = [
            ("name", SECRET),
            ("email", "zarquon@secret.example"),
            ("company", SECRET),
            ("notes", SECRET),
        ];
        let contact = victim
            .post_form("create-contact", &fields, Some("shared"))
            .await
            .data();
        Self {
            product,
            table,
            victim,
            other,
            contact,
        }
    }

    fn id(&self) -> &str {
        self.contact["id"].as_str().expect("an id")
    }
}

fn reveals_nothing(response: &Answer) {
    for secret in [SECRET, "zarquon", "Olive"] {
        assert!(!response.text.contains(secret), "{response:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_another_organisation_is_refused() {
    let scene = Scene::new().await;
    let id = scene.id();
    for rest in [
        "",
        "?q=",
        "/new",
        &format!("/{id}"),
        &format!("/{id}/edit"),
        &format!("/{id}/delete"),
    ] {
        let path = scene.victim.contacts(rest);
        for (client, tenant) in [(&scene.other, "acme"), (&scene.victim, "acme-2")] {
            let path = path.replacen("/t/acme/", &format!("/t/{tenant}/"), 1);
            let json = client.get(&path).await;
            assert!(matches!(json.status, 403 | 404), "{path}: {json:?}");
            reveals_nothing(&json);
            let html = client.page(&path).await;
            assert_eq!(html.status, json.status);
            reveals_nothing(&html);
        }
        // An unknown organisation gets the same response.
        let nowhere = scene
            .other
            .get(&path.replacen("/t/acme/", "/t/nowhere/", 1))
            .await;
        assert_eq!(
            nowhere.without_request_id(),
            scene.other.get(&path).await.without_request_id()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_organisation_is_not_found() {
    let scene = Scene::new().await;
    let before = scene.table.saved();
    let mut responses = Vec::new();
    for id in [scene.id(), UNKNOWN] {
        let path = scene.other.contacts(&format!("/{id}"));
        let change = [
            ("id", id),
            ("version", "1"),
            ("name", "Mine"),
            ("email", "mine@example.com"),
        ];
        responses.push(vec![
            scene.other.get(&path).await.without_request_id(),
            scene
                .other
                .get(&format!("{path}/edit"))
                .await
                .without_request_id(),
            scene
                .other
                .get(&format!("{path}/delete"))
                .await
                .without_request_id(),
            scene
                .other
                .post("update-contact", &change)
                .await
                .without_request_id(),
            scene
                .other
                .post_form("update-contact", &change, Some("update"))
                .await
                .without_request_id(),
            scene
                .other
                .post("delete-contact", &[("id", id)])
                .await
                .without_request_id(),
        ]);
        reveals_nothing(&scene.other.page(&path).await);
        reveals_nothing(&scene.other.submit("delete-contact", &[("id", id)]).await);
    }
    assert!(
        responses[0].iter().all(|(status, _)| *status == 404),
        "{responses:#?}"
    );
    assert_eq!(
        responses[0], responses[1],
        "a foreign record and an unknown one get the same response"
    );
    assert_eq!(scene.table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_search_and_no_cursor_reaches_another_organisation() {
    let scene = Scene::new().await;
    for n in 0..51 {
        scene
            .victim
            .create("Contact", &format!("{n}@example.com"))
            .await;
    }
    for q in ["", SECRET, "zarquon", "acme", "@"] {
        assert!(scene.other.all(q).await.is_empty());
    }
    let cursor = scene.victim.get(&scene.victim.contacts("")).await.data()["next"]
        .as_str()
        .unwrap()
        .to_owned();
    for list in [scene.other.contacts(""), scene.victim.contacts("")] {
        let response = scene
            .other
            .request(Method::GET, &list)
            .query(&[("after", &cursor)])
            .header("accept", "application/json");
        let response = response.answer().await;
        assert!((400..=404).contains(&response.status), "{response:?}");
        reveals_nothing(&response);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_of_another_organisation_has_no_effect() {
    let scene = Scene::new().await;
    let fields = [("name", "Mine"), ("email", "zarquon@secret.example")];
    let response = scene
        .other
        .post_form("create-contact", &fields, Some("shared"))
        .await;
    assert!(!response.is_replayed());
    // The email is free in this organisation: no conflict, and no hint.
    let contact = response.data();
    assert_eq!(
        (&contact["name"], &contact["ownerId"]),
        (&json!("Mine"), &json!(scene.other.user))
    );
    assert_ne!(contact["id"], scene.contact["id"]);
    let conflict = scene.other.post("create-contact", &fields).await;
    assert_eq!(conflict.json()["existingId"], contact["id"]);
    assert_eq!(scene.victim.all("").await, [scene.contact]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_field_chooses_the_owner_or_the_organisation() {
    let scene = Scene::new().await;
    let fields = [
        ("name", "Mine"),
        ("email", "mine@example.com"),
        ("tenant", "acme"),
        ("ownerId", &scene.victim.user),
        ("pk", "acme:contacts"),
        ("id", scene.id()),
        ("version", "9"),
        ("role", "owner"),
        ("createdAt", "2001-01-01T00:00:00Z"),
    ];
    let contact = scene.other.post("create-contact", &fields).await.data();
    assert_eq!(
        (&contact["ownerId"], &contact["version"]),
        (&json!(scene.other.user), &json!(1))
    );
    assert_ne!(contact["id"], scene.contact["id"]);
    assert_eq!(
        (
            scene.table.under("acme:contacts").len(),
            scene.table.under("acme-2:contacts").len()
        ),
        (1, 1)
    );
    let query = scene
        .other
        .get(&scene.other.contacts("?tenant=acme"))
        .await
        .data();
    assert_eq!(query["contacts"], json!([contact]));
    let id = contact["id"].as_str().unwrap();
    let path = scene
        .other
        .contacts(&format!("/{id}?tenant=acme&id={}", scene.id()));
    assert_eq!(scene.other.get(&path).await.data(), contact);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mixture_of_two_cookies_is_valid() {
    let scene = Scene::new().await;
    let (a, b) = (scene.victim.token(), scene.other.token());
    let parts: [Vec<_>; 2] = [&a, &b].map(|token| token.split('.').collect());
    assert_eq!((parts[0].len(), parts[1].len()), (7, 7));
    let before = scene.table.saved();
    let mut tried = 0;
    for mask in 0..1 << 7 {
        let mixed: Vec<_> = (0..7).map(|at| parts[mask >> at & 1][at]).collect();
        let mixed = mixed.join(".");
        if mixed == a || mixed == b {
            continue;
        }
        tried += 1;
        let client = scene.product.client_with(&mixed, "acme");
        for path in ["/t/acme/contacts", "/t/acme-2/contacts"] {
            client.get(path).await.expect(401, "AUTH_ERROR");
        }
        client
            .post("delete-contact", &[("id", scene.id())])
            .await
            .expect(401, "AUTH_ERROR");
    }
    assert!(tried >= 14, "{tried}");
    assert_eq!(scene.table.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cookies_never_give_access_to_two_organisations() {
    let scene = Scene::new().await;
    let (a, b) = (scene.victim.token(), scene.other.token());
    let nobody = scene.product.client();
    for cookies in [
        format!("session={b}; session={a}"),
        format!("session={b};session=x; SESSION={a}"),
        format!("session={b}; __Host-session={a}"),
    ] {
        let response = nobody
            .request(Method::GET, "/t/acme/contacts")
            .header("cookie", cookies)
            .header("accept", "application/json");
        let response = response.answer().await;
        assert!((401..=404).contains(&response.status), "{response:?}");
        reveals_nothing(&response);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_reaches_another_organisation() {
    let scene = Scene::new().await;
    let id = scene.id();
    let paths = [
        "/t/acme-2/../acme/contacts",
        "/t/acme-2/contacts/../../acme/contacts",
        "/t/acme-2%2f..%2facme/contacts",
        "/t/acme-2/contacts/..%2f..%2facme%2fcontacts",
        "/t/%61cme/contacts",
        "/t/ACME/contacts",
        "/t/acme%00/contacts",
        "/t/acme:contacts/contacts",
        "/t/acme%3acontacts/contacts",
        "/t/acme/contacts;",
        "/t/acme;acme-2/contacts",
        "//t/acme/contacts",
        "/t//acme/contacts",
        "/t/acme/contacts//",
        "/./t/acme/contacts",
        "/t/acme/./contacts",
        "/t/acme%20/contacts",
        "/t/acme/contacts?tenant=acme-2",
        "/t/acme/contacts#/t/acme-2/contacts",
        "http://127.0.0.1/t/acme/contacts",
        "/t/acme\\contacts",
        "/t/*/contacts",
    ];
    let with_id = [
        format!("/t/acme-2/contacts/acme:contacts:{id}"),
        format!("/t/acme-2/contacts/{}", id.to_uppercase()),
        format!("/t/acme-2/contacts/{id}%20"),
        format!("/t/acme-2/contacts/%30{}", &id[1..]),
        format!("/t/acme-2/contacts/../../acme/contacts/{id}"),
        format!("/t/acme/contacts/{id}/"),
    ];
    for path in paths.map(str::to_owned).into_iter().chain(with_id) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nCookie: session={}\r\nConnection: close\r\n\r\n",
            scene.product.address(),
            scene.other.token(),
        );
        let response = raw(scene.product.address(), request.as_bytes()).await;
        let status = response.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('4'), "{path}: {response}");
        assert!(!response.contains(SECRET), "{path}: {response}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_the_audit_separate_organisations() {
    let scene = Scene::new().await;
    scene.other.create("Mine", "mine@example.com").await;
    for record in scene.table.dump() {
        let text = format!("{record:?}");
        if record.pk.contains("acme-2") {
            assert!(
                !text.contains(SECRET) && !text.contains(&scene.victim.user),
                "{text}"
            );
        }
    }
    assert!(
        scene
            .product
            .log()
            .iter()
            .all(|line| !line.contains(SECRET)),
        "the log contains no contact data"
    );
}
