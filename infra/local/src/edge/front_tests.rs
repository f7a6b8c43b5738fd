//! What is cached, for how long and for whom, over an origin that says whatever a test wants.

use super::*;
use crate::edge::{DistributionSettings, Faults};
use http_body_util::BodyExt;
use hyper::header::HeaderMap;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{advance, sleep};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A distribution without the CloudFront function: a test sends the key's header itself.
pub(super) const TEMPLATE: &str = include_str!("test-template.yaml");

type Script = Arc<Mutex<Box<dyn Fn(&Value) -> Value + Send>>>;

/// An edge, what its origin was asked, and what it answers.
struct Stage {
    edge: Edge,
    asked: Arc<Mutex<Vec<Value>>>,
    script: Script,
}

/// What a viewer got.
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

impl Stage {
    async fn new() -> Self {
        Self::of(TEMPLATE).await
    }

    async fn of(template: &str) -> Self {
        let settings = DistributionSettings::local(3000, &"k".repeat(32)).unwrap();
        let distribution = Distribution::start(settings).await.unwrap();
        let asked = Arc::<Mutex<Vec<Value>>>::default();
        let script: Script = Arc::new(Mutex::new(Box::new(|_| cacheable("page"))));
        let (log, says) = (Arc::clone(&asked), Arc::clone(&script));
        let origin = Origin::new("view", move |event: Vec<u8>| {
            let event: Value = serde_json::from_slice(&event).unwrap();
            let answer = says.lock().unwrap()(&event);
            log.lock().unwrap().push(event);
            async move {
                // Long enough for others to come meanwhile.
                sleep(Duration::from_millis(100)).await;
                assert_ne!(answer, json!("panic"));
                answer.to_string().into_bytes()
            }
        });
        let edge = Edge::new(&Template::parse(template).unwrap(), distribution, [origin]).unwrap();
        Self {
            edge,
            asked,
            script,
        }
    }

    fn says(&self, answer: Value) {
        *self.script.lock().unwrap() = Box::new(move |_| answer.clone());
    }

