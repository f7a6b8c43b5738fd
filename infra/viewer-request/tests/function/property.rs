//! Property tests: the function agrees with the oracle, and no request makes it throw.

use crate::oracle::{self, KeyInput};
use crate::support::*;
use proptest::prelude::*;
use proptest::sample::select;
use std::borrow::Cow;
use viewer_request::{Event, SOURCE, ViewerRequest};

/// Mostly `good`, so that many requests are valid.
fn mostly(good: &'static str, bad: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![9 => Just(good.to_owned()), 1 => select(bad).prop_map(str::to_owned)]
}

fn tenant() -> impl Strategy<Value = String> {
    mostly(
        "acme",
        &["acme-2", "a", "Acme", "-a", "a-", "", "%61cme", "..", "é"],
    )
}

fn id() -> impl Strategy<Value = String> {
    mostly(ID, &["0197A3B0-0000-7000-8000-00000000000F", "", ".", "x"])
}

fn path() -> impl Strategy<Value = String> {
    let resource = prop_oneof![
        9 => select(&["contacts", "projects", "members"][..]).prop_map(str::to_owned),
        1 => select(&["settings", "audit", "", "New", "a2", ".."][..]).prop_map(str::to_owned),
    ];
    let rest = prop_oneof![
        6 => Just(None),
        3 => id().prop_map(Some),
        1 => Just(Some("edit".to_owned()))
    ];
    let end = mostly("", &["/", "//", "?", "\n", "%20", "é", "/x"]);
    (tenant(), resource, rest, end).prop_map(|(tenant, resource, id, end)| {
        let id = id.map(|id| format!("/{id}")).unwrap_or_default();
        format!("/t/{tenant}/{resource}{id}{end}")
    })
}

/// Valid or invalid claims, signed with some key.
fn signed_claims() -> impl Strategy<Value = String> {
    let role = prop_oneof![
        9 => select(&["owner", "admin", "member", "viewer"][..]),
        1 => select(&["", "root", "Owner", "owner "][..]),
    ];
    let expires = prop_oneof![
        8 => (5..200i64).prop_map(|seconds| (now() + seconds).to_string()),
        1 => (5..200i64).prop_map(|seconds| (now() - seconds).to_string()),
        1 => select(&["", "+9999999999", "09999999999", "-1", "1e12", "x"][..]).prop_map(str::to_owned),
    ];
    let secret = prop_oneof![9 => "[A-Za-z0-9_-]{43}", 1 => "[A-Za-z0-9_|-]{0,44}"];
    let key = prop_oneof![
        6 => Just(KEY.to_owned()),
        3 => Just(PREVIOUS.to_owned()),
        1 => Just("x".repeat(64))
    ];
    let version = mostly("1", &["2", "01", "", "1.1"]);
    (version, secret, tenant(), id(), role, expires, key).prop_map(
        |(version, secret, tenant, user, role, expires, key)| {
            let claims = format!("{version}.{secret}.{tenant}.{user}.{role}.{expires}");
            sign(&claims, &key)
        },
    )
}

/// A token, perhaps changed.
fn session() -> impl Strategy<Value = String> {
    let changed = (
        signed_claims(),
        any::<prop::sample::Index>(),
        "[A-Za-z0-9._|-]",
    )
        .prop_map(|(token, at, character)| {
            let at = at.index(token.len());
            let (before, after) = (token.get(..at), token.get(at + 1..));
            before
                .zip(after)
                .map_or(token.clone(), |(b, a)| format!("{b}{character}{a}"))
        });
    let cut = (signed_claims(), 0..60usize).prop_map(|(token, less)| {
        token[..token.floor_char_boundary(token.len() - less)].to_owned()
    });
    prop_oneof![
        8 => signed_claims(),
        2 => changed,
        1 => cut,
        1 => signed_claims().prop_map(|token| format!("{token}=")),
        1 => "[ -:<-~]{0,200}".prop_map(|junk| junk.trim().to_owned()),
    ]
}

fn accept() -> impl Strategy<Value = String> {
    let kind = select(
        &[
            "application/json",
            "text/html",
            "Application/JSON",
            "TEXT/html",
            "*/*",
            "application/jsonp",
            "text/plain",
            "",
        ][..],
    );
    let weight = prop_oneof![
        4 => Just(String::new()),
        6 => "; ?[qQ]=(0|1|0\\.[0-9]{1,3}|1\\.0{0,3})",
        1 => "; ?q=(inf|nan|-1|\\+1|1e3|\\.5|2|0\\.12345|1\\.001| 1|\"1\")",
        1 => " ?; ?(level=1|Q =0|q)",
        1 => ";level=1;q=0\\.[0-9];q=1",
    ];
    let range = (kind, weight).prop_map(|(kind, weight)| format!("{kind}{weight}"));
    prop_oneof![
        8 => prop::collection::vec(range, 1..5).prop_map(|ranges| ranges.join(", ")),
        1 => "[ -~]{0,60}",
        1 => ".{0,40}".prop_map(|junk| format!("application/json{junk}")),
        1 => (480..540usize).prop_map(|length| format!("{:length$}", "application/json")),
    ]
}

