//! Heads, lengths and cookies that no client should send. Each gets a response soon, writes nothing,
//! and does the product no harm.

use edge_crm_tests::{Client, Exchange, Product, Table, product_with_table, raw};
use std::time::{Duration, Instant};

const FORM: &str = "application/x-www-form-urlencoded";

/// A time that a busy machine keeps, unless a request takes unbounded work.
const SOON: Duration = Duration::from_secs(100);

struct Scene {
    product: Product,
    table: Table,
    acme: Client,
}

impl Scene {
    async fn new() -> Self {
        let (product, table) = product_with_table().await;
        let acme = product.sign_up("Acme").await;
        Self {
            product,
            table,
            acme,
        }
    }

    async fn is_alive(&self) {
        self.acme
            .create("Alive", &format!("{}@example.com", uuid::Uuid::new_v4()))
            .await;
        let log = self.product.log().join("\n");
        assert!(
            !log.contains("panicked") && !log.contains("\"level\":\"ERROR\""),
            "{log}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_unknown_or_false_length_is_read_up_to_the_limit() {
    let scene = Scene::new().await;
    let before = scene.table.saved();
    let head = |framing: &str| {
        format!(
            "POST /actions/create-contact HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nContent-Type: {FORM}\r\n\
             Sec-Fetch-Site: same-origin\r\nCookie: session={}\r\n{framing}\r\n\r\n",
            scene.product.address(),
            scene.acme.token(),
        )
    };
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    for (framing, body) in [
        (
            "Transfer-Encoding: chunked",
            format!("{}0\r\n\r\n", chunk.repeat(32)),
        ),
        ("Transfer-Encoding: chunked", chunk.repeat(160)),
        ("Content-Length: 99999999999", String::new()),
        ("Content-Length: 8000000", "a".repeat(1000)),
        (
            "Expect: 100-continue\r\nContent-Length: 8000000",
            String::new(),
        ),
    ] {
        let started = Instant::now();
        let response = raw(
            scene.product.address(),
            format!("{}{body}", head(framing)).as_bytes(),
        )
        .await;
        assert!(
            response.starts_with("HTTP/1.1 413 ") && response.contains("BAD_REQUEST"),
            "{framing}: {response}"
        );
        assert!(
            started.elapsed() < SOON,
            "{framing}: {:?}",
            started.elapsed()
        );
    }
    for framing in [
        "Content-Length: -1",
        "Content-Length: x",
        "Content-Length: 5\r\nContent-Length: 6",
        "Transfer-Encoding: chunked, x",
        "Content-Length: 99999999999999999999999",
    ] {
        let response = raw(
            scene.product.address(),
            format!("{}name=", head(framing)).as_bytes(),
        )
        .await;
        assert!(response.starts_with("HTTP/1.1 4"), "{framing}: {response}");
    }
    let response = raw(
        scene.product.address(),
        format!("{}zz\r\nxx", head("Transfer-Encoding: chunked")).as_bytes(),
    )
    .await;
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    assert_eq!(scene.table.saved(), before);
    scene.is_alive().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_and_junk_heads_are_refused() {
    let scene = Scene::new().await;
    let before = scene.table.saved();
    let address = scene.product.address();
    let cookie = format!("session={}", scene.acme.token());
    let get = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nConnection: close\r\nCookie: {cookie}\r\n{headers}\r\n").into_bytes()
    };
    let cases = [
        get(&format!("/{}", "a".repeat(60_000)), ""),
        get(&format!("/t/{}/contacts", "a".repeat(30_000)), ""),
        get(&format!("/t/acme/contacts/{}", "%25".repeat(10_000)), ""),
        get(&format!("/{}", "a/".repeat(30_000)), ""),
        get(&format!("/{}", "a".repeat(200_000)), ""),
        get("/t/acme/contacts?q=%ff%zz%", ""),
        get(&format!("/t/acme/contacts?{}", "a&".repeat(30_000)), ""),
        get("/t/acme/contacts?after=%f0%28%8c%28", ""),
        get("/t/%ff/contacts", ""),
        get("/%00", ""),
        get("/nope", &format!("X: {}\r\n", "y".repeat(100_000))),
        get(
            "/t/acme/contacts",
            &format!("X: {}\r\n", "y".repeat(2_000_000)),
        ),
        get("/t/acme/contacts", &"X: y\r\n".repeat(5_000)),
        get("/nope", "Accept: \u{0}\r\n"),
        get("/t/acme/contacts", "No colon\r\n"),
        get("nope", ""),
        get("*", ""),
        b"GET /\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        [&b"\xff"[..]; 4000].concat(),
    ];
    for case in cases {
        let shown = String::from_utf8_lossy(&case[..case.len().min(100)]).into_owned();
        let started = Instant::now();
        let response = raw(address, &case).await;
        assert!(
            response.is_empty() || response.starts_with("HTTP/1.1 4"),
            "{shown}: {response}"
        );
        assert!(started.elapsed() < SOON, "{shown}: {:?}", started.elapsed());
    }
    assert_eq!(scene.table.saved(), before);
    scene.is_alive().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_cookies_do_no_harm() {
    let scene = Scene::new().await;
    let token = scene.acme.token();
    let nobody = scene.product.client();
    let ask = |cookie: Vec<u8>| {
        nobody
            .request(reqwest::Method::GET, "/t/acme/contacts")
            .header("accept", "application/json")
            .header("cookie", cookie)
            .answer()
    };
    let many = "a=b; ".repeat(5_000);
    for cookie in [
        format!("{many}session={token}"),
        format!(";;=; =x; a; \u{e9}=1; session={token};"),
        format!("xsession=1; session={token}; session2=x"),
    ] {
        assert_eq!(ask(cookie.into_bytes()).await.status, 200);
    }
    for cookie in [
        b"session=\xff\xfe".to_vec(),
        b"session".to_vec(),
        b"session=".to_vec(),
        b"=".to_vec(),
        many.into_bytes(),
    ] {
        ask(cookie).await.expect(401, "AUTH_ERROR");
    }
}
