//! Tests of the host: settings, limits, and the objects that it exchanges with a function.

use crate::support::*;
use std::borrow::Cow;
use viewer_request::{Event, FunctionError, Outcome, Request, Response, SOURCE, ViewerRequest};

fn function(source: &str) -> ViewerRequest {
    ViewerRequest::new(source, &settings("session", None)).unwrap()
}

/// Runs a function with this body on a request.
fn run(body: &str, event: &Event<'_>) -> Result<Outcome, FunctionError> {
    function(&format!("function handler(event) {{ {body} }}")).run(event)
}

fn request(body: &str, event: &Event<'_>) -> Request {
    match run(body, event) {
        Ok(Outcome::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn thrown(body: &str) -> FunctionError {
    run(body, &event("GET", "/", &[])).unwrap_err()
}

#[test]
fn the_deployed_file_is_within_the_limit_and_has_no_unknown_placeholder() {
    let long = settings("__Host-session", Some(PREVIOUS));
    assert_eq!((KEY.len(), PREVIOUS.len()), (64, 64));
    assert!(ViewerRequest::new(SOURCE, &long).is_ok());
    let names: Vec<_> = SOURCE
        .split("${")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap())
        .collect();
    assert_eq!(names, ["Secrets", "SecretsInUse", "SessionCookie"]);
    assert!(SOURCE.is_ascii());
}

#[test]
fn only_known_placeholders_are_replaced() {
    let settings = settings("session", None);
    let source = "function handler(event) { \
        event.request.headers = { key: { value: '${Secrets}' }, x: { value: '${Other}' } }; \
        return event.request; }";
    let function = ViewerRequest::new(source, &settings).unwrap();
    let request = forwarded(&function, &event("GET", "/", &[]));
    assert_eq!(header(&request, "key"), [settings.secrets.as_str()]);
    assert_eq!(header(&request, "x"), ["${Other}"]);
}

#[test]
fn a_file_that_cloudfront_would_refuse_is_refused() {
    let refusal =
        |source: &str| ViewerRequest::new(source, &settings("session", None)).unwrap_err();
    let long = format!("{SOURCE}//{}", "x".repeat(10_240));
    assert!(matches!(refusal(&long), FunctionError::TooLarge(bytes) if bytes > 10_240));
    for source in [
        "function handler(",
        "throw 1",
        "undefined.x",
        "require('fs')",
        "x = 1",
    ] {
        assert!(
            matches!(refusal(source), FunctionError::Load(_)),
            "{source}"
        );
    }
    for source in ["", "var handler = 1;", "function other() {}"] {
        assert_eq!(refusal(source), FunctionError::NoHandler, "{source}");
    }
    assert!(matches!(refusal("for (;;) {}"), FunctionError::Load(_)));
}

#[test]
fn debug_text_contains_no_key() {
    let settings = settings("session", Some(PREVIOUS));
    let function = ViewerRequest::new(SOURCE, &settings).unwrap();
    let printed = format!("{settings:?} {function:?}");
    assert!(
        !printed.contains("key-") && !printed.contains("origin-"),
        "{printed}"
    );
}

#[test]
fn a_function_that_fails_is_an_error() {
    assert!(
        matches!(thrown("throw new Error('why')"), FunctionError::Thrown(why) if why.contains("why"))
    );
    for body in [
        "throw null",
        "null.x",
        "return handler(event)",
        "throw Promise.reject(1)",
    ] {
        assert!(matches!(thrown(body), FunctionError::Thrown(_)), "{body}");
    }
    for body in [
        "",
        "return null",
        "return 1",
        "return 'x'",
        "return {}",
        "return () => 1",
        "return { uri: 'x' }",
        "return { uri: '/', headers: { a: 'b' } }",
        "return { uri: '/', headers: { a: { value: 1 } } }",
        "return { uri: '/', headers: { a: {} } }",
        "return { uri: '/', headers: { a: { value: '\\ud800' } } }",
        "return { statusCode: '200' }",
        "return { statusCode: 70000 }",
        "return { statusCode: 200, body: { encoding: 'base64', data: '?' } }",
    ] {
        assert!(matches!(thrown(body), FunctionError::Returned(_)), "{body}");
    }
}

#[test]
fn reserved_headers_are_hidden_from_the_function_and_cannot_be_set() {
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = [("host", "a.example"), ("x-edge-a", "b"), ("x-real-ip", "c")];
    let seen = "event.request.headers.names = \
        { value: Object.keys(event.request.headers).join() }; return event.request";
    let passed = request(seen, &event("GET", "/", &headers));
    let expected = [
        line("host", "a.example"),
        line("names", "host"),
        line("x-edge-a", "b"),
        line("x-real-ip", "c"),
    ];
    assert_eq!(passed.headers, expected);
    for (name, set) in [
        ("x-edge-key", "= { value: 'a' }"),
        ("X-Edge-Key", "= { value: 'a' }"),
        ("x-amz-cf-id", "= { value: 'a' }"),
        ("connection", "= { value: 'close' }"),
        ("host", "= { value: 'b.example' }"),
        ("via", "= { value: 'a' }"),
    ] {
        let body = format!("event.request.headers['{name}'] {set}; return event.request");
        let error = run(&body, &event("GET", "/", &headers)).unwrap_err();
        assert_eq!(error, FunctionError::Header(name.to_owned()));
    }
    let body = "delete event.request.headers.host; return event.request";
    let error = run(body, &event("GET", "/", &headers)).unwrap_err();
    assert_eq!(error, FunctionError::Header("host".to_owned()));
    let body = "return { statusCode: 200, headers: { 'x-cache': { value: 'a' } } }";
    let error = run(body, &event("GET", "/", &[])).unwrap_err();
    assert_eq!(error, FunctionError::Header("x-cache".to_owned()));
}

#[test]
fn a_function_over_its_limits_is_stopped_and_the_next_request_succeeds() {
    let function = function(
        "function handler(event) { \
            if (event.request.uri === '/loop') for (;;) {} \
            if (event.request.uri === '/memory') { const all = []; for (;;) all.push('x'.repeat(99)); } \
            if (event.request.uri === '/pattern') /^(a+)+$/.test('a'.repeat(64) + 'b'); \
            return event.request; }",
    );
    for _ in 0..2 {
        let stopped = function.run(&event("GET", "/loop", &[]));
        assert_eq!(stopped, Err(FunctionError::TimedOut));
        let stopped = function.run(&event("GET", "/memory", &[]));
        assert!(stopped.is_err(), "{stopped:?}");
        let stopped = function.run(&event("GET", "/pattern", &[]));
        assert!(stopped.is_err(), "{stopped:?}");
        assert_eq!(forwarded(&function, &event("GET", "/", &[])).uri, "/");
    }
}

#[test]
fn the_largest_request_that_cloudfront_accepts_fits() {
    let value = "a=b;".repeat(5_000);
    let headers: Vec<_> = (0..4).map(|_| ("cookie", &value[..5_000])).collect();
    let event = event("GET", "/", &headers);
    let Ok(Outcome::Request(request)) = function(SOURCE).run(&event) else {
        panic!("the request does not fit");
    };
    assert_eq!(header(&request, "x-crm-key"), [REQUEST_ID]);
}

#[test]
fn what_the_function_does_not_change_is_forwarded_as_received() {
    let mut event = event(
        "GET",
        "/a%20b",
        &[
            ("b", "2"),
            ("a", "1"),
            ("b", "1"),
            ("cookie", " z=1 ;;a;  z=2"),
            ("cookie", "b=\"é\""),
        ],
    );
    event.query = "z&a=1&&a=%31&=";
    let given = request("return event.request", &event);
    assert_eq!(
        (given.uri.as_str(), given.query.as_str()),
        ("/a%20b", event.query)
    );
    assert_eq!(header(&given, "b"), ["2", "1"]);
    assert_eq!(header(&given, "cookie"), [" z=1 ;;a;  z=2; b=\"é\""]);
}

#[test]
fn changes_to_duplicates_follow_the_documented_rule() {
    let mut event = event(
        "GET",
        "/",
        &[("a", "1"), ("a", "2"), ("cookie", "c=1; d; c=2=3")],
    );
    event.query = "q=1&q=2&r=%20";
    let changed = |body: &str| {
        let request = request(
            &format!("const r = event.request; {body} return r;"),
            &event,
        );
        let lines = [
            header(&request, "a").join(","),
            header(&request, "cookie").join(","),
        ];
        (lines, request.query)
    };
    let lines = |a: &str, c: &str, q: &str| ([a.to_owned(), c.to_owned()], q.to_owned());
    let firsts = "r.headers.a.value = '9'; r.cookies.c.value = '9'; r.querystring.q.value = '9';";
    assert_eq!(
        changed(firsts),
        lines("9,2", "c=9; c=2=3; d=", "q=9&q=2&r=%20")
    );
    let lists = "r.headers.a.multiValue.pop(); r.headers.a.value = '9'; \
        r.cookies.c.multiValue[1].value = '8'; delete r.querystring.q;";
    assert_eq!(changed(lists), lines("1", "c=1; c=8; d=", "r=%20"));
    assert_eq!(
        changed("r.headers = {}; r.cookies = {}; r.querystring = {};"),
        lines("", "", "")
    );
}

#[test]
fn a_function_can_return_a_response() {
    let respond = |body: &str| match run(body, &event("GET", "/", &[])) {
        Ok(Outcome::Response(response)) => response,
        other => panic!("{other:?}"),
    };
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let full = "return { statusCode: 302, statusDescription: 'Found', \
        headers: { location: { value: '/x' } }, \
        cookies: { a: { value: '1', attributes: 'Path=/; Secure' }, b: { value: '2' } }, \
        body: { encoding: 'base64', data: 'aGk=' } };";
    let headers = vec![
        line("location", "/x"),
        line("set-cookie", "a=1; Path=/; Secure"),
        line("set-cookie", "b=2"),
    ];
    let expected = Response {
        status: 302,
        headers,
        body: b"hi".to_vec(),
    };
    assert_eq!(respond(full), expected);
    for body in ["'hi'", "{ encoding: 'text', data: 'hi' }"] {
        let response = respond(&format!("return {{ statusCode: 200, body: {body} }};"));
        assert_eq!((response.status, response.body), (200, b"hi".to_vec()));
    }
}

#[test]
fn the_runtime_hashes_as_documented() {
    let hashed = |expression: &str| {
        let body = format!(
            "const c = require('crypto'); console.log('a', 1, event); \
             return {{ statusCode: 200, body: c.{expression} }};"
        );
        match run(&body, &event("GET", "/", &[])) {
            Ok(Outcome::Response(response)) => String::from_utf8(response.body).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    // FIPS 180-2, appendix B.1, and RFC 4231, section 4.3.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(
        hashed("createHash('sha256').update('ab').update('c').digest('hex')"),
        abc
    );
    let mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    let keyed = "createHmac('sha256', 'Jefe').update('what do ya want ').update('for nothing?')";
    assert_eq!(hashed(&format!("{keyed}.digest('hex')")), mac);
    assert_eq!(
        hashed(&format!("{keyed}.digest('base64')"))
            .replace('+', "-")
            .replace('/', "_"),
        format!("{}=", hashed(&format!("{keyed}.digest('base64url')")))
    );
    for refused in [
        "createHash('md5').digest('hex')",
        "createHash('sha256').digest()",
    ] {
        assert!(matches!(
            thrown(&format!("require('crypto').{refused}")),
            FunctionError::Thrown(_)
        ));
    }
}

#[test]
fn the_host_waits_for_an_asynchronous_handler() {
    let source = "async function handler(event) { \
        event.request.uri = await Promise.resolve('/later'); return event.request; }";
    let event = event("GET", "/", &[]);
    assert_eq!(forwarded(&function(source), &event).uri, "/later");
    let source = "async function handler() { throw new Error('late'); }";
    let error = function(source).run(&event).unwrap_err();
    assert!(matches!(error, FunctionError::Thrown(why) if why.contains("late")));
}

#[test]
fn a_function_runs_on_many_threads_and_a_thread_runs_many_functions() {
    let shared = function(SOURCE);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let function = shared.clone();
            std::thread::spawn(move || forwarded(&function, &event("GET", "/", &[])).uri)
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), "/");
    }
    let functions = ["/a", "/b", "/c"].map(|uri| {
        (
            uri,
            function(&format!(
                "function handler(e) {{ e.request.uri = '{uri}'; return e.request; }}"
            )),
        )
    });
    for (uri, function) in functions.iter().chain(&functions) {
        assert_eq!(forwarded(function, &event("GET", "/", &[])).uri, *uri);
    }
}

#[test]
fn names_of_built_in_properties_are_ordinary_names() {
    let headers = [
        ("__proto__", "1"),
        ("constructor", "2"),
        ("cookie", "__proto__=3; hasOwnProperty=4"),
    ];
    let event = Event {
        headers: headers
            .map(|(name, value)| (name, Cow::Borrowed(value)))
            .to_vec(),
        ..event("GET", "/", &[])
    };
    let request = forwarded(&function(SOURCE), &event);
    assert_eq!(header(&request, "__proto__"), ["1"]);
    assert_eq!(header(&request, "constructor"), ["2"]);
    assert_eq!(
        header(&request, "cookie"),
        ["__proto__=3; hasOwnProperty=4"]
    );
}
