//! Tests of what is cached, how long, and for which viewers. The origin returns what each test sets.

use super::*;
use crate::edge::{DistributionSettings, Faults};
use http_body_util::BodyExt;
use hyper::header::HeaderMap;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{advance, sleep};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A distribution without the CloudFront function: each test sends the header `x-crm-key` itself.
pub(super) const TEMPLATE: &str = include_str!("test-template.yaml");

type Respond = Arc<Mutex<Box<dyn Fn(&Value) -> Value + Send>>>;

/// An edge, the events that its origin got, and the responses that the origin returns.
struct Setup {
    edge: Edge,
    events: Arc<Mutex<Vec<Value>>>,
    respond: Respond,
}

/// A response that a viewer got.
#[derive(Debug, Clone, PartialEq)]
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    fn x_cache(&self) -> &str {
        self.header("x-cache")
            .strip_suffix(" from cloudfront")
            .unwrap()
    }
}

fn cacheable(body: &str) -> Value {
    json!({
        "statusCode": 200,
        "headers": {"cache-control": "s-maxage=60", "cache-tag": "a, B", "x-own": "1"},
        "cookies": ["fresh=1"],
        "body": body,
    })
}

impl Setup {
    async fn new() -> Self {
        Self::of(TEMPLATE).await
    }

    async fn of(template: &str) -> Self {
        let settings = DistributionSettings::local(3000, &"k".repeat(32)).unwrap();
        let distribution = Distribution::start(settings).await.unwrap();
        let events = Arc::<Mutex<Vec<Value>>>::default();
        let respond: Respond = Arc::new(Mutex::new(Box::new(|_| cacheable("page"))));
        let (log, current) = (Arc::clone(&events), Arc::clone(&respond));
        let origin = FunctionOrigin::new("view", move |event: Vec<u8>| {
            let event: Value = serde_json::from_slice(&event).unwrap();
            let response = current.lock().unwrap()(&event);
            log.lock().unwrap().push(event);
            async move {
                // Long enough for other requests to join.
                sleep(Duration::from_millis(100)).await;
                assert_ne!(response, json!("panic"));
                response.to_string().into_bytes()
            }
        });
        let edge = Edge::new(&Template::parse(template).unwrap(), distribution, [origin]).unwrap();
        Self {
            edge,
            events,
            respond,
        }
    }

    fn set_response(&self, response: Value) {
        *self.respond.lock().unwrap() = Box::new(move |_| response.clone());
    }

