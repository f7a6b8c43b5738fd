use super::*;
use hyper::Request;
use serde_json::{Value, json};

fn encoded(request: hyper::http::request::Builder, body: &[u8]) -> Value {
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let invocation = Invocation {
        function: "create-contact",
        id: Uuid::from_u128(1),
        received_at: Timestamp::from_millisecond(1_767_600_000_123).unwrap(),
        peer: IpAddr::from([127, 0, 0, 1]),
        viewer: IpAddr::from([192, 0, 2, 1]),
        port: 3000,
    };
    serde_json::from_slice(&encode(&parts, body, &invocation).unwrap()).unwrap()
}

#[test]
fn a_form_becomes_the_event_that_lambda_passes() {
    let request = Request::post("/actions/create-contact?a=1&b=x%20y&a=2")
        .header("Host", "127.0.0.1:3000")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Content-Length", "7")
        .header("User-Agent", "test")
        .header("Cookie", "session=abc; fresh=1")
        .header("Accept", "text/html")
        .header("Accept", "*/*");
    let expected = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/actions/create-contact",
        "rawQueryString": "a=1&b=x%20y&a=2",
        "cookies": ["session=abc", "fresh=1"],
        "headers": {
            "accept": "text/html,*/*",
            "content-length": "7",
            "content-type": "application/x-www-form-urlencoded",
            "host": "create-contact.lambda-url.local.on.aws",
            "user-agent": "test",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http"
        },
        "queryStringParameters": {"a": "1,2", "b": "x y"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "create-contact",
            "domainName": "create-contact.lambda-url.local.on.aws",
            "domainPrefix": "create-contact",
            "http": {
                "method": "POST",
                "path": "/actions/create-contact",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test"
            },
            "requestId": "00000000-0000-0000-0000-000000000001",
            "routeKey": "$default",
            "stage": "$default",
            "time": "05/Jan/2026:08:00:00 +0000",
            "timeEpoch": 1_767_600_000_123_i64
        },
        "body": "bmFtZT1Kbw==",
        "isBase64Encoded": true
    });
    assert_eq!(encoded(request, b"name=Jo"), expected);
}

#[test]
fn only_utf_8_of_a_textual_type_stays_text() {
    let post = |content_type: &str| Request::post("/").header("Content-Type", content_type);
    for content_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/plain",
        "application/xml",
    ] {
        let event = encoded(post(content_type), "{\"name\":\"Zoë\"}".as_bytes());
        assert_eq!(event["body"], "{\"name\":\"Zoë\"}", "{content_type}");
        assert_eq!(event["isBase64Encoded"], false, "{content_type}");
    }
    for content_type in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ] {
        let event = encoded(post(content_type), b"a");
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&json!("YQ=="), &json!(true)),
            "{content_type}"
        );
    }
    let event = encoded(post("application/json"), b"\xff");
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&json!("/w=="), &json!(true))
    );
    let event = encoded(Request::post("/"), b"a");
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&json!("YQ=="), &json!(true))
    );
}

#[test]
fn absent_parts_are_left_out_of_the_event() {
    let event = encoded(Request::get("/t/acme/contacts"), b"");
    for field in ["body", "cookies", "queryStringParameters"] {
        assert_eq!(event.get(field), None, "{field}");
    }
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["headers"].get("content-length"), None);
}

#[test]
fn a_viewer_cannot_forge_its_address_or_host() {
    let request = Request::get("/")
        .header("Host", "evil.example")
        .header("X-Forwarded-For", "10.0.0.1")
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Proto", "https");
    let headers = &encoded(request, b"")["headers"];
    assert_eq!(headers["host"], "create-contact.lambda-url.local.on.aws");
    assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert_eq!(headers.get("x-forwarded-host"), None);
}

#[test]
fn hop_by_hop_headers_are_not_forwarded() {
    let request = Request::get("/")
        .header("Connection", "keep-alive, X-Private")
        .header("X-Private", "1")
        .header("Upgrade", "h2c")
        .header("TE", "trailers")
        .header("Transfer-Encoding", "chunked")
        .header("X-Public", "1");
    let event = encoded(request, b"");
    let names: Vec<_> = event["headers"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "host",
            "x-forwarded-for",
            "x-forwarded-port",
            "x-forwarded-proto",
            "x-public"
        ]
    );
}

#[test]
fn invalid_utf_8_in_a_header_is_replaced() {
    let request = Request::get("/")
        .header("X-Name", &b"Zo\xeb"[..])
        .header("Cookie", &b"a=\xeb; ;b=1"[..]);
    let event = encoded(request, b"");
    assert_eq!(event["headers"]["x-name"], "Zo\u{fffd}");
    assert_eq!(event["cookies"], json!(["a=\u{fffd}", "b=1"]));
}
