use super::*;
use hyper::header::HeaderName;

fn policy() -> CachePolicy {
    let names = |names: &[&str]| Selection::Only(names.iter().map(|n| (*n).to_owned()).collect());
    CachePolicy {
        key: Selections {
            headers: names(&["x-crm-key", "x-other"]),
            cookies: names(&["shade"]),
            queries: names(&["q", "after"]),
        },
        gzip: true,
        brotli: true,
        ..CachePolicy::default()
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
}

fn key(path: &str, query: &str, pairs: &[(&'static str, &'static str)]) -> Key {
    Key::of(3, &policy(), path, query, &headers(pairs))
}

#[test]
fn only_what_the_policy_names_distinguishes_requests() {
    let one = key("/t/acme/contacts", "q=1&utm=2", &[("x-crm-key", "a")]);
    let more = [
        ("x-crm-key", "a"),
        ("user-agent", "x"),
        ("cookie", "session=1; fresh=2"),
    ];
    assert_eq!(key("/t/acme/contacts", "utm=3&q=1", &more), one);
    assert_eq!(one.path(), "/t/acme/contacts?q=1");
    for other in [
        key("/t/acme/contacts/", "q=1", &[("x-crm-key", "a")]),
        key("/t/Acme/contacts", "q=1", &[("x-crm-key", "a")]),
        key("/t/acme/contacts", "q=2", &[("x-crm-key", "a")]),
        key("/t/acme/contacts", "q=1&q=1", &[("x-crm-key", "a")]),
        key("/t/acme/contacts", "q=1&after=", &[("x-crm-key", "a")]),
        key("/t/acme/contacts", "%71=1", &[("x-crm-key", "a")]),
        key("/t/acme/contacts", "Q=1", &[("x-crm-key", "a")]),
        key("/t/acme/contacts", "q=1", &[("x-crm-key", "b")]),
        key("/t/acme/contacts", "q=1", &[("x-other", "a")]),
        key("/t/acme/contacts", "q=1", &[]),
        key(
            "/t/acme/contacts",
            "q=1",
            &[("x-crm-key", "a"), ("cookie", "shade=1")],
        ),
        key(
            "/t/acme/contacts",
            "q=1",
            &[("x-crm-key", "a"), ("accept-encoding", "gzip")],
        ),
        Key::of(
            4,
            &policy(),
            "/t/acme/contacts",
            "q=1",
            &headers(&[("x-crm-key", "a")]),
        ),
    ] {
        assert_ne!(other, one);
    }
}

#[test]
fn the_parts_of_a_key_cannot_be_confused() {
    assert_ne!(
        key("/", "", &[("x-crm-key", "a"), ("x-crm-key", "b")]),
        key("/", "", &[("x-crm-key", "a,b")])
    );
    assert_ne!(
        key("/", "", &[("x-crm-key", "a"), ("x-other", "b")]),
        key("/", "", &[("x-crm-key", "b"), ("x-other", "a")])
    );
    assert_ne!(
        key("/", "", &[("x-crm-key", "a"), ("cookie", "shade=1")]),
        key("/", "", &[("x-crm-key", "a\tc shade=1")])
    );
}

#[test]
fn accepted_encodings_are_normalised() {
    let of =
        |accepted: &'static str| encodings(&policy(), &headers(&[("accept-encoding", accepted)]));
    assert_eq!(of("gzip, deflate, br, zstd"), Some("br,gzip"));
    assert_eq!(of("BR;q=0.5"), Some("br"));
    assert_eq!(of("br;q=0, gzip"), Some("gzip"));
    assert_eq!(of("deflate"), None);
    assert_eq!(encodings(&policy(), &HeaderMap::new()), None);
    assert_eq!(
        encodings(
            &CachePolicy::default(),
            &headers(&[("accept-encoding", "gzip")])
        ),
        None
    );
}

#[test]
fn the_origin_gets_what_either_policy_names_and_nothing_else() {
    let more = Selections {
        headers: Selection::Only(vec!["accept".to_owned()]),
        cookies: Selection::Only(vec!["session".to_owned()]),
        queries: Selection::None,
    };
    let sent = headers(&[
        ("x-crm-key", "k"),
        ("accept", "text/html"),
        ("authorization", "secret"),
        ("accept-encoding", "gzip, deflate"),
        ("cookie", "session=1; fresh=2; shade=3; xsession=4"),
    ]);
    let (query, selected) = forwarded(&policy(), &more, "utm=1&q=a%20b&&after", &sent);
    assert_eq!(query, "q=a%20b&after");
    let expected = headers(&[
        ("x-crm-key", "k"),
        ("accept", "text/html"),
        ("cookie", "shade=3; session=1"),
        ("accept-encoding", "gzip"),
    ]);
    assert_eq!(selected, expected);
    assert_eq!(forwarded(&policy(), &more, "x=1", &sent).0, "");
}