    async fn send(&self, method: &str, path: &str, key: &str) -> Got {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-crm-key", key)
            .body(Full::<Bytes>::default())
            .unwrap();
        let response = self.edge.respond(request, PEER).await;
        let (parts, body) = response.into_parts();
        Got {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    async fn get(&self, path: &str) -> Got {
        self.send("GET", path, "k").await
    }

    fn purge(&self, item: &str) {
        let item = crate::edge::purges::PurgeItem::parse(item).unwrap();
        let state = &self.edge.front.distribution.state;
        state.cache.purge(&[item], state.faults().effect_delay);
    }

    fn invocations(&self) -> usize {
        self.events.lock().unwrap().len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_is_served_from_the_cache_until_it_expires() {
    let setup = Setup::new().await;
    let miss = setup.get("/t/a?q=1").await;
    assert_eq!((miss.x_cache(), miss.header("age")), ("Miss", ""));
    assert_eq!(miss.header("via"), "1.1 edge-crm.localhost (CloudFront)");
    advance(Duration::from_secs(7)).await;
    let hit = setup.get("/t/a?q=1&other=2").await;
    assert_eq!((hit.x_cache(), hit.header("age")), ("Hit", "7"));
    assert_eq!((hit.status, &hit.body[..]), (200, &b"page"[..]));
    assert_eq!(
        (hit.header("set-cookie"), hit.header("x-own")),
        ("fresh=1", "1")
    );
    assert_ne!(hit.header("x-amz-cf-id"), miss.header("x-amz-cf-id"));
    advance(Duration::from_secs(54)).await;
    assert_eq!(setup.get("/t/a?q=1").await.x_cache(), "Miss");
    assert_eq!(setup.invocations(), 2);
    let counters = setup.edge.distribution().counters();
    assert_eq!((counters.hits, counters.misses), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn another_key_path_or_query_is_another_page() {
    let setup = Setup::new().await;
    setup.get("/t/a").await;
    assert_eq!(setup.send("GET", "/t/a", "other").await.x_cache(), "Miss");
    assert_eq!(setup.get("/t/A").await.x_cache(), "Miss");
    assert_eq!(setup.get("/t/a?q=1").await.x_cache(), "Miss");
    assert_eq!(setup.get("/t/a?other=1").await.x_cache(), "Hit");
}

#[tokio::test(start_paused = true)]
async fn a_head_is_served_from_a_cached_get_but_not_the_reverse() {
    let setup = Setup::new().await;
    let head = setup.send("HEAD", "/t/a", "k").await;
    assert_eq!((head.x_cache(), head.body.len()), ("Miss", 0));
    assert_eq!(setup.get("/t/a").await.x_cache(), "Miss");
    let head = setup.send("HEAD", "/t/a", "k").await;
    assert_eq!((head.x_cache(), head.body.len()), ("Hit", 0));
    assert_eq!(head.header("content-length"), "4");
}

#[tokio::test(start_paused = true)]
async fn other_methods_and_uncacheable_responses_are_not_stored() {
    let setup = Setup::new().await;
    for method in ["POST", "PUT", "OPTIONS"] {
        assert_eq!(setup.send(method, "/t/a", "k").await.x_cache(), "Miss");
    }
    assert_eq!(setup.get("/t/a").await.x_cache(), "Miss");
    for control in ["private, no-store", "no-cache", "private, s-maxage=60"] {
        setup.set_response(json!({"statusCode": 200, "headers": {"cache-control": control}}));
        setup.get("/t/b").await;
        assert_eq!(setup.get("/t/b").await.x_cache(), "Miss", "{control}");
    }
    setup.set_response(cacheable("x"));
    setup.get("/uncached").await;
    assert_eq!(setup.get("/uncached").await.x_cache(), "Miss");
}

#[tokio::test(start_paused = true)]
async fn no_viewer_sees_the_tags() {
    let setup = Setup::new().await;
    let (leader, follower) = tokio::join!(setup.get("/t/a"), setup.get("/t/a"));
    let passed = setup.send("POST", "/t/a", "k").await;
    for got in [
        leader,
        follower,
        passed,
        setup.get("/t/a").await,
        setup.get("/uncached").await,
    ] {
        assert_eq!(got.header("cache-tag"), "", "{got:?}");
        assert_eq!(got.header("x-own"), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_purge_covers_every_variant_stored_before_it() {
    let setup = Setup::new().await;
    for item in ["#b", "#A", "/t/a*", "/*"] {
        setup.get("/t/a?q=1").await;
        setup.send("GET", "/t/a?q=2", "other").await;
        setup.purge(item);
        assert_eq!(setup.get("/t/a?q=1").await.x_cache(), "Miss", "{item}");
        assert_eq!(
            setup.send("GET", "/t/a?q=2", "other").await.x_cache(),
            "Miss"
        );
        assert_eq!(setup.get("/t/a?q=1").await.x_cache(), "Hit", "{item}");
    }
    for item in ["#c", "#b*", "/t", "/t/a", "/T/a*"] {
        setup.purge(item);
        assert_eq!(setup.get("/t/a?q=1").await.x_cache(), "Hit", "{item}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_in_flight_during_a_purge_is_stored_and_stays() {
    let setup = Setup::new().await;
    setup.edge.distribution().set_faults(Faults {
        transit: (Duration::from_secs(2), Duration::from_secs(2)),
        ..Faults::default()
    });
    let purge = async {
        sleep(Duration::from_secs(1)).await;
        setup.purge("#a");
    };
    let (miss, ()) = tokio::join!(setup.get("/t/a"), purge);
    assert_eq!(miss.x_cache(), "Miss");
    assert_eq!(setup.get("/t/a").await.x_cache(), "Hit");
}

#[tokio::test(start_paused = true)]
async fn a_delayed_purge_does_not_cover_what_is_stored_after_its_acceptance() {
    let setup = Setup::new().await;
    setup.edge.distribution().set_faults(Faults {
        effect_delay: Duration::from_secs(5),
        ..Faults::default()
    });
    setup.get("/t/a").await;
    setup.purge("#a");
    setup.get("/t/b").await;
    advance(Duration::from_secs(4)).await;
    assert_eq!(setup.get("/t/a").await.x_cache(), "Hit");
    advance(Duration::from_secs(1)).await;
    assert_eq!(setup.get("/t/a").await.x_cache(), "Miss");
    assert_eq!(setup.get("/t/b").await.x_cache(), "Hit");
}

#[tokio::test(start_paused = true)]
async fn a_purge_works_after_so_many_others_that_old_ones_are_forgotten() {
    let setup = Setup::new().await;
    setup.get("/t/a").await;
    setup.purge("#a");
    for number in 0..10_100 {
        setup.purge(&format!("#{number}"));
    }
    assert_eq!(setup.get("/t/a").await.x_cache(), "Miss");
    assert_eq!(setup.get("/t/a").await.x_cache(), "Hit");
}

#[tokio::test(start_paused = true)]
async fn errors_are_cached_for_ten_seconds_unless_the_template_sets_another_time() {
    let setup = Setup::new().await;
    for path in ["/t/a", "/uncached"] {
        setup.set_response(
            json!({"statusCode": 404, "headers": {"cache-control": "private, no-store"}}),
        );
        assert_eq!(setup.get(path).await.x_cache(), "Error");
        setup.set_response(cacheable("there"));
        assert_eq!(setup.get(path).await.status, 404, "{path}");
        assert_eq!(setup.get(path).await.x_cache(), "Error");
        advance(Duration::from_secs(10)).await;
        assert_eq!(setup.get(path).await.status, 200, "{path}");
    }
    // The template's ErrorCachingMinTTL for 500 is 0.
    setup.set_response(json!({"statusCode": 500}));
    assert_eq!(setup.get("/t/b").await.status, 500);
    setup.set_response(cacheable("there"));
    assert_eq!(setup.get("/t/b").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_expired_page_is_served_while_the_origin_fails_unless_stale_if_error_forbids_it() {
    let setup = Setup::new().await;
    let page = |control: &str| json!({"statusCode": 200, "headers": {"cache-control": control, "cache-tag": "a"}, "body": "old"});
    for failure in [
        json!({"statusCode": 500}),
        json!("panic"),
        json!({"statusCode": 0}),
    ] {
        for (control, is_served) in [
            ("s-maxage=60", true),
            ("s-maxage=60, must-revalidate", true),
            ("s-maxage=60, stale-if-error=300", true),
            ("s-maxage=60, stale-if-error=5", false),
            ("s-maxage=60, stale-if-error=0", false),
        ] {
            setup.set_response(page(control));
            setup.purge("/*");
            setup.get("/t/a").await;
            advance(Duration::from_secs(100)).await;
            setup.set_response(failure.clone());
            let got = setup.get("/t/a").await;
            assert_eq!(got.status == 200, is_served, "{control} {failure} {got:?}");
            if is_served {
                assert_eq!((got.x_cache(), got.header("age")), ("RefreshHit", "100"));
                // A purge works while the origin fails too. After 11 s the cached error has expired.
                setup.purge("#a");
                advance(Duration::from_secs(11)).await;
                assert_ne!(setup.get("/t/a").await.status, 200, "{control} {failure}");
            }
            advance(Duration::from_secs(11)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_requests_get_the_first_response_even_if_it_is_private() {
    let setup = Setup::new().await;
    setup.set_response(json!({
        "statusCode": 200,
        "headers": {"cache-control": "private, no-store"},
        "cookies": ["session=alice"],
        "body": "hers",
    }));
    let (first, second) = tokio::join!(setup.get("/t/a"), setup.get("/t/a"));
    assert_eq!(setup.invocations(), 1);
    assert_eq!((first.x_cache(), second.x_cache()), ("Miss", "Hit"));
    assert_eq!(
        (second.header("set-cookie"), &second.body[..]),
        ("session=alice", &b"hers"[..])
    );
    assert_eq!(setup.get("/t/a").await.x_cache(), "Miss");
    let (_, other) = tokio::join!(setup.get("/t/a"), setup.send("GET", "/t/a", "other"));
    assert_eq!(other.x_cache(), "Miss");
    let (_, head) = tokio::join!(setup.get("/t/a"), setup.send("HEAD", "/t/a", "k"));
    assert_eq!(head.x_cache(), "Miss");
    assert_eq!(setup.edge.distribution().counters().collapsed, 1);
}

#[tokio::test(start_paused = true)]
async fn requests_are_not_collapsed_if_caching_is_disabled() {
    let setup = Setup::new().await;
    let (first, second) = tokio::join!(setup.get("/uncached"), setup.get("/uncached"));
    assert_eq!((first.x_cache(), second.x_cache()), ("Miss", "Miss"));
    assert_eq!(setup.invocations(), 2);
}

#[tokio::test(start_paused = true)]
async fn waiting_requests_are_served_even_if_the_first_client_disconnects() {
    let setup = Setup::new().await;
    let disconnects = tokio::time::timeout(Duration::from_millis(50), setup.get("/t/a"));
    let (disconnected, second) = tokio::join!(disconnects, setup.get("/t/a"));
    assert!(disconnected.is_err());
    assert_eq!((second.status, second.x_cache()), (200, "Hit"));
    assert_eq!(setup.get("/t/a").await.x_cache(), "Hit");
    assert_eq!(setup.invocations(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_over_cloudfronts_limits_does_not_reach_the_origin() {
    let setup = Setup::new().await;
    let long = format!("/t/{}", "a".repeat(8200));
    assert_eq!(setup.get(&long).await.status, 414);
    let large = setup.send("GET", "/t/a", &"k".repeat(33_000)).await;
    assert_eq!((large.status, large.x_cache()), (413, "Error"));
    assert_eq!(setup.invocations(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_origin_gets_what_the_policies_name_and_the_edges_own_headers() {
    let setup = Setup::new().await;
    let request = Request::post("/t/a?q=1&x=2")
        .header("x-crm-key", "k")
        .header("x-crm-secret", "forged")
        .header("accept", "text/html")
        .header("authorization", "mine")
        .header("cookie", "session=1; fresh=2; other=3")
        .header("user-agent", "viewer")
        .body(Full::<Bytes>::from("body"))
        .unwrap();
    setup.edge.respond(request, PEER).await;
    let event = setup.events.lock().unwrap().pop().unwrap();
    let names: Vec<_> = event["headers"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let expected = [
        "accept",
        "content-length",
        "host",
        "user-agent",
        "via",
        "x-amz-cf-id",
        "x-crm-key",
        "x-crm-secret",
        "x-forwarded-for",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-literal",
    ];
    assert_eq!(names, expected);
    assert_eq!(event["headers"]["x-crm-secret"], "of the template");
    assert_eq!(event["headers"]["x-literal"], "text");
    assert_eq!(event["headers"]["user-agent"], "Amazon CloudFront");
    assert_eq!(event["headers"]["x-forwarded-for"], "192.0.2.7");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(event["rawQueryString"], "q=1");
    assert_eq!(event["cookies"], json!(["session=1"]));
    assert_eq!(event["body"], "Ym9keQ==");
}
