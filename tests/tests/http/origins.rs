//! Which origins may write, for every combination of headers that a browser may send about the origin.
//! A refused request runs nothing: nothing is read, counted or written.

use edge_crm_tests::{Answer, Client, Exchange, Launch, Product, Record, Table};
use reqwest::{Method, RequestBuilder};

const SITES: [Option<&str>; 10] = [
    None,
    Some("same-origin"),
    Some("none"),
    Some("same-site"),
    Some("cross-site"),
    Some(""),
    Some("SAME-ORIGIN"),
    Some("same-origin, none"),
    Some("null"),
    Some("junk"),
];

const BODIES: [(Option<&str>, &str); 9] = [
    (
        Some("application/x-www-form-urlencoded"),
        "name=Ada&email=ada%40example.com",
    ),
    (
        Some("APPLICATION/X-WWW-FORM-URLENCODED"),
        "name=Ada&email=ada%40example.com",
    ),
    (
        Some("application/json"),
        r#"{"name":"Ada","email":"ada@example.com"}"#,
    ),
    (
        Some("text/plain"),
        r#"{"name":"Ada","email":"ada@example.com"}"#,
    ),
    (
        Some("TEXT/PLAIN;charset=utf-8"),
        "name=Ada&email=ada%40example.com",
    ),
    (
        Some("multipart/form-data; boundary=b"),
        "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n--b--\r\n",
    ),
    (Some("*/*;;="), "\u{1}"),
    (Some(""), ""),
    (None, "name=Ada"),
];

/// A product that counts every request, and a signed-in user.
struct Scene {
    product: Product,
    table: Table,
    acme: Client,
    before: Vec<Record>,
}

impl Scene {
    async fn new() -> Self {
        let table = Table::start().await;
        let product = Launch::new()
            .table(&table)
            .per_user(100_000)
            .per_ip(100_000)
            .start();
        let acme = product.sign_up("Acme").await;
        table.settled().await;
        let before = table.dump();
        Self {
            product,
            table,
            acme,
            before,
        }
    }

    fn port(&self) -> u16 {
        self.product
            .address()
            .rsplit_once(':')
            .unwrap()
            .1
            .parse()
            .unwrap()
    }

    /// The product's own origins.
    fn own(&self) -> [String; 2] {
        ["127.0.0.1", "localhost"].map(|host| format!("http://{host}:{}", self.port()))
    }

