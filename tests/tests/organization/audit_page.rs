//! The audit page: what it shows, to whom, page by page.

use action::Role;
use edge_crm_tests::inside::ORIGIN;
use edge_crm_tests::world::{Person, Response, World};
use hyper::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const UNKNOWN: &str = "0197a3b0-0000-7000-8000-00000000000f";

/// An organisation and its owner.
pub(super) struct Acme {
    pub(super) world: World,
    pub(super) ada: Person,
}

impl Acme {
    pub(super) async fn start() -> Self {
        let world = World::start().await;
        let ada = world.sign_up("Acme").await;
        Self { world, ada }
    }

    pub(super) async fn get(&self, person: &Person, rest: &str) -> Response {
        let request = person.get(&format!("/t/acme/{rest}"), "application/json");
        self.world.send(request).await
    }

    /// The `data` of the audit with this query.
    async fn audit(&self, query: &str) -> Value {
        let response = self.get(&self.ada, &format!("audit{query}")).await;
        assert_eq!(response.status, 200, "{query}: {response:?}");
        response.json()["data"].clone()
    }

    async fn records(&self, query: &str) -> Vec<Value> {
        let mut data = self.audit(query).await;
        serde_json::from_value(data["records"].take()).unwrap()
    }

    async fn create(&self, person: &Person, name: &str) -> String {
        let email = format!("{}@example.com", uuid::Uuid::new_v4());
        let fields = json!({ "name": name, "email": email });
        let response = self.world.act(person, "create-contact", &fields).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["data"]["id"].as_str().unwrap().to_owned()
    }

    /// Writes audit records of an import directly to the table, oldest first.
    pub(super) fn import(&self, count: usize, notes: &str) {
        for n in 0..count {
            let id = format!("0197a3b0-0000-7000-8000-{n:012x}");
            let record = json!({
                "id": id, "at": "2026-01-05T00:00:00Z", "action": "import-contact", "outcome": "ok",
                "resource": "contacts", "subjectId": id, "userId": UNKNOWN, "role": "member",
                "ip": "192.0.2.1", "requestId": "r", "input": { "notes": notes },
            });
            self.world.table.put("#audit:acme", &id, &record);
        }
    }
}

pub(super) fn user(person: &Person) -> &str {
    person.session.split('.').nth(3).unwrap()
}

