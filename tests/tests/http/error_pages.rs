//! Pages of errors: a user who is signed in stays in the product, and a browser that opens the address of an
//! action finds its form.

use edge_crm_tests::fault::{Fault, Strike};
use edge_crm_tests::inside::{Inside, event, invoke};
use edge_crm_tests::{Answer, Client, Exchange, Product, product_with_table};
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Asserts that the page has the navigation of a user who is signed in, and does not ask to sign in.
#[track_caller]
fn has_navigation(page: &Answer, tenant: &str) {
    for words in ["Sign out", &format!("href=\"/t/{tenant}/settings\"")] {
        assert!(page.text.contains(words), "{words}: {page:?}");
    }
    for words in ["Sign in", "sign in"] {
        assert!(!page.text.contains(words), "{words}: {page:?}");
    }
    assert_eq!(page.header("cache-control"), Some("private, no-store"));
}

/// A request as a browser sends it.
async fn send(client: &Client, method: Method, path: &str, body: &'static str) -> Answer {
    client
        .request(method, path)
        .header("accept", HTML)
        .header("origin", client.origin())
        .header("sec-fetch-site", "same-origin")
        .body(body)
        .answer()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_signed_in_keeps_the_navigation_on_every_page_of_an_error() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let unknown = "0197a3b0-0000-7000-8000-00000000000f";
    for (method, path, status) in [
        (Method::GET, "/nope".to_owned(), 404),
        (Method::GET, "/t/acme".to_owned(), 404),
        (Method::GET, "/t/acme/nope".to_owned(), 404),
        (Method::GET, "/t/acme/contacts/nope".to_owned(), 404),
        (Method::GET, format!("/t/acme/contacts/{unknown}"), 404),
        (Method::GET, format!("/t/acme/contacts/{unknown}/nope"), 404),
        (Method::GET, format!("/t/acme/contacts/{unknown}/edit"), 404),
        (Method::GET, "/t/none/contacts".to_owned(), 404),
        (Method::GET, "/actions/nope".to_owned(), 404),
        (Method::GET, "/t/acme/contacts?after=junk".to_owned(), 400),
        (Method::GET, "/t/acme/audit?user=%FF".to_owned(), 400),
        (Method::POST, "/t/acme/contacts".to_owned(), 405),
        (Method::DELETE, "/t/acme/settings".to_owned(), 405),
        (Method::PUT, "/actions/create-contact".to_owned(), 405),
        (Method::POST, "/actions/create-contact".to_owned(), 415),
    ] {
        let body = if status == 415 { "x" } else { "" };
        let page = send(&acme, method.clone(), &path, body).await;
        assert_eq!(page.status, status, "{method} {path}: {page:?}");
        has_navigation(&page, "acme");
        // Nobody else sees it.
        let page = send(&product.client(), method.clone(), &path, body).await;
        assert!(!page.text.contains("Sign out"), "{method} {path}: {page:?}");
    }
    // With an ended session there is nothing to keep.
    let old = product.client_with(&acme.token(), "acme");
    assert_eq!(acme.post("sign-out", &[]).await.status, 200);
    let page = send(&old, Method::GET, "/nope", "").await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("Sign in") && !page.text.contains("Sign out"));
    let forged = product.client_with("1.a.acme.b.owner.9999999999.c", "acme");
    let page = send(&forged, Method::GET, "/nope", "").await;
    assert!(!page.text.contains("Sign out"), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_too_many_leads_to_the_page_without_it() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for (path, target) in [
        ("/t/acme/contacts/", "/t/acme/contacts"),
        ("/t/acme/contacts//", "/t/acme/contacts"),
        ("/t/acme/contacts/?q=a%20b", "/t/acme/contacts?q=a%20b"),
        ("/t/acme//contacts", "/t/acme/contacts"),
        ("/t/acme/contacts/new/", "/t/acme/contacts/new"),
        ("/t/acme/settings/", "/t/acme/settings"),
        ("/t/acme/audit/", "/t/acme/audit"),
        ("/t/acme/members/", "/t/acme/members"),
        ("/sign-in/", "/sign-in"),
        ("/nope/", "/nope"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let response = send(&acme, method, path, "").await;
            assert_eq!(response.status, 303, "{path}: {response:?}");
            assert_eq!(response.header("location"), Some(target), "{path}");
            assert_eq!(response.header("cache-control"), Some("private, no-store"));
        }
    }
    assert_eq!(acme.get("/t/acme/contacts/").await.status, 404, "as JSON");
    assert_eq!(acme.page("/t/acme/contacts").await.status, 200);
}

/// A redirect never leads to another site, whatever is in the path.
#[tokio::test(flavor = "multi_thread")]
async fn slashes_do_not_lead_to_another_site() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for path in [
        "//evil.example/",
        "///evil.example//",
        "//evil.example/%2f..",
        "/\\evil.example/",
        "/%5Cevil.example/",
        "/%0d%0aSet-Cookie:a=b/",
    ] {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\naccept: text/html\r\nconnection: close\r\n\r\n",
            product.address()
        );
        let response = edge_crm_tests::raw(product.address(), head.as_bytes()).await;
        let location = response
            .lines()
            .find_map(|line| line.strip_prefix("location: "));
        if let Some(location) = location {
            assert!(
                location.starts_with('/') && !location[1..].starts_with(['/', '\\']),
                "{path}: {location}"
            );
        }
        assert!(
            !response.contains("\r\nset-cookie: a"),
            "{path}: {response}"
        );
    }
    assert_eq!(acme.page("/t/acme/contacts").await.status, 200);
}

