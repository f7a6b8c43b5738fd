//! The list of contacts: order, paging and search.

use edge_crm_tests::{Client, Exchange, Product};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Creates contacts named `{prefix} {n}`, several at a time.
async fn fill(client: &Client, prefix: &str, count: usize) {
    let numbers: Vec<_> = (0..count).collect();
    for some in numbers.chunks(20) {
        let adding = some.iter().map(|n| {
            let (client, name) = (client.clone(), format!("{prefix} {n}"));
            async move {
                client
                    .create(&name, &format!("{}@example.com", name.replace(' ', "-")))
                    .await
            }
        });
        join_all(adding).await;
    }
}

fn names(contacts: &[Value]) -> Vec<&str> {
    contacts
        .iter()
        .map(|contact| contact["name"].as_str().expect("a name"))
        .collect()
}

async fn page(client: &Client, query: &[(&str, &str)]) -> (Vec<Value>, Value) {
    let request = client
        .request(Method::GET, &client.contacts(""))
        .query(query);
    let mut data = request
        .header("accept", "application/json")
        .answer()
        .await
        .data();
    let Value::Array(contacts) = data["contacts"].take() else {
        panic!("no list: {data}")
    };
    (contacts, data["next"].take())
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_through_120_contacts_gives_each_once_newest_first() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    fill(&acme, "contact", 120).await;
    let (first, next) = page(&acme, &[]).await;
    // A contact that is created meanwhile is newer, so the later pages stay as they are.
    acme.create("latecomer", "late@example.com").await;
    let (second, more) = page(&acme, &[("after", next.as_str().unwrap())]).await;
    let (third, end) = page(&acme, &[("after", more.as_str().unwrap())]).await;
    assert_eq!(
        (first.len(), second.len(), third.len(), end),
        (50, 50, 20, Value::Null)
    );

    let all = [first, second, third].concat();
    let ids: Vec<_> = all
        .iter()
        .map(|contact| contact["id"].as_str().unwrap())
        .collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older));
    let created: Vec<_> = all
        .iter()
        .map(|contact| contact["createdAt"].as_str().unwrap())
        .collect();
    assert!(created[0] >= created[119]);
    let expected: BTreeSet<_> = (0..120).map(|n| format!("contact {n}")).collect();
    assert_eq!(
        names(&all)
            .into_iter()
            .map(str::to_owned)
            .collect::<BTreeSet<_>>(),
        expected
    );
    assert_eq!(acme.all("").await.len(), 121);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_names_a_next_page_only_if_there_is_one() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    assert_eq!(
        acme.get(&acme.contacts("")).await.data(),
        json!({ "contacts": [], "next": null })
    );
    fill(&acme, "contact", 50).await;
    let (contacts, next) = page(&acme, &[]).await;
    assert_eq!((contacts.len(), next), (50, Value::Null));
    acme.create("one more", "more@example.com").await;
    let (contacts, next) = page(&acme, &[]).await;
    assert_eq!((contacts.len(), next.is_string()), (50, true));
    let html = acme.page(&acme.contacts("")).await.text;
    assert!(html.contains("50+"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_covers_all_contacts_and_its_result_has_pages() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    acme.create("the Oldest", "old@example.com").await;
    fill(&acme, "needle", 60).await;
    fill(&acme, "hay", 60).await;
    assert_eq!(names(&acme.all("oldest").await), ["the Oldest"]);
    let (found, next) = page(&acme, &[("q", "NEEDLE")]).await;
    assert_eq!(found.len(), 50);
    let (rest, end) = page(&acme, &[("q", "NEEDLE"), ("after", next.as_str().unwrap())]).await;
    assert_eq!((rest.len(), end), (10, Value::Null));
    let names: BTreeSet<_> = names(&found).into_iter().chain(names(&rest)).collect();
    assert!(
        names.len() == 60 && names.iter().all(|name| name.starts_with("needle")),
        "{names:?}"
    );
    assert_eq!(
        page(&acme, &[("q", "no such text")]).await,
        (vec![], Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_covers_name_email_company_and_phone_in_any_case() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for fields in [
        [
            ("name", "Émile Zola"),
            ("email", "ez@x.example"),
            ("company", "Straße AG"),
            ("notes", "hidden"),
            ("phone", "555"),
        ],
        // É, as two code points.
        [
            ("name", "E\u{301}tienne"),
            ("email", "et@y.example"),
            ("company", ""),
            ("notes", ""),
            ("phone", ""),
        ],
        [
            ("name", "Σίσυφος"),
            ("email", "Sis@Z.example"),
            ("company", "50% & <b> +1"),
            ("notes", ""),
            ("phone", ""),
        ],
    ] {
        assert_eq!(acme.post("create-contact", &fields).await.status, 200);
    }
    let cases: [(&str, &[&str]); 18] = [
        ("émile", &["Émile Zola"]),
        ("ÉMILE", &["Émile Zola"]),
        ("e\u{301}mile", &["Émile Zola"]),
        ("étienne", &["E\u{301}tienne"]),
        ("É", &["E\u{301}tienne", "Émile Zola"]),
        ("strasse", &["Émile Zola"]),
        ("STRASSE ag", &["Émile Zola"]),
        ("straße", &["Émile Zola"]),
        ("σίσυφος", &["Σίσυφος"]),
        ("ΣΊΣΥΦΟΣ", &["Σίσυφος"]),
        ("sis@z", &["Σίσυφος"]),
        ("ET@Y.EX", &["E\u{301}tienne"]),
        ("50% &", &["Σίσυφος"]),
        ("<B> +1", &["Σίσυφος"]),
        ("  zola  ", &["Émile Zola"]),
        ("hidden", &[]),
        ("555", &["Émile Zola"]),
        ("", &["Σίσυφος", "E\u{301}tienne", "Émile Zola"]),
    ];
    for (q, expected) in cases {
        assert_eq!(names(&acme.all(q).await), expected, "{q:?}");
    }
    let html = acme
        .request(Method::GET, &acme.contacts(""))
        .query(&[("q", "\"><script>x</script>")])
        .answer()
        .await;
    assert!(
        html.status == 200 && !html.text.contains("<script>x"),
        "{}",
        html.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_the_list_did_not_issue_is_refused() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let beta = product.sign_up("Beta").await;
    fill(&acme, "contact", 51).await;
    fill(&beta, "contact", 51).await;
    let (contacts, next) = page(&acme, &[]).await;
    let next = next.as_str().unwrap();
    let (_, of_beta) = page(&beta, &[]).await;
    let (_, of_search) = page(&acme, &[("q", "contact")]).await;
    let flipped = format!(
        "{}{}",
        if next.starts_with('A') { 'B' } else { 'A' },
        &next[1..]
    );
    let refused: [&[(&str, &str)]; 11] = [
        &[("after", "junk")],
        &[("after", "a.b")],
        &[("after", ".")],
        &[("after", "%00")],
        &[("after", contacts[49]["id"].as_str().unwrap())],
        &[("after", &next[..next.len() - 1])],
        &[("after", &flipped)],
        &[("after", of_beta.as_str().unwrap())],
        &[("after", of_search.as_str().unwrap())],
        &[("after", next), ("q", "contact")],
        &[("after", of_search.as_str().unwrap()), ("q", "contac")],
    ];
    for query in refused {
        let request = |accept| {
            acme.request(Method::GET, &acme.contacts(""))
                .query(query)
                .header("accept", accept)
        };
        let json = request("application/json").answer().await;
        assert_eq!(
            (json.status, json.json()["ok"].as_bool()),
            (400, Some(false)),
            "{query:?}"
        );
        assert_eq!(request("text/html").answer().await.status, 400, "{query:?}");
    }
    assert_eq!(page(&acme, &[("after", next)]).await.0.len(), 1);
    // An empty cursor is no cursor.
    assert_eq!(page(&acme, &[("after", "")]).await.0.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_query_is_refused() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for query in ["q=%ff", "q=%c0%80", "q=a&q=b", "q=%00", "after=%ed%a0%80"] {
        let response = acme.get(&acme.contacts(&format!("?{query}"))).await;
        response.expect(400, "BAD_REQUEST");
    }
    // The edge removes parameters that clients add for themselves. Percent signs that encode
    // nothing do no harm.
    for query in [
        "",
        "%00=a",
        "utm_source=x&&=&c",
        "q=%zz%",
        "q=a=b",
        "__proto__=x",
        "tenant=beta&id=7",
    ] {
        assert_eq!(
            acme.get(&acme.contacts(&format!("?{query}"))).await.status,
            200,
            "{query}"
        );
    }
}
