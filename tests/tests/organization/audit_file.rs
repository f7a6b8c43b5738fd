//! The audit as a CSV file: its content, its limit, and that no program reads it as formulas.

use super::audit_page::{Acme, user};
use action::Role;
use edge_crm_tests::inside::ORIGIN;
use edge_crm_tests::world::Response;
use functions::registry::Description;
use hyper::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The lines of a file, each as a map from heading to value.
fn lines(response: &Response) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(response.text.as_bytes());
    reader
        .deserialize()
        .map(|line| line.expect("a line of CSV"))
        .collect()
}

#[tokio::test]
async fn the_file_contains_everything_and_no_formula() {
    let acme = Acme::start().await;
    let notes = "line one\nline \"two\", Zoë 株式会社";
    let email = "zoe@example.com";
    let fields = json!({ "name": "=1+1", "email": email, "notes": notes });
    acme.world.act(&acme.ada, "create-contact", &fields).await;
    let bob = acme.world.join(&acme.ada, Role::Member);
    let name = "=HYPERLINK(\"https://evil.example\";\"a\"), b\n@c";
    let membership = json!({ "id": user(&bob), "userId": user(&bob), "name": name, "role": "member", "version": 1 });
    acme.world
        .table
        .put("acme:members", user(&bob), &membership);
    let request = Request::post("/actions/create-contact")
        .header("content-type", "application/json")
        .header("origin", ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .header("user-agent", "@SUM(1)")
        .header("cookie", bob.cookies())
        .body(
            json!({ "name": "Bo", "email": "bo@example.com" })
                .to_string()
                .into(),
        )
        .unwrap();
    assert_eq!(acme.world.send(request).await.status, 200);

    let file = acme.world.look(&acme.ada, "/audit.csv").await;
    assert_eq!(file.status, 200, "{file:?}");
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"acme-audit.csv\""
    );
    assert_eq!(
        (file.header("x-record-count"), file.header("link")),
        ("3", "")
    );
    let lines = lines(&file);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["user_name"], format!("'{name}"));
    assert_eq!(lines[0]["user_agent"], "'@SUM(1)");
    let input: Value = serde_json::from_str(&lines[1]["input"]).unwrap();
    assert_eq!(
        (&input["name"], &input["notes"]),
        (&json!("=1+1"), &json!(notes))
    );
    assert_eq!(lines[1]["user_name"], "Ada");
    let stored = acme.world.table.audits("sign-up").remove(0);
    assert_eq!(lines[2]["id"], stored.sk);
    assert_eq!(lines[2]["hash"], stored.get("hash").as_str().unwrap());
    assert_eq!(lines[2]["role"], "owner");
    for line in &lines {
        for cell in line.values() {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell:?}"
            );
        }
    }
    let filtered = acme
        .world
        .look(&acme.ada, "/audit.csv?action=sign-up")
        .await;
    assert_eq!(self::lines(&filtered).len(), 1);
    let asked = acme.get(&acme.ada, "audit.csv").await;
    assert_eq!(asked.text, file.text, "it is a file for any Accept header");
}

/// Excel reads a file without a byte order mark as Windows-1252, in which "Zoë" is "ZoÃ«".
#[tokio::test]
async fn every_csv_file_says_that_it_is_utf_8() {
    let views = functions::REGISTRY.iter().filter_map(|entry| {
        let Description::Views(views) = (entry.describe)() else {
            return None;
        };
        Some(views)
    });
    let files: Vec<_> = views
        .flatten()
        .filter(|view| view.file_ending == ".csv")
        .collect();
    assert!(!files.is_empty());
    let acme = Acme::start().await;
    let fields = json!({ "name": "Zoë", "email": "zoe@example.com" });
    acme.world.act(&acme.ada, "create-contact", &fields).await;
    for view in files {
        let path = view.path.replace("{tenant}", &acme.ada.tenant);
        let file = acme.world.send(acme.ada.get(&path, "text/html")).await;
        assert_eq!(file.status, 200, "{path}: {file:?}");
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        let text = file.text.strip_prefix('\u{feff}').expect(view.path);
        assert!(!text.contains('\u{feff}') && text.contains("Zoë"), "{text}");
    }
}

/// The number of records in each of the consecutive files, and all their records.
async fn files(acme: &Acme, query: &str) -> (Vec<usize>, Vec<String>) {
    let (mut counts, mut ids) = (Vec::new(), Vec::new());
    let mut path = format!("/t/acme/audit.csv{query}");
    loop {
        let file = acme.world.send(acme.ada.get(&path, "text/html")).await;
        assert_eq!(file.status, 200, "{}", file.text);
        let size = serde_json::to_string(&file.text).unwrap().len();
        assert!(
            size < 6_000_000,
            "a Lambda response has at most 6 MB: {size}"
        );
        let lines = lines(&file);
        assert_eq!(file.header("x-record-count"), lines.len().to_string());
        counts.push(lines.len());
        ids.extend(lines.iter().map(|line| line["id"].clone()));
        match file.header("link").strip_suffix(">; rel=\"next\"") {
            Some(next) => path = next.strip_prefix('<').unwrap().to_owned(),
            None => return (counts, ids),
        }
    }
}

#[tokio::test]
async fn a_file_has_a_limit_and_names_where_the_next_one_begins() {
    let acme = Acme::start().await;
    acme.import(2_100, "");
    let (counts, ids) = files(&acme, "?action=import-contact").await;
    assert_eq!(counts, [2_000, 100]);
    let page = acme.world.look(&acme.ada, "/audit").await;
    let most = format!("A file holds at most {} records.", counts[0]);
    assert!(page.text.contains(&most), "{}", page.text);
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 2_100);

    let acme = Acme::start().await;
    // A quote takes four bytes: doubled for CSV, each of them two in JSON, and so on.
    acme.import(40, &"\"\n".repeat(50_000));
    let (counts, ids) = files(&acme, "").await;
    assert!(
        counts.len() > 1 && counts.iter().all(|count| *count > 0),
        "{counts:?}"
    );
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 41);
}