/// Enter in the address bar, after a refused form without the script.
#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_an_action_leads_to_its_form() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let saved = table.saved();
    let settings = "/t/acme/settings";
    for (action, target) in [
        ("create-contact", "/t/acme/contacts/new"),
        ("update-contact", "/t/acme/contacts"),
        ("delete-contact", "/t/acme/contacts"),
        ("restore-contact", "/t/acme/contacts/trash"),
        ("create-project", "/t/acme/projects/new"),
        ("rename-project", "/t/acme/projects"),
        ("archive-project", "/t/acme/projects"),
        ("restore-project", "/t/acme/projects"),
        ("invite-member", "/t/acme/members/invite"),
        ("change-role", "/t/acme/members"),
        ("remove-member", "/t/acme/members"),
        ("update-profile", settings),
        ("change-password", settings),
        ("end-session", settings),
        ("switch-organization", settings),
        ("sign-out-everywhere", settings),
        ("sign-in", "/sign-in"),
        ("sign-up", "/sign-up"),
        ("sign-out", "/"),
        ("accept-invite", "/"),
        ("request-password-reset", "/forgot-password"),
        ("reset-password", "/forgot-password"),
    ] {
        let path = format!("/actions/{action}?name=Eve&email=eve@example.com");
        let opened = send(&acme, Method::GET, &path, "").await;
        assert_eq!(opened.status, 303, "{action}: {opened:?}");
        assert_eq!(opened.header("location"), Some(target), "{action}");
        assert_eq!(opened.header("cache-control"), Some("private, no-store"));
        let page = send(&acme, Method::GET, target, "").await;
        assert!([200, 303].contains(&page.status), "{target}: {page:?}");
        // Programs are told that this is the wrong method.
        for accept in ["application/json", "*/*"] {
            let request = acme.request(Method::GET, &path).header("accept", accept);
            let refused = request.answer().await;
            assert_eq!(refused.status, 405, "{action} {accept}: {refused:?}");
            assert_eq!(refused.header("allow"), Some("POST"), "{action} {accept}");
        }
    }
    assert_eq!(table.saved(), saved, "nothing is done");
    // Without a session, there is no organisation to lead to.
    let opened = send(
        &product.client(),
        Method::GET,
        "/actions/create-contact",
        "",
    )
    .await;
    assert_eq!(opened.header("location"), Some("/sign-in"), "{opened:?}");
    let opened = send(&product.client(), Method::GET, "/actions/sign-up", "").await;
    assert_eq!(opened.header("location"), Some("/sign-up"), "{opened:?}");
}

/// Of every action, also of those to come.
#[tokio::test(flavor = "multi_thread")]
async fn every_action_leads_to_a_page_of_the_product() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for entry in functions::REGISTRY {
        let routes = entry.function.routes();
        let Some(route) = routes.iter().find(|route| route.method == "POST") else {
            continue;
        };
        let path = format!("/actions/{}", route.path);
        let opened = send(&acme, Method::GET, &path, "").await;
        assert_eq!(opened.status, 303, "{path}: {opened:?}");
        let target = opened.header("location").expect("a location").to_owned();
        let page = send(&acme, Method::GET, &target, "").await;
        assert!(
            [200, 303].contains(&page.status),
            "{path} {target}: {page:?}"
        );
    }
}

/// Somebody who has joined follows the link in the email again.
#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_invitation_does_not_ask_a_member_to_sign_in() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let invited = [("email", "mia@example.com"), ("role", "member")];
    let link = acme.post("invite-member", &invited).await.data();
    let path = link["link"].as_str().expect("a link").to_owned();
    let token = path.split("token=").nth(1).expect("a token").to_owned();
    let mia = product.client();
    let fields = [
        ("token", token.as_str()),
        ("name", "Mia"),
        ("password", Client::PASSWORD),
    ];
    assert_eq!(mia.post("accept-invite", &fields).await.status, 200);
    let page = send(&mia, Method::GET, &path, "").await;
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.text.contains("has been accepted already"), "{page:?}");
    has_navigation(&page, "acme");
    let again = mia.submit("accept-invite", &fields).await;
    assert_eq!(again.status, 403, "{again:?}");
    has_navigation(&again, "acme");
    let page = send(&product.client(), Method::GET, &path, "").await;
    assert!(page.text.contains("Sign in"), "{page:?}");
    let refused = mia.post("accept-invite", &fields).await;
    assert_eq!(
        refused.error(),
        "This invitation has been accepted already."
    );
    assert_eq!(refused.json()["fieldErrors"], json!({}));
}

/// When storage fails, nobody knows whether the session is live. The navigation is what the user can try.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_keeps_the_navigation_while_storage_fails() {
    let inside = Inside::start().await;
    let (cookie, _) = inside.sign_up("Acme").await;
    let refused = Fault::Refuse(503, "ServiceUnavailable");
    inside.proxy.plan(vec![Strike::always(refused)]);
    for (method, function, path) in [
        ("GET", "list-contacts", "/t/acme/contacts"),
        ("GET", "settings", "/t/acme/settings"),
        ("POST", "create-contact", "/actions/create-contact"),
        ("POST", "update-profile", "/actions/update-profile"),
    ] {
        let function = edge_crm_tests::runner(Arc::clone(&inside.app), function);
        for (cookie, is_known) in [(cookie.as_str(), true), ("", false)] {
            let mut event = event(method, path, cookie, "name=Ada&email=a@example.com");
            event["headers"]["accept"] = json!("text/html");
            event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
            let page = invoke(&function, &event).await;
            let has_navigation = page.text.contains("Sign out");
            assert_eq!(has_navigation, is_known, "{path}: {page:?}");
            if is_known {
                assert_eq!(page.status, 503, "{path}: {page:?}");
                assert!(!page.text.contains("Sign in"), "{path}: {page:?}");
            }
        }
    }
}
