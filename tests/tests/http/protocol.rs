//! HTTP itself: methods, paths, formats, headers. [`edge_crm_tests::Answer`] checks that every
//! response of every test has the security headers and its request's id.

use edge_crm_tests::{Answer, Client, Exchange, Launch, Product};
use reqwest::Method;
use std::collections::BTreeSet;

const ID: &str = "0197a3b0-0000-7000-8000-00000000000f";

fn views(client: &Client) -> Vec<String> {
    let contacts = [
        "",
        "/new",
        &format!("/{ID}"),
        &format!("/{ID}/edit"),
        &format!("/{ID}/delete"),
    ]
    .map(|rest| client.contacts(rest));
    ["/", "/sign-in", "/sign-up"]
        .map(str::to_owned)
        .into_iter()
        .chain(contacts)
        .collect()
}

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).expect("a method")
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_a_body() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let contact = acme.create("Ada", "ada@example.com").await;
    let detail = acme.contacts(&format!("/{}", contact["id"].as_str().unwrap()));
    let mut paths = views(&acme);
    paths.extend([detail, "/no-such-page".to_owned()]);
    for path in paths {
        for accept in ["text/html", "application/json"] {
            let ask = |method| {
                acme.request(method, &path)
                    .header("accept", accept)
                    .answer()
            };
            let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(head.text, "", "{path}");
            for name in [
                "content-type",
                "cache-control",
                "location",
                "content-security-policy",
            ] {
                assert_eq!(head.header(name), get.header(name), "{path} {name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method_is_told_which_methods_are_allowed() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for path in views(&acme) {
        for name in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "QUERY"] {
            let response = acme.own(method(name), &path).answer().await;
            assert_eq!(
                (response.status, response.header("allow")),
                (405, Some("GET, HEAD")),
                "{name} {path}"
            );
            response.expect(405, "BAD_REQUEST");
        }
    }
    let actions = [
        "sign-up",
        "sign-in",
        "sign-out",
        "create-contact",
        "update-contact",
        "delete-contact",
    ];
    for action in actions {
        for name in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"] {
            let response = acme
                .own(method(name), &format!("/actions/{action}"))
                .answer()
                .await;
            assert_eq!(
                (response.status, response.header("allow")),
                (405, Some("POST")),
                "{name} {action}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_not_found_whatever_the_method() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let paths = [
        "/nope",
        "/sign-in/",
        "/SIGN-IN",
        "/t",
        "/t/",
        "/t/acme",
        "/t/acme/",
        "/t/acme/contacts/",
        "/t/acme/nope",
        "/t/acme/contacts/new/more",
        "/t//contacts",
        "/assets/",
        "/assets/app.js",
        "/assets/../Cargo.toml",
        "/actions",
        "/actions/",
        "/actions/no-such-action",
        "/%2e%2e/%00",
        "/.env",
        "/favicon.ico",
    ];
    for path in paths {
        acme.get(path).await.expect(404, "NOT_FOUND");
        let mut page = acme.page(path).await;
        if path.len() > 1 && (path.ends_with('/') || path.contains("//")) {
            // A browser is led to the path without the slash, and finds nothing there either.
            assert_eq!(page.status, 303, "{path}: {page:?}");
            page = acme.page(page.header("location").expect("a path")).await;
            if page.status != 404 {
                continue;
            }
        }
        assert!(
            page.status == 404 && page.text.contains("Page not found"),
            "{path}: {page:?}"
        );
    }
    for path in ["/nope", "/actions/no-such-action"] {
        acme.own(Method::POST, path)
            .answer()
            .await
            .expect(404, "NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_response_is_html_or_json_as_the_request_accepts() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let path = acme.contacts("");
    let asked = |accept: Option<&'static str>| {
        let request = acme.request(Method::GET, &path);
        accept
            .into_iter()
            .fold(request, |request, accept| request.header("accept", accept))
            .answer()
    };
    for accept in [
        "application/json",
        "APPLICATION/JSON",
        "application/json, text/plain, */*",
        "application/json;q=0.5",
    ] {
        assert_eq!(
            asked(Some(accept)).await.header("content-type"),
            Some("application/json"),
            "{accept}"
        );
    }
    for accept in [
        None,
        Some(""),
        Some("*/*"),
        Some("text/html"),
        Some("text/html,application/json;q=0.9"),
        Some("\u{7f}".trim_matches('\u{7f}')),
    ] {
        let response = asked(accept).await;
        assert_eq!(
            response.header("content-type"),
            Some("text/html; charset=utf-8"),
            "{accept:?}"
        );
        assert!(response.text.starts_with("<!doctype html>"));
    }
    // A JSON body asks for JSON.
    let request = acme
        .own(Method::POST, "/actions/create-contact")
        .header("accept", "*/*");
    request
        .header("content-type", "application/json")
        .body("{}")
        .answer()
        .await
        .expect(400, "VALIDATION_ERROR");
    // Both formats have the same URL.
    let vary = asked(None)
        .await
        .header("vary")
        .unwrap_or_default()
        .to_ascii_lowercase();
    assert!(vary.contains("accept"), "{vary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_out_request_gets_a_401_as_json_and_a_redirect_to_sign_in_as_html() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let stranger = product.client();
    for path in views(&acme)
        .into_iter()
        .filter(|path| path.starts_with("/t/"))
    {
        stranger.get(&path).await.expect(401, "AUTH_ERROR");
        let page = stranger.page(&path).await;
        assert_eq!(
            page.header("location"),
            Some(format!("/sign-in?return_to={path}").as_str())
        );
        assert_eq!(page.status, 303);
    }
    for action in ["create-contact", "update-contact", "delete-contact"] {
        stranger.post(action, &[]).await.expect(401, "AUTH_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_responses_and_errors_are_not_cached() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let stranger = product.client();
    let uncached = |response: &Answer| {
        assert_eq!(
            response.header("cache-control"),
            Some("private, no-store"),
            "{response:?}"
        )
    };
    for path in [
        "/sign-in",
        "/sign-up",
        "/nope",
        "/t/beta/contacts",
        &acme.contacts("/new"),
        &acme.contacts(&format!("/{ID}")),
    ] {
        uncached(&acme.get(path).await);
        uncached(&acme.page(path).await);
        uncached(&stranger.get(path).await);
        uncached(&stranger.page(path).await);
    }
    uncached(
        &acme
            .post(
                "create-contact",
                &[("name", "Ada"), ("email", "ada@example.com")],
            )
            .await,
    );
    uncached(
        &acme
            .submit("create-contact", &[("name", ""), ("email", "")])
            .await,
    );
    uncached(&acme.submit("sign-out", &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_are_cached_forever_under_the_names_that_pages_use() {
    let product = Product::start();
    let client = product.client();
    let page = client.page("/sign-in").await.text;
    let referred: BTreeSet<_> = page
        .split('"')
        .filter(|text| text.starts_with("/assets/"))
        .collect();
    assert!(referred.len() >= 3, "{page}");
    for path in referred {
        let asset = client.page(path).await;
        assert_eq!(asset.status, 200);
        assert_eq!(
            asset.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        let kind = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(asset.header("content-type"), Some(kind));
        assert!(!asset.text.is_empty() && asset.cookies().is_empty());
    }
    // The content security policy blocks everything else, so the page must not contain it.
    assert!(
        !page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="),
        "{page}"
    );
    assert_eq!(page.matches("<script").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_lambdas_limit_is_refused_by_the_front_in_the_same_format() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let body = vec![b'a'; 7 * 1024 * 1024];
    acme.action("create-contact")
        .body(body)
        .answer()
        .await
        .expect(413, "BAD_REQUEST");
    assert_eq!(acme.get(&acme.contacts("")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_its_own_id_which_is_logged() {
    let product = Product::start();
    let client = product.client();
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let response = client.get("/sign-in").await;
        ids.insert(response.header("x-request-id").unwrap().to_owned());
    }
    assert_eq!(ids.len(), 20);
    // An id that the client sends is ignored.
    let spoofed = client
        .request(Method::GET, "/sign-in")
        .header("x-request-id", "mine")
        .answer()
        .await;
    assert_ne!(spoofed.header("x-request-id"), Some("mine"));
    for id in ids {
        assert!(product.logs(&id), "{id} in {:?}", product.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limited_response_has_the_headers_of_every_response() {
    let product = Launch::new().per_ip(1).start();
    let client = product.client();
    edge_crm_tests::within_a_minute(40).await;
    let fields = [("email", "x@example.com"), ("password", "wrong password")];
    client
        .post("sign-in", &fields)
        .await
        .expect(401, "AUTH_ERROR");
    let html = client.submit("sign-in", &fields).await;
    assert_eq!(html.status, 429);
    assert!(
        html.header("retry-after").is_some()
            && html.text.contains("Too many requests. Try again in "),
        "{html:?}"
    );
}
