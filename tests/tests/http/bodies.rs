//! Bodies that cannot be read. Each gets a clear response soon, writes nothing, and does the product
//! no harm.

use edge_crm_tests::{Client, Exchange, Product, Table, product_with_table};
use serde_json::json;
use std::time::{Duration, Instant};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=b";

/// A time that a busy machine keeps, unless a request takes unbounded work.
const SOON: Duration = Duration::from_secs(100);

fn part(headers: &str, value: &str) -> String {
    format!("--b\r\n{headers}\r\n\r\n{value}\r\n")
}

fn field(name: &str, value: &str) -> String {
    part(
        &format!("Content-Disposition: form-data; name=\"{name}\""),
        value,
    )
}

fn multipart(parts: &[String]) -> String {
    format!("{}--b--\r\n", parts.concat())
}

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

    /// Sends each body to each action, and asserts that each is refused with this status and code.
    async fn refuses(&self, status: u16, code: &str, cases: &[(&str, &[u8])]) {
        let before = self.table.saved();
        for (content_type, body) in cases {
            for action in [
                "create-contact",
                "update-contact",
                "delete-contact",
                "sign-up",
                "sign-in",
            ] {
                let shown = String::from_utf8_lossy(&body[..body.len().min(80)]);
                let started = Instant::now();
                let request = self
                    .acme
                    .action(action)
                    .header("content-type", *content_type)
                    .body(body.to_vec());
                let response = request.answer().await;
                assert!(
                    started.elapsed() < SOON,
                    "{action} took {:?} for {shown}",
                    started.elapsed()
                );
                let seen = (response.status, response.code());
                assert_eq!(
                    seen,
                    (status, code.to_owned()),
                    "{action} with {content_type} {shown}: {response:?}"
                );
            }
        }
        assert_eq!(self.table.saved(), before);
        self.is_alive().await;
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
async fn a_urlencoded_form_that_is_not_text_is_unreadable() {
    let many: String = (0..100_000).map(|n| format!("f{n}=&")).collect();
    let same = "a=&".repeat(100_000);
    Scene::new()
        .await
        .refuses(
            400,
            "BAD_REQUEST",
            &[
                (FORM, b"name=\xff&email=a@b.example"),
                (FORM, b"name=%ff&email=a@b.example"),
                (FORM, b"name=%c0%80"),
                (FORM, b"name=%ed%a0%80"),
                (FORM, b"name=%f5%80%80%80"),
                (FORM, b"\xfe\xff=x"),
                (FORM, b"name=a%00b&email=a@b.example"),
                (FORM, b"name=a\0b"),
                (FORM, b"na%00me=a"),
                (FORM, b"name=a&name=b&email=a@b.example"),
                (FORM, b"name=a&n%61me=a"),
                (FORM, b"email=a@b.example&=1&=2"),
                (FORM, many.as_bytes()),
                (FORM, same.as_bytes()),
            ],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_not_an_object_of_plain_values_is_unreadable() {
    let (open, object) = ("[".repeat(100_000), "{\"a\":".repeat(100_000));
    let deep = format!(
        "{{\"name\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let many = format!(
        "{{{}\"z\":1}}",
        (0..50_000)
            .map(|n| format!("\"f{n}\":1,"))
            .collect::<String>()
    );
    Scene::new()
        .await
        .refuses(
            400,
            "BAD_REQUEST",
            &[
                (JSON, open.as_bytes()),
                (JSON, object.as_bytes()),
                (JSON, deep.as_bytes()),
                (JSON, many.as_bytes()),
                (JSON, b""),
                (JSON, b" "),
                (JSON, b"null"),
                (JSON, b"1"),
                (JSON, b"\"name\""),
                (JSON, b"true"),
                (JSON, b"[]"),
                (JSON, b"[{\"name\":\"a\"}]"),
                (JSON, b"{\"name\":[\"a\"]}"),
                (JSON, b"{\"name\":{\"first\":\"a\"}}"),
                (JSON, b"{\"name\":\"a\",\"name\":\"b\"}"),
                (JSON, b"{\"name\":\"a\",\"n\\u0061me\":\"a\"}"),
                (JSON, b"{\"name\":\"a\"} x"),
                (JSON, b"{\"name\":\"a\"}{}"),
                (JSON, b"{\"name\":\"a\",}"),
                (JSON, b"{\"name\":\"a\""),
                (JSON, b"{name:\"a\"}"),
                (JSON, b"{\"name\":\"\xff\"}"),
                (JSON, b"{\"name\":\"\\ud800\"}"),
                (JSON, b"{\"name\":\"a\\u0000b\"}"),
                (JSON, b"{\"name\":\"a\nb\"}"),
                (JSON, b"{\"version\":1e999}"),
                (JSON, b"{\"version\":NaN}"),
                (JSON, b"\xef\xbb\xbf{\"name\":\"a\"}"),
                ("Application/JSON; charset=utf-16", b"{\0\"\0"),
                (JSON, b"name=a"),
            ],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_multipart_form_is_unreadable() {
    let whole = multipart(&[field("name", "Ada"), field("email", "a@b.example")]);
    let file = multipart(&[part(
        "Content-Disposition: form-data; name=\"name\"; filename=\"a.txt\"",
        "Ada",
    )]);
    let empty_file = multipart(&[part(
        "Content-Disposition: form-data; name=\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream",
        "",
    )]);
    let twice = multipart(&[field("name", "a"), field("name", "b")]);
    let nul = multipart(&[field("name", "a\0b")]);
    let many = multipart(
        &(0..15_000)
            .map(|n| field(&format!("f{n}"), ""))
            .collect::<Vec<_>>(),
    );
    let header = multipart(&[part(
        &format!(
            "Content-Disposition: form-data; name=\"{}\"",
            "n".repeat(500_000)
        ),
        "",
    )]);
    let headers = multipart(&[part(
        &format!(
            "Content-Disposition: form-data; name=\"a\"\r\n{}",
            "X: y\r\n".repeat(50_000)
        ),
        "",
    )]);
    let long = format!("multipart/form-data; boundary={}", "b".repeat(10_000));
    let invalid = [
        b"--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n",
        &b"\xff\xfe"[..],
        b"\r\n--b--\r\n",
    ]
    .concat();
    let whole = whole.as_bytes();
    Scene::new()
        .await
        .refuses(
            400,
            "BAD_REQUEST",
            &[
                ("multipart/form-data", whole),
                ("multipart/form-data; boundary", whole),
                ("multipart/form-data; boundary=", whole),
                ("multipart/form-data; boundary=\"", whole),
                ("multipart/form-data; boundary=other", whole),
                (&long, whole),
                (MULTIPART, b""),
                (MULTIPART, b"--b"),
                (MULTIPART, b"--b\r\n"),
                (MULTIPART, &whole[..whole.len() - 4]),
                (MULTIPART, &whole[..whole.len() / 2]),
                (MULTIPART, b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n"),
                (MULTIPART, &invalid),
                (MULTIPART, file.as_bytes()),
                (MULTIPART, empty_file.as_bytes()),
                (MULTIPART, twice.as_bytes()),
                (MULTIPART, nul.as_bytes()),
                (MULTIPART, many.as_bytes()),
                (MULTIPART, headers.as_bytes()),
                (MULTIPART, b"{\"name\":\"a\"}"),
            ],
        )
        .await;
    // A field's name may have any length.
    let scene = Scene::new().await;
    scene
        .refuses(400, "VALIDATION_ERROR", &[(MULTIPART, header.as_bytes())])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_more_than_a_mebibyte_is_too_large_in_any_encoding() {
    let limit = 1 << 20;
    let over = vec![b'a'; limit + 1];
    let parts = multipart(
        &(0..100_000)
            .map(|n| field(&format!("f{n}"), ""))
            .collect::<Vec<_>>(),
    );
    let fields: String = (0..100_000).map(|n| format!("field-{n}=&")).collect();
    let scene = Scene::new().await;
    scene
        .refuses(
            413,
            "BAD_REQUEST",
            &[
                (FORM, &over),
                (JSON, &over),
                (MULTIPART, &over),
                ("text/plain", &over),
                (FORM, &vec![0xff; limit + 1]),
                (MULTIPART, parts.as_bytes()),
                (FORM, fields.as_bytes()),
            ],
        )
        .await;
    let mut name = b"email=a@b.example&notes=n&name=".to_vec();
    name.resize(limit, b'a');
    let response = scene
        .acme
        .action("create-contact")
        .header("content-type", FORM)
        .body(name)
        .answer()
        .await;
    response.expect(400, "VALIDATION_ERROR");
    assert_eq!(response.field_error("name"), "Name too long");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_content_types_and_encodings_are_not_supported() {
    let scene = Scene::new().await;
    let body = b"name=Ada&email=a%40b.example";
    scene
        .refuses(
            415,
            "BAD_REQUEST",
            &[
                ("text/plain", body),
                ("application/octet-stream", body),
                ("application/x-www-form-urlencodedx", body),
                ("application/json+x", b"{}"),
                ("application/vnd.api+json", b"{}"),
                ("text/json", b"{}"),
                ("multipart/mixed; boundary=b", body),
                ("application/x-www-form-urlencoded, application/json", body),
                ("a/b;c=d", body),
                ("", body),
                ("junk", body),
            ],
        )
        .await;
    let before = scene.table.saved();
    for encoding in ["gzip", "GZIP", "br", "deflate, gzip", "identity, gzip", "x"] {
        let request = scene
            .acme
            .action("create-contact")
            .header("content-encoding", encoding);
        let request = request.form(&[("name", "Ada"), ("email", "a@b.example")]);
        request.answer().await.expect(415, "BAD_REQUEST");
    }
    let typeless = scene.acme.action("create-contact").body(&body[..]);
    typeless.answer().await.expect(415, "BAD_REQUEST");
    assert_eq!(scene.table.saved(), before);
    // No body is an empty form.
    scene
        .acme
        .action("create-contact")
        .answer()
        .await
        .expect(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_but_readable_body_is_read() {
    let scene = Scene::new().await;
    let contact = |n: usize| format!("odd-{n}@example.com");
    let mut bodies = vec![
        ("APPLICATION/X-WWW-FORM-URLENCODED ; charset=latin1", format!("name=100%25&email={}&%zz=%&&=x&a", contact(0))),
        (FORM, format!("__proto__=x&constructor=y&toString=z&hasOwnProperty=&name=100%25&email={}", contact(1))),
        (JSON, json!({ "__proto__": "x", "constructor": 1, "then": null, "name": "100%", "email": contact(2) }).to_string()),
        (MULTIPART, multipart(&[field("name", "100%"), field("__proto__", "x"), field("email", &contact(3))])),
        ("multipart/form-data; charset=utf-8; boundary=\"b\"", multipart(&[field("name", "100%"), field("email", &contact(4))])),
        (MULTIPART, format!("preamble\r\n{}epilogue", multipart(&[field("name", "100%"), field("email", &contact(5))]))),
    ];
    let many: String = (0..900).map(|n| format!("f{n}=x&")).collect();
    bodies.push((FORM, format!("{many}name=100%25&email={}", contact(6))));
    for (content_type, body) in bodies {
        let request = scene
            .acme
            .action("create-contact")
            .header("content-type", content_type);
        let data = request.body(body.clone()).answer().await.data();
        assert_eq!(
            (&data["name"], data.as_object().unwrap().len()),
            (&json!("100%"), 10),
            "{body}"
        );
    }
}
