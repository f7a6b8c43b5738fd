//! Searches by words: what a page shows is found by typing it.

use edge_crm_tests::{Client, Exchange, Product};
use reqwest::Method;
use serde_json::Value;

async fn add(client: &Client, fields: &[(&str, &str)]) {
    let response = client.post("create-contact", fields).await;
    assert_eq!(response.status, 200, "{response:?}");
}

/// The names of the contacts that a query finds.
async fn found(client: &Client, query: &str) -> Vec<String> {
    let name = |contact: &Value| contact["name"].as_str().expect("a name").to_owned();
    client.all(query).await.iter().map(name).collect()
}

/// Checks which names each query finds, newest first.
async fn check(client: &Client, cases: &[(&str, &[&str])]) {
    for (query, expected) in cases {
        assert_eq!(found(client, query).await, *expected, "{query:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_word_is_found_anywhere_in_a_contact() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let hopper = [
        "Grace Brewster Hopper",
        "grace@navy.example",
        "Acme",
        "+1 (555) 123-4567 x890",
    ];
    let names = ["name", "email", "company", "phone"];
    add(
        &acme,
        &std::array::from_fn::<_, 4, _>(|n| (names[n], hopper[n])),
    )
    .await;
    add(
        &acme,
        &[("name", "Hopper Grace"), ("email", "hg@example.com")],
    )
    .await;
    let (brewster, other) = ("Grace Brewster Hopper", "Hopper Grace");
    check(
        &acme,
        &[
            ("grace hopper", &[other, brewster]),
            ("hopper acme", &[brewster]),
            ("ACME  navy\u{3000}brew", &[brewster]),
            ("\"grace hopper\"", &[]),
            ("\"hopper grace\"", &[other]),
            ("“Hopper\u{a0}Grace”", &[other]),
            ("„hopper grace“ hg@", &[other]),
            ("\"brewster hopper\" acme", &[brewster]),
            ("grace nobody", &[]),
            ("5551234567", &[brewster]),
            ("(555) 123", &[brewster]),
            ("+1 (555) 123-4567 x890", &[brewster]),
            ("\"555 123 4567\"", &[brewster]),
            ("555.123.4567", &[brewster]),
            ("+15551234567", &[brewster]),
            ("５５５ ١٢٣", &[brewster]),
            ("555 999", &[]),
            ("g r a c e h", &[other, brewster]),
            ("\"\"", &[other, brewster]),
            ("\"grace", &[other, brewster]),
            ("\"", &[]),
        ],
    )
    .await;
    // The shape of the response, and of the page.
    let request = acme.request(Method::GET, &acme.contacts(""));
    let page = request.query(&[("q", "“grace hopper”")]).answer().await;
    assert!(
        page.text
            .contains("No contacts match “<bdi>“grace hopper”</bdi>”"),
        "{}",
        page.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_shows_is_found_by_typing_it() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let shown = [
        "Alan  Turing",
        "Ada\u{a0}Lovelace",
        "Pat O’Brien",
        "Anne–Marie Berger",
        "Ｋａｔｏ ＹＵＫＩ",
        "Jürgen Müller",
        "Karl Mueller",
        "Zoë Ångström",
        "Søren Łódź",
        "ﬁnn Ⅷ",
        "Ca\u{ad}fé Noir",
        "Bob “The Builder” Ray",
        "می\u{200c}خواهم",
        "王小明",
        "Yıldız Işık",
        "สมชาย ใจดี",
        "👩\u{200d}💻 Dev ❤\u{fe0f}",
    ];
    for (n, name) in shown.iter().enumerate() {
        let email = format!("{n}@x.y");
        add(&acme, &[("name", name), ("email", &email)]).await;
        // Copied from the page.
        assert!(
            found(&acme, name).await.contains(&(*name).to_owned()),
            "{name}"
        );
    }
    check(
        &acme,
        &[
            ("alan turing", &["Alan  Turing"]),
            ("\"alan turing\"", &["Alan  Turing"]),
            ("\"Alan   Turing\"", &["Alan  Turing"]),
            ("\"ada lovelace\"", &["Ada\u{a0}Lovelace"]),
            ("o'brien", &["Pat O’Brien"]),
            ("O‘Brien", &["Pat O’Brien"]),
            ("anne-marie", &["Anne–Marie Berger"]),
            ("Turing, (Alan)", &["Alan  Turing"]),
            ("ışık", &["Yıldız Işık"]),
            ("YILDIZ IŞIK", &["Yıldız Işık"]),
            ("YILDIZ İşık", &["Yıldız Işık"]),
            ("Anne−Marie", &["Anne–Marie Berger"]),
            ("kato yuki", &["Ｋａｔｏ ＹＵＫＩ"]),
            ("mueller", &["Karl Mueller", "Jürgen Müller"]),
            ("müller", &["Karl Mueller", "Jürgen Müller"]),
            ("muller", &["Jürgen Müller"]),
            ("juergen MUELLER", &["Jürgen Müller"]),
            ("zoe angstrom", &["Zoë Ångström"]),
            ("soren lodz", &["Søren Łódź"]),
            ("soeren", &["Søren Łódź"]),
            ("finn viii", &["ﬁnn Ⅷ"]),
            ("cafe noir", &["Ca\u{ad}fé Noir"]),
            ("bob \"the builder\"", &["Bob “The Builder” Ray"]),
            ("bob \"the", &["Bob “The Builder” Ray"]),
            ("میخواهم", &["می\u{200c}خواهم"]),
            ("小明", &["王小明"]),
            ("王 明", &["王小明"]),
            ("ใจดี", &["สมชาย ใจดี"]),
            ("💻", &["👩\u{200d}💻 Dev ❤\u{fe0f}"]),
            ("❤ dev", &["👩\u{200d}💻 Dev ❤\u{fe0f}"]),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_by_words_has_pages() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for n in 0..53 {
        let (name, email) = (format!("Grace {n} Hopper"), format!("{n}@example.com"));
        add(&acme, &[("name", &name), ("email", &email)]).await;
    }
    let all = found(&acme, "hopper grace").await;
    assert_eq!(all.len(), 53);
    assert!(all.is_sorted_by(|newer, older| newer != older));
}