    async fn send(&self, method: &str, path: &str, key: &str) -> Got {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-crm-key", key)
            .body(Full::<Bytes>::default())
            .unwrap();
        let response = self.edge.answer(request, PEER).await;
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
        let item = crate::edge::purges::Item::parse(item).unwrap();
        let state = &self.edge.front.distribution.state;
        state.cache.purge(&[item], state.faults().effect_delay);
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_is_served_from_the_cache_until_it_expires() {
    let stage = Stage::new().await;
    let miss = stage.get("/t/a?q=1").await;
    assert_eq!((miss.x_cache(), miss.header("age")), ("Miss", ""));
    assert_eq!(miss.header("via"), "1.1 edge-crm.localhost (CloudFront)");
    advance(Duration::from_secs(7)).await;
    let hit = stage.get("/t/a?q=1&other=2").await;
    assert_eq!((hit.x_cache(), hit.header("age")), ("Hit", "7"));
    assert_eq!((hit.status, &hit.body[..]), (200, &b"page"[..]));
    assert_eq!(
        (hit.header("set-cookie"), hit.header("x-own")),
        ("fresh=1", "1")
    );
    assert_ne!(hit.header("x-amz-cf-id"), miss.header("x-amz-cf-id"));
    advance(Duration::from_secs(54)).await;
    assert_eq!(stage.get("/t/a?q=1").await.x_cache(), "Miss");
    assert_eq!(stage.asked(), 2);
    let counters = stage.edge.distribution().counters();
    assert_eq!((counters.hits, counters.misses), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn another_key_path_or_query_is_another_page() {
    let stage = Stage::new().await;
    stage.get("/t/a").await;
    assert_eq!(stage.send("GET", "/t/a", "other").await.x_cache(), "Miss");
    assert_eq!(stage.get("/t/A").await.x_cache(), "Miss");
    assert_eq!(stage.get("/t/a?q=1").await.x_cache(), "Miss");
    assert_eq!(stage.get("/t/a?other=1").await.x_cache(), "Hit");
}

#[tokio::test(start_paused = true)]
async fn a_head_is_answered_from_a_get_but_not_the_reverse() {
    let stage = Stage::new().await;
    let head = stage.send("HEAD", "/t/a", "k").await;
    assert_eq!((head.x_cache(), head.body.len()), ("Miss", 0));
    assert_eq!(stage.get("/t/a").await.x_cache(), "Miss");
    let head = stage.send("HEAD", "/t/a", "k").await;
    assert_eq!((head.x_cache(), head.body.len()), ("Hit", 0));
    assert_eq!(head.header("content-length"), "4");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_to_be_stored_is_not() {
    let stage = Stage::new().await;
    for method in ["POST", "PUT", "OPTIONS"] {
        assert_eq!(stage.send(method, "/t/a", "k").await.x_cache(), "Miss");
    }
    assert_eq!(stage.get("/t/a").await.x_cache(), "Miss");
    for said in ["private, no-store", "no-cache", "private, s-maxage=60"] {
        stage.says(json!({"statusCode": 200, "headers": {"cache-control": said}}));
        stage.get("/t/b").await;
        assert_eq!(stage.get("/t/b").await.x_cache(), "Miss", "{said}");
    }
    stage.says(cacheable("x"));
    stage.get("/uncached").await;
    assert_eq!(stage.get("/uncached").await.x_cache(), "Miss");
}

#[tokio::test(start_paused = true)]
async fn no_viewer_sees_the_tags() {
    let stage = Stage::new().await;
    let (leader, follower) = tokio::join!(stage.get("/t/a"), stage.get("/t/a"));
    let passed = stage.send("POST", "/t/a", "k").await;
    for got in [
        leader,
        follower,
        passed,
        stage.get("/t/a").await,
        stage.get("/uncached").await,
    ] {
        assert_eq!(got.header("cache-tag"), "", "{got:?}");
        assert_eq!(got.header("x-own"), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_purge_removes_what_was_stored_before_it_in_every_variant() {
    let stage = Stage::new().await;
    for item in ["#b", "#A", "/t/a*", "/*"] {
        stage.get("/t/a?q=1").await;
        stage.send("GET", "/t/a?q=2", "other").await;
        stage.purge(item);
        assert_eq!(stage.get("/t/a?q=1").await.x_cache(), "Miss", "{item}");
        assert_eq!(
            stage.send("GET", "/t/a?q=2", "other").await.x_cache(),
            "Miss"
        );
        assert_eq!(stage.get("/t/a?q=1").await.x_cache(), "Hit", "{item}");
    }
    for item in ["#c", "#b*", "/t", "/t/a", "/T/a*"] {
        stage.purge(item);
        assert_eq!(stage.get("/t/a?q=1").await.x_cache(), "Hit", "{item}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_during_a_purge_is_stored_and_stays() {
    let stage = Stage::new().await;
    stage.edge.distribution().set_faults(Faults {
        transit: (Duration::from_secs(2), Duration::from_secs(2)),
        ..Faults::default()
    });
    let purge = async {
        sleep(Duration::from_secs(1)).await;
        stage.purge("#a");
    };
    let (miss, ()) = tokio::join!(stage.get("/t/a"), purge);
    assert_eq!(miss.x_cache(), "Miss");
    assert_eq!(stage.get("/t/a").await.x_cache(), "Hit");
}

#[tokio::test(start_paused = true)]
async fn a_purge_takes_its_time_and_spares_what_comes_after_its_acceptance() {
    let stage = Stage::new().await;
    stage.edge.distribution().set_faults(Faults {
        effect_delay: Duration::from_secs(5),
        ..Faults::default()
    });
    stage.get("/t/a").await;
    stage.purge("#a");
    stage.get("/t/b").await;
    advance(Duration::from_secs(4)).await;
    assert_eq!(stage.get("/t/a").await.x_cache(), "Hit");
    advance(Duration::from_secs(1)).await;
    assert_eq!(stage.get("/t/a").await.x_cache(), "Miss");
    assert_eq!(stage.get("/t/b").await.x_cache(), "Hit");
}

#[tokio::test(start_paused = true)]
async fn the_purges_of_many_tags_are_not_remembered_for_ever() {
    let stage = Stage::new().await;
    stage.get("/t/a").await;
    stage.purge("#a");
    for number in 0..10_100 {
        stage.purge(&format!("#{number}"));
    }
    assert_eq!(stage.get("/t/a").await.x_cache(), "Miss");
    assert_eq!(stage.get("/t/a").await.x_cache(), "Hit");
}

#[tokio::test(start_paused = true)]
async fn errors_are_kept_for_ten_seconds_unless_the_template_says_otherwise() {
    let stage = Stage::new().await;
    for path in ["/t/a", "/uncached"] {
        stage.says(json!({"statusCode": 404, "headers": {"cache-control": "private, no-store"}}));
        assert_eq!(stage.get(path).await.x_cache(), "Error");
        stage.says(cacheable("there"));
        assert_eq!(stage.get(path).await.status, 404, "{path}");
        assert_eq!(stage.get(path).await.x_cache(), "Error");
        advance(Duration::from_secs(10)).await;
        assert_eq!(stage.get(path).await.status, 200, "{path}");
    }
    // The template's ErrorCachingMinTTL for 500 is 0.
    stage.says(json!({"statusCode": 500}));
    assert_eq!(stage.get("/t/b").await.status, 500);
    stage.says(cacheable("there"));
    assert_eq!(stage.get("/t/b").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_expired_page_stands_in_for_a_failing_origin_unless_it_may_not() {
    let stage = Stage::new().await;
    let page = |control: &str| json!({"statusCode": 200, "headers": {"cache-control": control, "cache-tag": "a"}, "body": "old"});
    for failure in [
        json!({"statusCode": 500}),
        json!("panic"),
        json!({"statusCode": 0}),
    ] {
        for (said, stands_in) in [
            ("s-maxage=60", true),
            ("s-maxage=60, must-revalidate", true),
            ("s-maxage=60, stale-if-error=300", true),
            ("s-maxage=60, stale-if-error=5", false),
            ("s-maxage=60, stale-if-error=0", false),
        ] {
            stage.says(page(said));
            stage.purge("/*");
            stage.get("/t/a").await;
            advance(Duration::from_secs(100)).await;
            stage.says(failure.clone());
            let got = stage.get("/t/a").await;
            assert_eq!(got.status == 200, stands_in, "{said} {failure} {got:?}");
            if stands_in {
                assert_eq!((got.x_cache(), got.header("age")), ("RefreshHit", "100"));
                // A purge is a purge, also while the origin fails. An error kept for 10 s goes too.
                stage.purge("#a");
                advance(Duration::from_secs(11)).await;
                assert_ne!(stage.get("/t/a").await.status, 200, "{said} {failure}");
            }
            advance(Duration::from_secs(11)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_get_the_first_answer_whatever_it_is() {
    let stage = Stage::new().await;
    stage.says(json!({
        "statusCode": 200,
        "headers": {"cache-control": "private, no-store"},
        "cookies": ["session=alice"],
        "body": "hers",
    }));
    let (first, second) = tokio::join!(stage.get("/t/a"), stage.get("/t/a"));
    assert_eq!(stage.asked(), 1);
    assert_eq!((first.x_cache(), second.x_cache()), ("Miss", "Hit"));
    assert_eq!(
        (second.header("set-cookie"), &second.body[..]),
        ("session=alice", &b"hers"[..])
    );
    assert_eq!(stage.get("/t/a").await.x_cache(), "Miss");
    let (_, other) = tokio::join!(stage.get("/t/a"), stage.send("GET", "/t/a", "other"));
    assert_eq!(other.x_cache(), "Miss");
    let (_, head) = tokio::join!(stage.get("/t/a"), stage.send("HEAD", "/t/a", "k"));
    assert_eq!(head.x_cache(), "Miss");
    assert_eq!(stage.edge.distribution().counters().collapsed, 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_where_caching_is_disabled() {
    let stage = Stage::new().await;
    let (first, second) = tokio::join!(stage.get("/uncached"), stage.get("/uncached"));
    assert_eq!((first.x_cache(), second.x_cache()), ("Miss", "Miss"));
    assert_eq!(stage.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_first_may_leave_and_the_others_are_still_answered() {
    let stage = Stage::new().await;
    let leaves = tokio::time::timeout(Duration::from_millis(50), stage.get("/t/a"));
    let (left, second) = tokio::join!(leaves, stage.get("/t/a"));
    assert!(left.is_err());
    assert_eq!((second.status, second.x_cache()), (200, "Hit"));
    assert_eq!(stage.get("/t/a").await.x_cache(), "Hit");
    assert_eq!(stage.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cloudfront_would_not_take_goes_no_further() {
    let stage = Stage::new().await;
    let long = format!("/t/{}", "a".repeat(8200));
    assert_eq!(stage.get(&long).await.status, 414);
    let large = stage.send("GET", "/t/a", &"k".repeat(33_000)).await;
    assert_eq!((large.status, large.x_cache()), (413, "Error"));
    assert_eq!(stage.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_origin_sees_what_the_policies_name_and_the_edges_own_headers() {
    let stage = Stage::new().await;
    let request = Request::post("/t/a?q=1&x=2")
        .header("x-crm-key", "k")
        .header("x-crm-secret", "forged")
        .header("accept", "text/html")
        .header("authorization", "mine")
        .header("cookie", "session=1; fresh=2; other=3")
        .header("user-agent", "viewer")
        .body(Full::<Bytes>::from("body"))
        .unwrap();
    stage.edge.answer(request, PEER).await;
    let asked = stage.asked.lock().unwrap().pop().unwrap();
    let names: Vec<_> = asked["headers"]
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
    let secret = &stage.edge.distribution().settings().origin_secret;
    assert_eq!(asked["headers"]["x-crm-secret"], **secret);
    assert_eq!(asked["headers"]["x-literal"], "text");
    assert_eq!(asked["headers"]["user-agent"], "Amazon CloudFront");
    assert_eq!(asked["headers"]["x-forwarded-for"], "192.0.2.7");
    assert_eq!(asked["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(asked["rawQueryString"], "q=1");
    assert_eq!(asked["cookies"], json!(["session=1"]));
    assert_eq!(asked["body"], "Ym9keQ==");
}