#[tokio::test]
async fn a_record_names_user_action_time_and_address() {
    let acme = Acme::start().await;
    let request = Request::post("/actions/create-contact")
        .header("content-type", "application/json")
        .header("origin", ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .header("user-agent", format!("Browser/1.0{}", "é".repeat(300)))
        .header("cookie", acme.ada.cookies())
        .body(
            json!({ "name": "Zoë", "email": "zoe@example.com" })
                .to_string()
                .into(),
        )
        .unwrap();
    let created = acme.world.send(request).await.json();
    let data = acme.audit("").await;
    assert_eq!(
        (&data["refused"], &data["next"]),
        (&json!([]), &Value::Null)
    );
    let record = &data["records"][0];
    let stored = acme.world.table.audits("create-contact").remove(0);
    let agent = format!("Browser/1.0{}", "é".repeat(189));
    let id = &created["data"]["id"];
    let expected = json!({
        "id": stored.sk, "at": created["data"]["createdAt"], "action": "create-contact",
        "outcome": "ok", "resource": "contacts", "subjectId": id, "userId": user(&acme.ada),
        "userName": "Ada", "userEmail": stored.get("userEmail"), "role": "owner", "ip": "192.0.2.1", "userAgent": agent,
        "requestId": created["requestId"], "previous": null, "hash": stored.get("hash"),
        "head": ["acme:contacts", id],
        "input": {
            "name": "Zoë", "email": "zoe@example.com", "company": null, "phone": null, "notes": null,
        },
    });
    assert_eq!(record, &expected);
    let first = &data["records"][1];
    // CloudFront's own name, sent if a viewer has no User-Agent.
    assert_eq!(
        (&first["action"], &first["role"], &first["userAgent"]),
        (
            &json!("sign-up"),
            &json!("owner"),
            &json!("Amazon CloudFront")
        )
    );
}

#[tokio::test]
async fn the_newest_records_come_first_and_older_ones_page_by_page() {
    let acme = Acme::start().await;
    acme.import(120, "");
    let (mut seen, mut query, mut pages) = (Vec::new(), String::new(), Vec::new());
    loop {
        let data = acme.audit(&query).await;
        let records = data["records"].as_array().unwrap();
        pages.push(records.len());
        seen.extend(
            records
                .iter()
                .map(|record| record["id"].as_str().unwrap().to_owned()),
        );
        match data["next"].as_str() {
            Some(next) => query = format!("?after={next}"),
            None => break,
        }
    }
    assert_eq!(pages, [50, 50, 21]);
    let distinct: BTreeSet<_> = seen.iter().rev().cloned().collect();
    assert!(
        distinct.into_iter().eq(seen.iter().rev().cloned()),
        "{seen:?}"
    );
    let page = acme.world.look(&acme.ada, "/audit").await;
    let next = page
        .text
        .split("href=\"")
        .find(|text| text.contains("after="));
    let next = next
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("/t/acme", "");
    let older = acme.world.look(&acme.ada, &next).await;
    assert!(older.text.contains("Back to newest") && older.text.contains("Older records"));
    let own = next.replace("/audit", "/t/acme/audit.csv");
    for (link, from) in [("/t/acme/audit.csv", "the newest"), (&own, "this page")] {
        let link = format!("href=\"{link}\">");
        assert!(older.text.contains(&link), "{from}: {}", older.text);
    }
    assert!(!page.text.contains("From this page on"), "the newest page");
    for query in ["?after=x", &format!("?action=sign-up&{}", &query[1..])] {
        let response = acme.get(&acme.ada, &format!("audit{query}")).await;
        assert_eq!(response.status, 400, "{response:?}");
        assert_eq!(response.json()["fieldErrors"]["after"], "Unknown page");
    }
}

#[tokio::test]
async fn a_filter_shows_only_matching_records() {
    let acme = Acme::start().await;
    let bob = acme.world.join(&acme.ada, Role::Member);
    let (first, second) = (
        acme.create(&acme.ada, "One").await,
        acme.create(&bob, "Two").await,
    );
    let fields =
        json!({ "id": first, "version": 1, "name": "Three", "email": "three@example.com" });
    acme.world.act(&bob, "update-contact", &fields).await;
    acme.import(60, "");
    let (ada, bob) = (user(&acme.ada), user(&bob));
    let expected = [
        (
            format!("?user={bob}"),
            vec!["update-contact", "create-contact"],
        ),
        (format!("?user={ada}"), vec!["create-contact", "sign-up"]),
        (
            "?action=create-contact".to_owned(),
            vec!["create-contact"; 2],
        ),
        (
            format!("?record={first}"),
            vec!["update-contact", "create-contact"],
        ),
        (
            format!("?record={second}&user={bob}&action=create-contact"),
            vec!["create-contact"],
        ),
        (format!("?record={second}&user={ada}"), vec![]),
        (format!("?user={UNKNOWN}&action=sign-up"), vec![]),
        ("?action=unheard-of".to_owned(), vec![]),
        ("?record=nothing".to_owned(), vec![]),
        (
            "?user=&action=&record=%20&after=".to_owned(),
            vec!["update-contact"],
        ),
    ];
    for (query, actions) in expected {
        let records = acme.records(&query).await;
        let shown: Vec<_> = records.iter().map(|record| &record["action"]).collect();
        let shown = &shown[..shown.len().min(actions.len().max(1))];
        assert_eq!(shown, actions, "{query}");
        let page = acme.world.look(&acme.ada, &format!("/audit{query}")).await;
        assert_eq!(page.status, 200);
    }
    assert_eq!(acme.records("?action=import-contact").await.len(), 50);
    let long = "a".repeat(101);
    for (query, field) in [
        ("?user=ada", "user"),
        ("?action=%00", "action"),
        ("?action=create%20contact", "action"),
        ("?action=%", "action"),
        (&format!("?record={long}"), "record"),
        ("?record=%3Cscript%3E", "record"),
    ] {
        let response = acme.get(&acme.ada, &format!("audit{query}")).await;
        assert_eq!(response.status, 400, "{query}: {response:?}");
        let body = response.json();
        // A NUL is refused before any field is checked.
        assert!(
            body["fieldErrors"][field].is_string() || query.contains("%00"),
            "{body}"
        );
        for path in ["/audit", "/audit.csv"] {
            let page = acme.world.look(&acme.ada, &format!("{path}{query}")).await;
            assert_eq!(page.status, 400);
            if let Some(message) = body["fieldErrors"][field].as_str() {
                let line = format!("<p class=\"error\" id=\"{field}-error\">{message}</p>");
                assert!(page.text.contains(&line), "{line}: {}", page.text);
            }
        }
    }
}

#[tokio::test]
async fn only_admins_of_the_organisation_see_the_audit() {
    let acme = Acme::start().await;
    let other = acme.world.sign_up("Other").await;
    for path in ["audit", "audit.csv"] {
        for (role, status) in [
            (Role::Owner, 200),
            (Role::Admin, 200),
            (Role::Member, 403),
            (Role::Viewer, 403),
        ] {
            let person = acme.world.join(&acme.ada, role);
            let response = acme.get(&person, path).await;
            assert_eq!(response.status, status, "{role:?} {path}: {response:?}");
            assert_eq!(response.header("cache-control"), "private, no-store");
        }
        let response = acme.get(&other, path).await;
        assert!([403, 404].contains(&response.status), "{response:?}");
        assert!(!response.text.contains("Ada"), "{response:?}");
        let nobody = Person {
            tenant: "acme".to_owned(),
            ..Person::default()
        };
        assert_eq!(acme.get(&nobody, path).await.status, 401);
        let page = acme.world.look(&nobody, &format!("/{path}")).await;
        assert_eq!(page.status, 303);
        // A download does not replace the page, so sign-in leads back to the page.
        let back = "/sign-in?return_to=/t/acme/audit";
        assert_eq!(page.header("location"), back, "{path}");
    }
    let own = acme
        .world
        .send(other.get("/t/other/audit", "application/json"))
        .await;
    let records = own.json()["data"]["records"].clone();
    assert_eq!(records.as_array().map(Vec::len), Some(1), "{own:?}");
}

#[tokio::test]
async fn the_page_shows_names_times_and_links_and_escapes_markup() {
    let acme = Acme::start().await;
    let id = acme.create(&acme.ada, "<script>alert(1)</script>").await;
    let page = acme.world.look(&acme.ada, "/audit").await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    for text in [
        "create-contact",
        "Ada",
        " UTC</time>",
        &format!("href=\"/t/acme/contacts/{id}\""),
        &format!("href=\"/t/acme/audit?record={id}\""),
        "href=\"/t/acme/audit.csv\"",
        "<form class=\"filter\" role=\"search\" method=\"get\" action=\"/t/acme/audit\">",
        "href=\"/t/acme/audit\" aria-current=\"page\"",
        "Nothing was refused.",
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    acme.import(1, "");
    let page = acme
        .world
        .look(&acme.ada, &format!("/audit?user={UNKNOWN}"))
        .await;
    assert!(page.text.contains("a former member"), "{}", page.text);
    assert!(
        page.text
            .contains(&format!("<option value=\"{UNKNOWN}\" selected>"))
    );
    let page = acme.world.look(&acme.ada, "/audit?action=nothing").await;
    assert!(page.text.contains("No records match"));
}

/// What a user types into the filter comes back with what is wrong with it.
#[tokio::test]
async fn a_wrong_filter_keeps_the_form_with_the_value_and_the_message() {
    let acme = Acme::start().await;
    for (query, field, value, message) in [
        (
            "action=create%20contact!",
            "action",
            "create contact!",
            "Unknown action",
        ),
        ("record=%3Cb%3E", "record", "&#60;b&#62;", "Unknown record"),
        ("user=nobody", "user", "nobody", "Unknown person"),
    ] {
        for path in ["audit", "audit.csv"] {
            let page = acme
                .world
                .look(&acme.ada, &format!("/{path}?{query}"))
                .await;
            assert_eq!(page.status, 400, "{query}: {page:?}");
            assert_eq!(page.header("cache-control"), "private, no-store");
            let error = format!("<p class=\"error\" id=\"{field}-error\">{message}</p>");
            for words in [
                "<form class=\"filter\"",
                &format!("value=\"{value}\""),
                &error,
                &format!("aria-describedby=\"{field}-error\""),
                &format!("<a href=\"#{field}\">{message}</a>"),
                "<title>Error: Audit",
                ">Ada</option>",
                "Sign out",
            ] {
                assert!(page.text.contains(words), "{query} {words}: {page:?}");
            }
        }
        let json = acme.get(&acme.ada, &format!("audit?{query}")).await;
        assert_eq!(json.status, 400);
        assert_eq!(json.json()["fieldErrors"], json!({ field: message }));
    }
    // Several at once, beside a right one.
    let page = acme
        .world
        .look(
            &acme.ada,
            "/audit?user=x&action=sign-up&record=a.b&after=junk",
        )
        .await;
    for words in ["Unknown person", "Unknown record", "value=\"sign-up\""] {
        assert!(page.text.contains(words), "{words}: {page:?}");
    }
    let page = acme
        .world
        .look(&acme.ada, "/audit?action=sign-up&after=junk")
        .await;
    assert_eq!(page.status, 400);
    for words in ["Unknown page", "value=\"sign-up\""] {
        assert!(page.text.contains(words), "{words}: {page:?}");
    }
    let mia = acme.world.join(&acme.ada, Role::Member);
    let page = acme.world.look(&mia, "/audit?user=x").await;
    assert_eq!(page.status, 403, "{page:?}");
    assert!(!page.text.contains("Unknown person"), "{page:?}");
}

/// Somebody with access to the table may have changed a record, or a later version may have written it.
#[tokio::test]
async fn a_record_that_cannot_be_read_breaks_neither_the_page_nor_the_file() {
    let acme = Acme::start().await;
    let id = acme.create(&acme.ada, "Zoë").await;
    let stored = acme.world.table.audits("create-contact").remove(0);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut item = Value::Object(stored.whole());
        change(&mut item);
        item
    };
    let broken = [
        changed(&|item| item["at"] = json!("yesterday")),
        changed(&|item| item["role"] = json!("king")),
        changed(&|item| item["userId"] = json!(7)),
        changed(&|item| item["outcome"] = json!(["a", { "kind": "of its own" }])),
        changed(&|item| item["input"] = Value::Null),
        json!({ "expires_at": 1 }),
        json!({ "id": 7, "action": null }),
        changed(&|item| {
            item.as_object_mut().map(|item| item.remove("requestId"));
        }),
    ];
    for (number, item) in broken.iter().enumerate() {
        let sk = format!("fff7a3b0-0000-7000-8000-{number:012x}");
        let mut item = item.clone();
        if item["id"].is_string() {
            item["id"] = json!(sk);
        }
        acme.world.table.put("#audit:acme", &sk, &item);
        acme.world
            .table
            .put(&format!("#timeline:acme:contacts:{id}"), &sk, &item);
    }
    acme.world
        .table
        .put("#refused:acme", "x:y:z", &json!({ "count": "many" }));
    let data = acme.audit("").await;
    let records = data["records"].as_array().unwrap();
    assert!(
        records
            .iter()
            .any(|record| record["action"] == "create-contact")
    );
    // One is readable: any JSON may be the input of an action.
    assert_eq!(
        data["unreadable"].as_array().map(Vec::len),
        Some(broken.len() - 1)
    );
    assert_eq!(data["refused"], json!([]));
    let page = acme.world.look(&acme.ada, "/audit").await;
    assert_eq!(page.status, 200, "{page:?}");
    let shown = page.text.matches("This record could not be read").count();
    assert_eq!(shown, broken.len() - 1);
    let first = "Its id is fff7a3b0-0000-7000-8000-000000000000.";
    assert!(
        page.text.contains(first) && page.text.contains("sign-up"),
        "{page:?}"
    );
    let file = acme.get(&acme.ada, "audit.csv").await;
    assert_eq!(file.status, 200, "{file:?}");
    assert_eq!(
        file.text.matches("\"unreadable\"").count(),
        broken.len() - 1
    );
    assert!(
        file.text
            .contains("\"fff7a3b0-0000-7000-8000-000000000000\"")
    );
    assert!(file.text.contains("\"create-contact\"") && file.text.contains("\"sign-up\""));
    let contact = acme.world.look(&acme.ada, &format!("/contacts/{id}")).await;
    assert_eq!(contact.status, 200, "{contact:?}");
    assert!(contact.text.contains("Created by"), "{contact:?}");
}

/// Paging goes on behind records that cannot be read.
#[tokio::test]
async fn unreadable_records_do_not_end_the_pages() {
    let acme = Acme::start().await;
    acme.import(120, "");
    for number in (0..120).step_by(3) {
        let id = format!("0197a3b0-0000-7000-8000-{number:012x}");
        let broken = json!({ "id": id, "at": "never" });
        acme.world.table.put("#audit:acme", &id, &broken);
    }
    let (mut query, mut readable, mut broken) = (String::new(), 0, BTreeSet::new());
    loop {
        let data = acme.audit(&query).await;
        readable += data["records"].as_array().unwrap().len();
        let ids = data["unreadable"].as_array().unwrap().iter();
        broken.extend(ids.map(|one| one["id"].as_str().unwrap().to_owned()));
        match data["next"].as_str() {
            Some(next) => query = format!("?after={next}"),
            None => break,
        }
    }
    assert_eq!((readable, broken.len()), (81, 40));
}