    /// Foreign origins, many of which look similar.
    fn foreign(&self) -> Vec<String> {
        let port = self.port();
        let own = &self.product.url;
        [
            "null",
            "NULL",
            "",
            "junk",
            "https://evil.example",
            "file://",
            "*",
            "http://127.0.0.1",
            "http://localhost",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([
            format!("https://127.0.0.1:{port}"),
            format!("HTTP://127.0.0.1:{port}"),
            format!("http://LOCALHOST:{port}"),
            format!("http://127.0.0.1:{}", port ^ 1),
            format!("http://127.0.0.1:0{port}"),
            format!("http://127.0.0.1:{port}0"),
            format!("http://127.0.0.1:{port}.evil.example"),
            format!("http://127.0.0.1.evil.example:{port}"),
            format!("http://evil-127.0.0.1:{port}"),
            format!("http://user@127.0.0.1:{port}"),
            format!("http://127.0.0.2:{port}"),
            format!("http://[::1]:{port}"),
            format!("{own}/"),
            format!("{own} https://evil.example"),
            format!("https://evil.example {own}"),
            format!("{own},{own}"),
            format!("127.0.0.1:{port}"),
            format!("//127.0.0.1:{port}"),
        ])
        .collect()
    }

    fn nothing_happened(&self) {
        assert_eq!(self.table.dump(), self.before);
    }
}

fn with(request: RequestBuilder, name: &str, value: Option<&str>) -> RequestBuilder {
    value
        .into_iter()
        .fold(request, |request, value| request.header(name, value))
}

async fn send(
    client: &Client,
    method: Method,
    site: Option<&str>,
    origin: Option<&str>,
    body: (Option<&'static str>, &'static str),
) -> Answer {
    let request = client
        .request(method, "/actions/create-contact")
        .header("accept", "application/json");
    let request = with(with(request, "sec-fetch-site", site), "origin", origin);
    with(request, "content-type", body.0)
        .body(body.1)
        .answer()
        .await
}

/// Whether a request with this `Sec-Fetch-Site` may write.
fn passes(site: Option<&str>) -> bool {
    matches!(site, Some("same-origin" | "none"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_origin_is_refused_with_every_content_type() {
    let scene = Scene::new().await;
    for site in SITES.into_iter().filter(|site| !passes(*site)) {
        for origin in scene.foreign() {
            for body in BODIES {
                let response = send(&scene.acme, Method::POST, site, Some(&origin), body).await;
                assert_eq!(
                    (response.status, response.code().as_str()),
                    (403, "AUTH_ERROR"),
                    "{site:?} {origin:?} {body:?}"
                );
            }
        }
        // A session without an origin is refused too.
        for body in BODIES {
            send(&scene.acme, Method::POST, site, None, body)
                .await
                .expect(403, "AUTH_ERROR");
        }
    }
    scene.nothing_happened();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_origin_is_accepted_whatever_the_other_headers_say() {
    let scene = Scene::new().await;
    let mut made = 0;
    for site in SITES {
        for origin in scene.own() {
            made += 1;
            let email = format!("{made}@example.com");
            let request = scene
                .acme
                .request(Method::POST, "/actions/create-contact")
                .header("accept", "application/json");
            let request = with(request.header("origin", &origin), "sec-fetch-site", site);
            let response = request
                .form(&[("name", "Ada"), ("email", &email)])
                .answer()
                .await;
            assert_eq!(response.status, 200, "{site:?} {origin}: {response:?}");
        }
    }
    assert_eq!(scene.table.under("acme:contacts").len(), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_same_origin_request_is_accepted_with_any_origin_header() {
    let scene = Scene::new().await;
    for site in [Some("same-origin"), Some("none")] {
        for origin in [None, Some("null"), Some("https://evil.example")] {
            // Only now the body is read, and it is not a form.
            let response = send(
                &scene.acme,
                Method::POST,
                site,
                origin,
                (Some("text/plain"), "x"),
            )
            .await;
            response.expect(415, "BAD_REQUEST");
        }
    }
    scene.nothing_happened();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_a_session_needs_no_origin() {
    let scene = Scene::new().await;
    let post = |client: &Client, action: &str| {
        let request = client
            .request(Method::POST, &format!("/actions/{action}"))
            .header("accept", "application/json");
        request
            .form(&[
                ("email", scene.acme.email.as_str()),
                ("password", Client::PASSWORD),
            ])
            .answer()
    };
    let program = scene.product.client();
    assert_eq!(post(&program, "sign-in").await.status, 200);
    // A session means a browser.
    post(&program, "sign-out").await.expect(403, "AUTH_ERROR");
    let forged = scene.product.client_with("x", "acme");
    post(&forged, "sign-in").await.expect(403, "AUTH_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_cannot_sign_a_user_in_up_or_out() {
    let scene = Scene::new().await;
    let fields = [
        ("name", "Eve"),
        ("email", scene.acme.email.as_str()),
        ("password", Client::PASSWORD),
        ("organization", "Evil"),
    ];
    for client in [scene.product.client(), scene.acme.clone()] {
        for action in [
            "sign-in",
            "sign-up",
            "sign-out",
            "create-contact",
            "update-contact",
            "delete-contact",
        ] {
            for origin in ["https://evil.example", "null"] {
                let request = client
                    .request(Method::POST, &format!("/actions/{action}"))
                    .header("accept", "application/json");
                let response = request
                    .header("origin", origin)
                    .form(&fields)
                    .answer()
                    .await;
                response.expect(403, "AUTH_ERROR");
                assert!(response.cookies().is_empty());
            }
        }
    }
    scene.nothing_happened();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_host_header_makes_a_foreign_origin_our_own() {
    let scene = Scene::new().await;
    let spoofs = [
        ("host", "localhost"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-crm-domain", "evil.example"),
        ("x-original-host", "evil.example"),
        ("referer", "http://127.0.0.1/"),
        ("x-forwarded-proto", "https"),
        ("x-crm-secret", ""),
        ("x-http-method-override", "GET"),
        ("access-control-request-method", "POST"),
    ];
    for (name, value) in spoofs {
        for origin in ["https://evil.example", "http://evil.example"] {
            let request = scene
                .acme
                .request(Method::POST, "/actions/create-contact")
                .header("accept", "application/json");
            let request = request.header("origin", origin).header(name, value);
            request
                .form(&[("name", "Ada"), ("email", "a@b.example")])
                .answer()
                .await
                .expect(403, "AUTH_ERROR");
        }
    }
    scene.nothing_happened();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_header_is_refused() {
    let scene = Scene::new().await;
    let own = &scene.product.url;
    let pairs = [
        [("origin", own.as_str()), ("origin", "https://evil.example")],
        [("origin", "https://evil.example"), ("origin", own)],
        [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
        [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
        ],
    ];
    for [first, second] in pairs {
        let request = scene
            .acme
            .request(Method::POST, "/actions/create-contact")
            .header("accept", "application/json");
        let request = request.header(first.0, first.1).header(second.0, second.1);
        request
            .form(&[("name", "Ada"), ("email", "a@b.example")])
            .answer()
            .await
            .expect(403, "AUTH_ERROR");
    }
    scene.nothing_happened();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_origin_is_checked_before_the_body() {
    let scene = Scene::new().await;
    let request = || {
        let request = scene
            .acme
            .request(Method::POST, "/actions/create-contact")
            .header("accept", "application/json");
        request.header("origin", "https://evil.example")
    };
    request()
        .header("content-type", "application/json")
        .body("[".repeat(100_000))
        .answer()
        .await
        .expect(403, "AUTH_ERROR");
    request()
        .body(vec![0xff; 2 * 1024 * 1024])
        .answer()
        .await
        .expect(403, "AUTH_ERROR");
    request()
        .header("idempotency-key", "")
        .body("")
        .answer()
        .await
        .expect(403, "AUTH_ERROR");
    scene.nothing_happened();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_method_writes_from_any_origin() {
    let scene = Scene::new().await;
    let methods = [
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
    ];
    for method in methods {
        for site in [None, Some("same-origin"), Some("cross-site")] {
            for origin in [
                None,
                Some(scene.product.url.as_str()),
                Some("https://evil.example"),
                Some("null"),
            ] {
                for body in [BODIES[0], BODIES[2], BODIES[3], BODIES[5], BODIES[8]] {
                    let response = send(&scene.acme, method.clone(), site, origin, body).await;
                    assert_eq!(
                        (response.status, response.header("allow")),
                        (405, Some("POST"))
                    );
                }
            }
        }
    }
    scene.nothing_happened();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_response_allows_another_site_to_read_it() {
    let scene = Scene::new().await;
    for origin in ["https://evil.example", "null", &scene.product.url] {
        for (method, path) in [
            (Method::GET, "/t/acme/contacts"),
            (Method::OPTIONS, "/actions/create-contact"),
            (Method::GET, "/sign-in"),
        ] {
            let response = scene
                .acme
                .request(method, path)
                .header("origin", origin)
                .answer()
                .await;
            assert!(
                response
                    .headers
                    .keys()
                    .all(|name| !name.as_str().starts_with("access-control-")),
                "{response:?}"
            );
        }
    }
}
