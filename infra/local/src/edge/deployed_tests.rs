//! Tests of the deployed template and its CloudFront function. Each origin responds with the event
//! that it got.

use super::{Distribution, DistributionSettings, Edge, FunctionOrigin};
use crate::{TEMPLATE, Template};
use ::auth::{Keys, SessionSecret, Token};
use action::{Actor, Role, TenantId, UserId};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

const KEY: &str = "a-signing-key-for-the-tests-only";

struct Setup {
    edge: Edge,
}

impl Setup {
    /// Every function responds with its event, as a cacheable page.
    async fn new() -> Self {
        let settings = DistributionSettings::local(3000, KEY).unwrap();
        let distribution = Distribution::start(settings).await.unwrap();
        let template = Template::parse(TEMPLATE).unwrap();
        let origins = template.served.iter().map(|name| {
            FunctionOrigin::new(name, |event| async move {
                let event = String::from_utf8(event).unwrap();
                let control = "max-age=0, must-revalidate, s-maxage=300, stale-if-error=0";
                let headers = json!({"cache-control": control, "cache-tag": "acme:contacts"});
                json!({"statusCode": 200, "headers": headers, "body": event})
                    .to_string()
                    .into_bytes()
            })
        });
        let edge = Edge::new(&template, distribution, origins.collect::<Vec<_>>()).unwrap();
        Self { edge }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (Response<()>, Value) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let peer = IpAddr::from([192, 0, 2, 9]);
        let (parts, body) = self.edge.respond(request, peer).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let event = serde_json::from_slice(&body).unwrap();
        (Response::from_parts(parts, ()), event)
    }
}

fn cookie(tenant: &str, expires_in: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let token = Token {
        secret: SessionSecret::random().unwrap(),
        actor: Actor {
            tenant: TenantId::parse(tenant).unwrap(),
            user: UserId::from(uuid::Uuid::now_v7()),
            role: Role::Member,
        },
        expires: i64::try_from(now.as_secs()).unwrap() + expires_in,
    };
    let keys = Keys::new(KEY.as_bytes(), None).unwrap();
    format!("session={}", token.sign(&keys))
}

fn x_cache(response: &Response<()>) -> &str {
    response.headers()["x-cache"].to_str().unwrap()
}

#[tokio::test]
async fn members_of_one_organisation_share_a_page() {
    let setup = Setup::new().await;
    let path = "/t/acme/contacts?q=a";
    let (first, event) = setup.get(path, &[("cookie", &cookie("acme", 60))]).await;
    assert_eq!(x_cache(&first), "Miss from cloudfront");
    assert_eq!(event["headers"]["x-crm-key"], "acme|member|html|");
    let (second, _) = setup.get(path, &[("cookie", &cookie("acme", 60))]).await;
    assert_eq!(x_cache(&second), "Hit from cloudfront");
    assert_eq!(second.headers().get("cache-tag"), None);
    for (path, cookie, accept) in [
        (path, cookie("acme", -5), "text/html"),
        (path, cookie("other", 60), "text/html"),
        (path, String::new(), "text/html"),
        (path, cookie("acme", 60), "application/json"),
        ("/t/acme/contacts?q=b", cookie("acme", 60), "text/html"),
        ("/t/acme/contacts/", cookie("acme", 60), "text/html"),
        (
            path,
            format!("{}; fresh={}", cookie("acme", 60), "f".repeat(22)),
            "text/html",
        ),
    ] {
        let headers = [("cookie", cookie.as_str()), ("accept", accept)];
        let (response, _) = setup.get(path, &headers).await;
        assert_eq!(
            x_cache(&response),
            "Miss from cloudfront",
            "{path} {cookie}"
        );
    }
}

#[tokio::test]
async fn a_request_without_a_session_never_hits_not_even_its_own_page() {
    let setup = Setup::new().await;
    for headers in [&[][..], &[("x-crm-key", "acme|member|html|")]] {
        for _ in 0..2 {
            let (response, event) = setup.get("/t/acme/contacts", headers).await;
            assert_eq!(x_cache(&response), "Miss from cloudfront");
            let key = &event["headers"]["x-crm-key"];
            assert_eq!(*key, response.headers()["x-amz-cf-id"].to_str().unwrap());
        }
    }
    let counters = setup.edge.distribution().counters();
    assert_eq!((counters.hits, counters.misses), (0, 4));
}