fn input() -> impl Strategy<Value = KeyInput> {
    let fresh = prop_oneof!["[A-Za-z0-9_-]{22}", "[A-Za-z0-9_|-]{0,23}"];
    let sessions = prop_oneof![
        9 => prop::collection::vec(session(), 1),
        1 => prop::collection::vec(session(), 0..3)
    ];
    let fresh = prop_oneof![
        9 => prop::collection::vec(fresh.clone(), 0..2),
        1 => prop::collection::vec(fresh, 2)
    ];
    let content_type = prop_oneof![
        18 => Just(None),
        1 => Just(Some("application/json".to_owned())),
        1 => "(text/html|application/json;?|APPLICATION/JSON)".prop_map(|text| {
            Some(text).filter(|text| text != "application/json")
        })
    ];
    (
        prop_oneof![9 => mostly("GET", &["HEAD"]), 1 => mostly("POST", &["get", ""])],
        path(),
        prop::option::of(accept()),
        content_type,
        sessions,
        fresh,
    )
        .prop_map(
            |(method, path, accept, content_type, sessions, fresh)| KeyInput {
                method,
                path,
                accept,
                content_type,
                sessions,
                fresh,
            },
        )
}

fn shared_key(input: &KeyInput) -> Option<String> {
    let cookies = input
        .sessions
        .iter()
        .map(|value| format!("session={value}"));
    let cookies = cookies.chain(input.fresh.iter().map(|value| format!("fresh={value}")));
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let mut headers = vec![("cookie", cookies.as_str())];
    headers.extend(input.accept.as_deref().map(|value| ("accept", value)));
    let content_type = input.content_type.as_deref();
    headers.extend(content_type.map(|value| ("content-type", value)));
    shared(&event(&input.method, &input.path, &headers))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_key_is_shared_exactly_if_the_oracle_shares_it(input in input()) {
        prop_assert_eq!(shared_key(&input), oracle::key(&input, now()));
    }

    #[test]
    fn the_kind_in_the_key_is_the_one_that_the_wrapper_chooses(accept in accept()) {
        let input = KeyInput {
            method: "GET".to_owned(),
            path: "/t/acme/contacts".to_owned(),
            accept: Some(accept.clone()),
            content_type: None,
            sessions: vec![signed(KEY)],
            fresh: Vec::new(),
        };
        let key = shared_key(&input);
        let kind = key.as_deref().and_then(|key| key.split('|').nth(2));
        prop_assert_eq!(kind, oracle::kind(Some(&accept)));
        if let Some(kind) = kind {
            prop_assert_eq!(kind == "json", oracle::wants_json(Some(&accept)));
        }
    }
}

proptest! {
    #[test]
    fn no_request_makes_the_function_throw(
        (method, uri, query) in (".{0,20}", ".{0,60}", ".{0,60}"),
        names in prop::collection::vec(".{0,20}|cookie|accept|__proto__|constructor|x-crm-.{0,3}", 0..6),
        values in prop::collection::vec(".{0,80}|session=.{0,40}|(__proto__|[a-c])=.; [a-c]", 6),
        token in session(),
    ) {
        let function = ViewerRequest::new(SOURCE, &settings("session", None)).unwrap();
        let session = format!("session={token}");
        let headers = names.iter().map(String::as_str).zip(values.iter().map(String::as_str));
        let headers = headers.chain([("cookie", session.as_str())]);
        let event = Event {
            distribution_id: &uri,
            domain_name: &query,
            request_id: REQUEST_ID,
            viewer_ip: &method,
            method: &method,
            uri: &uri,
            query: &query,
            headers: headers.map(|(name, value)| (name, Cow::Borrowed(value))).collect(),
        };
        let request = forwarded(&function, &event);
        prop_assert_eq!(header(&request, "x-crm-key"), [REQUEST_ID]);
        prop_assert_eq!((request.uri, request.query), (uri.clone(), query.clone()));
    }
}

#[test]
fn the_cases_of_the_wrappers_own_tests_have_the_same_kind() {
    for (accept, kind) in [
        ("application/json", "json"),
        ("APPLICATION/JSON; q=0.5", "json"),
        ("text/plain, application/json", "json"),
        ("application/json, text/html", "json"),
        ("*/*", "html"),
        ("", "html"),
        ("text/html", "html"),
        ("application/json;q=0", "html"),
        ("text/html, application/json;q=0.9", "html"),
        ("application/jsonp", "html"),
    ] {
        let cookie = format!("session={}", signed(KEY));
        let headers = [("cookie", cookie.as_str()), ("accept", accept)];
        let key = shared(&event("GET", "/t/acme/contacts", &headers));
        assert_eq!(key, Some(format!("acme|owner|{kind}|")), "{accept}");
    }
}
