//! Every read has a bound, whatever is stored.

use edge_crm_tests::{Client, Launch, Table, product_with_table, within_a_minute};
use serde_json::{Value, json};

/// More than one request looks at.
const MANY: usize = 2_500;

fn id(number: usize) -> String {
    format!("0197a3b0-0000-7000-8000-{number:012x}")
}

fn fill(table: &Table, pk: &str, of: impl Fn(usize) -> Value) {
    let items = (0..MANY).map(|number| (id(number), of(number)));
    for (id, item) in items {
        table.put(pk, &id, &item);
    }
}

/// Follows the cursors to the end. Returns the ids, and the number of pages.
async fn all(client: &Client, path: &str, list: &str) -> (Vec<String>, usize) {
    let (mut ids, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let response = client.get(&format!("{path}{after}")).await;
        assert_eq!(response.status, 200, "{response:?}");
        pages += 1;
        assert!(
            response.text.len() < 1 << 20,
            "a page of {} bytes",
            response.text.len()
        );
        let data = response.data();
        let records = data[list].as_array().expect("a list").iter();
        ids.extend(records.map(|record| record["id"].as_str().expect("an id").to_owned()));
        let Some(next) = data["next"].as_str() else {
            return (ids, pages);
        };
        let separator = if path.contains('?') { '&' } else { '?' };
        after = format!("{separator}after={next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_archived_projects_is_read_in_parts_and_the_active_one_is_found() {
    let (product, table) = product_with_table().await;
    let ada = product.sign_up("Acme").await;
    fill(&table, "acme:projects", |number| {
        let archived = (number > 0).then_some("2026-01-02T00:00:00Z");
        json!({
            "id": id(number), "name": "Turbine", "ownerId": ada.user, "archivedAt": archived,
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "version": 1,
        })
    });
    let (ids, pages) = all(&ada, "/t/acme/projects", "projects").await;
    assert_eq!(ids, [id(0)]);
    assert_eq!(pages, 2, "one request looks at 2,000 items");
    let page = ada.page("/t/acme/projects").await;
    assert!(page.text.contains("The newest projects are archived"));
    assert!(page.text.contains("Older projects"));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_and_invitations_come_in_pages() {
    let (product, table) = product_with_table().await;
    let ada = product.sign_up("Acme").await;
    fill(&table, "acme:members", |number| {
        json!({
            "id": id(number), "name": null, "email": format!("{number}@example.com"),
            "role": "member", "status": "invited", "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z", "version": 1,
        })
    });
    let (ids, pages) = all(&ada, "/t/acme/members", "members").await;
    assert_eq!((ids.len(), pages), (MANY + 1, 13));
    let page = ada.page("/t/acme/members").await;
    assert!(page.text.contains("Members (200+)") && page.text.contains("Older members"));
    let wrong = ada.get("/t/acme/members?after=nonsense").await;
    wrong.expect(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_of_the_audit_reads_in_parts() {
    let (product, table) = product_with_table().await;
    let ada = product.sign_up("Acme").await;
    fill(&table, "#audit:acme", |number| {
        json!({
            "id": id(number), "at": "2026-01-01T00:00:00Z", "outcome": "ok", "resource": "contacts",
            "action": if number == 0 { "delete-contact" } else { "create-contact" },
            "subjectId": id(number), "userId": ada.user, "role": "owner", "ip": "192.0.2.1",
            "requestId": "r", "input": {},
        })
    });
    let (ids, pages) = all(&ada, "/t/acme/audit?action=delete-contact", "records").await;
    assert_eq!((ids, pages), (vec![id(0)], 2));
    let page = ada.page("/t/acme/audit?action=delete-contact").await;
    assert!(page.text.contains("No match among the newest records"));
    // A file reads more at once.
    let file = ada.page("/t/acme/audit.csv?action=delete-contact").await;
    assert!(file.text.contains("\"delete-contact\""));
}

/// Ids that do not exist leave nothing in the table, and guessing them has a limit.
#[tokio::test(flavor = "multi_thread")]
async fn random_ids_write_no_marks_and_are_limited() {
    let table = Table::start().await;
    let product = Launch::new().table(&table).per_user(20).start();
    let ada = product.sign_up("Acme").await;
    within_a_minute(40).await;
    for number in 0..20 {
        let path = format!("/t/acme/contacts/{}", id(number));
        assert_eq!(ada.get(&path).await.status, 404, "{number}");
    }
    let limited = ada.get(&format!("/t/acme/contacts/{}", id(21))).await;
    limited.expect(429, "RATE_LIMIT_ERROR");
    assert!(limited.header("retry-after").is_some());
    let marks = table.under("#mark:acme:contacts:");
    assert!(marks.is_empty(), "{marks:?}");
    // What exists is still shown.
    assert_eq!(ada.get("/t/acme/contacts").await.status, 200);
}