#[tokio::test]
async fn a_viewer_cannot_set_the_edges_headers() {
    let setup = Setup::new().await;
    let forged = [
        ("x-crm-secret", "forged"),
        ("x-crm-key", "acme|owner|html|"),
        ("x-crm-viewer-ip", "10.0.0.1"),
        ("x-crm-domain", "evil.example"),
        ("x-crm-distribution", "EVIL"),
        ("x-crm-else", "forged"),
        ("X-CRM-LOUD", "forged"),
    ];
    for path in [
        "/",
        "/sign-in",
        "/t/acme/contacts",
        "/t/acme/contacts/new",
        "/assets/x.css",
    ] {
        let (_, event) = setup.get(path, &forged).await;
        let headers = event["headers"].as_object().unwrap();
        let text = event.to_string();
        for forged in ["forged", "evil", "EVIL", "10.0.0.1", "acme|owner"] {
            assert!(!text.contains(forged), "{path}: {forged} in {text}");
        }
        let secret = setup.edge.distribution().settings().origin_secret();
        assert_eq!(headers["x-crm-secret"], *secret, "{path}");
        if !path.starts_with("/assets/") {
            assert_eq!(headers["x-crm-viewer-ip"], "192.0.2.9", "{path}");
            assert_eq!(headers["x-crm-domain"], "edge-crm.localhost", "{path}");
            assert_eq!(headers["x-crm-distribution"], "ELOCAL0000000", "{path}");
        }
    }
}

#[tokio::test]
async fn a_cached_view_gets_no_cookie_or_header_of_the_viewers_but_what_it_needs() {
    let setup = Setup::new().await;
    let session = cookie("acme", 60);
    let headers = [
        (
            "cookie",
            &*format!("fresh={}; {session}; tracker=1", "f".repeat(22)),
        ),
        ("accept", "text/html"),
        ("accept-encoding", "zstd, gzip, br"),
        ("accept-language", "de"),
        ("authorization", "Bearer x"),
        ("user-agent", "viewer"),
    ];
    let (_, event) = setup
        .get("/t/acme/contacts?q=1&utm_source=x&after=2", &headers)
        .await;
    assert_eq!(event["cookies"], json!([session]));
    assert_eq!(event["rawQueryString"], "q=1&after=2");
    let names: Vec<_> = event["headers"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "host",
            "user-agent",
            "via",
            "x-amz-cf-id",
            "x-crm-distribution",
            "x-crm-domain",
            "x-crm-key",
            "x-crm-secret",
            "x-crm-viewer-ip",
            "x-forwarded-for",
            "x-forwarded-port",
            "x-forwarded-proto",
        ]
    );
    assert_eq!(event["headers"]["accept-encoding"], "br,gzip");
    assert_eq!(event["headers"]["user-agent"], "Amazon CloudFront");
}

#[tokio::test]
async fn the_content_type_is_forwarded_and_an_unusual_one_is_never_shared() {
    let setup = Setup::new().await;
    let session = cookie("acme", 60);
    let headers = |kind| [("cookie", &*session), ("content-type", kind)];
    for _ in 0..2 {
        let (response, event) = setup.get("/t/acme/contacts", &headers("text/html")).await;
        assert_eq!(x_cache(&response), "Miss from cloudfront");
        assert_eq!(event["headers"]["content-type"], "text/html");
    }
    let plain = headers("application/json");
    let (_, event) = setup.get("/t/acme/contacts", &plain).await;
    assert_eq!(event["headers"]["content-type"], "application/json");
    let key = event["headers"]["x-crm-key"].as_str().unwrap();
    assert!(key.ends_with("|json|"), "{key}");
}

#[tokio::test]
async fn an_uncached_page_gets_every_header_and_parameter() {
    let setup = Setup::new().await;
    let headers = [
        ("cookie", "a=1; b=2"),
        ("user-agent", "viewer"),
        ("x-own", "1"),
    ];
    let (response, event) = setup.get("/sign-in?return_to=/x&y", &headers).await;
    assert_eq!(x_cache(&response), "Miss from cloudfront");
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(event["rawQueryString"], "return_to=/x&y");
    assert_eq!(event["headers"]["user-agent"], "viewer");
    assert_eq!(event["headers"]["x-own"], "1");
    let (again, _) = setup.get("/sign-in?return_to=/x&y", &headers).await;
    assert_eq!(x_cache(&again), "Miss from cloudfront");
}

#[test]
fn the_template_contains_the_functions_text() {
    let document: Value = serde_saphyr::from_str(TEMPLATE).unwrap();
    let code = "/Resources/ViewerRequest/Properties/FunctionCode/Fn::Sub/0";
    assert!(
        document.pointer(code).and_then(Value::as_str) == Some(viewer_request::SOURCE),
        "the text differs: run infra/edge/inline.py"
    );
}
