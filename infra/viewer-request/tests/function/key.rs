//! Which requests share a cached response, case by case.

use crate::support::*;
use action::Role;
use viewer_request::{Outcome, SOURCE, ViewerRequest};

const PAGE: &str = "/t/acme/contacts";
const PLAIN: Option<&str> = Some("acme|owner|html|");

fn cookie() -> String {
    format!("session={}", signed(KEY))
}

#[test]
fn members_share_by_tenant_role_and_kind_of_response() {
    for (role, name) in [
        (Role::Owner, "owner"),
        (Role::Admin, "admin"),
        (Role::Member, "member"),
        (Role::Viewer, "viewer"),
    ] {
        let token = token("a-1", role).sign(&keys(KEY, None));
        let cookie = format!("session={token}");
        for method in ["GET", "HEAD"] {
            let headers = [("cookie", cookie.as_str()), ("accept", "application/json")];
            let key = shared(&event(method, "/t/a-1/projects", &headers));
            assert_eq!(key, Some(format!("a-1|{name}|json|")));
            let key = shared(&event(method, "/t/a-1/members", &headers[..1]));
            assert_eq!(key, Some(format!("a-1|{name}|html|")));
        }
    }
}

#[test]
fn every_cacheable_path_has_a_shared_key() {
    let longest = "a".repeat(63);
    for tenant in ["acme", "a", "0", "a-b", "a--b", &longest] {
        let token = token(tenant, Role::Viewer).sign(&keys(KEY, None));
        for rest in [
            "contacts".to_owned(),
            "x".to_owned(),
            format!("contacts/{ID}"),
        ] {
            let key = with_cookie(&format!("/t/{tenant}/{rest}"), &format!("session={token}"));
            assert_eq!(key, Some(format!("{tenant}|viewer|html|")));
        }
    }
}

#[test]
fn any_other_path_is_never_shared() {
    let cookie = cookie();
    assert_eq!(with_cookie(PAGE, &cookie).as_deref(), PLAIN);
    for path in [
        "",
        "/",
        "*",
        "/sign-in",
        "/assets/app.css",
        "/actions/create-contact",
        "/t",
        "/t/",
        "/t/acme",
        "/t/acme/",
        "/t/acme/contacts/",
        "/t/acme//contacts",
        "//t/acme/contacts",
        "/t//acme/contacts",
        "/T/acme/contacts",
        "/t/Acme/contacts",
        "/t/acme/Contacts",
        "/t/acme/contacts?",
        "/t/acme/contacts\n",
        "/t/acme/contacts ",
        "/t/acme/contacts;a",
        "/t/acme/contacts2",
        "/t/acme/settings",
        "/t/acme/audit",
        "/t/acme/contacts/new",
        "/t/acme/contacts/0197A3B0-0000-7000-8000-00000000000F",
        "/t/acme/contacts/0197a3b000007000800000000000000f",
        "/t/acme/contacts/0197a3b0-0000-7000-8000-00000000000f/",
        "/t/acme/contacts/0197a3b0-0000-7000-8000-00000000000f/edit",
        "/t/acme/settings/0197a3b0-0000-7000-8000-00000000000f",
        "/t/%61cme/contacts",
        "/t/acme/%63ontacts",
        "/t/acme/contacts%2f",
        "/t/acme%2Fcontacts",
        "/t/./acme/contacts",
        "/t/acme/./contacts",
        "/t/acme/../acme/contacts",
        "/t/acme/contacts/..",
        "/t/acme/contacts/.",
        "/t/ácme/contacts",
        "/t/acme/cоntacts",
        "/t/-acme/contacts",
        "/t/acme-/contacts",
        "https://example.com/t/acme/contacts",
    ] {
        assert_eq!(with_cookie(path, &cookie), None, "{path:?}");
    }
    let long = "a".repeat(64);
    let claims = format!("1.{}.{long}.{ID}.owner.{}", "s".repeat(43), now() + 60);
    let cookie = format!("session={}", sign(&claims, KEY));
    assert_eq!(with_cookie(&format!("/t/{long}/contacts"), &cookie), None);
}

#[test]
fn any_other_method_is_never_shared() {
    let cookie = cookie();
    for method in [
        "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "Head", "",
    ] {
        let event = event(method, PAGE, &[("cookie", &cookie)]);
        assert_eq!(shared(&event), None, "{method}");
    }
}

#[test]
fn a_token_of_another_organisation_is_never_shared() {
    assert_eq!(with_cookie("/t/acme-2/contacts", &cookie()), None);
    assert_eq!(with_cookie("/t/acm/contacts", &cookie()), None);
}

#[test]
fn a_token_is_valid_until_it_expires() {
    let expiring = |expires: i64| {
        let mut token = token("acme", Role::Owner);
        token.expires = expires;
        with_cookie(PAGE, &format!("session={}", token.sign(&keys(KEY, None))))
    };
    assert_eq!(expiring(now() + 5).as_deref(), PLAIN);
    for expires in [now(), now() - 1, 1, 0, -1, i64::MIN, i64::MAX] {
        assert_eq!(expiring(expires), None, "{expires}");
    }
}

#[test]
fn signed_claims_of_another_form_are_never_shared() {
    let secret = "s".repeat(43);
    let later = now() + 60;
    let good = format!("1.{secret}.acme.{ID}.owner.{later}");
    let share = |claims: &str| with_cookie(PAGE, &format!("session={}", sign(claims, KEY)));
    assert_eq!(share(&good).as_deref(), PLAIN);
    for claims in [
        format!("2.{secret}.acme.{ID}.owner.{later}"),
        format!("01.{secret}.acme.{ID}.owner.{later}"),
        format!("1..acme.{ID}.owner.{later}"),
        format!("1.{secret}a.acme.{ID}.owner.{later}"),
        format!("1.{secret}.acme.me.owner.{later}"),
        format!("1.{secret}.acme.{ID}.root.{later}"),
        format!("1.{secret}.acme.{ID}.Owner.{later}"),
        format!("1.{secret}.acme.{ID}.owner|x.{later}"),
        format!("1.{secret}.acme.{ID}..{later}"),
        format!("1.{secret}.acme.{ID}.owner.+{later}"),
        format!("1.{secret}.acme.{ID}.owner.0{later}"),
        format!("1.{secret}.acme.{ID}.owner.{later}e9"),
        format!("1.{secret}.acme.{ID}.owner.Infinity"),
        format!("1.{secret}.acme.{ID}.owner."),
        format!("{good}.{later}"),
        format!(" {good}"),
        "1".to_owned(),
        String::new(),
    ] {
        assert_eq!(share(&claims), None, "{claims}");
    }
}

#[test]
fn a_changed_claim_is_never_shared() {
    let token = signed(KEY);
    let member = token.replace(".owner.", ".member.");
    assert_eq!(with_cookie(PAGE, &format!("session={member}")), None);
    let other = token.replace(".acme.", ".other.");
    assert_eq!(
        with_cookie("/t/other/contacts", &format!("session={other}")),
        None
    );
}

#[test]
fn the_last_character_of_the_signature_must_be_exact() {
    let token = signed(KEY);
    let (rest, last) = token.split_at(token.len() - 1);
    for other in ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain("-_=".chars())
    {
        let key = with_cookie(PAGE, &format!("session={rest}{other}"));
        assert_eq!(key.is_some(), last == other.to_string(), "{other}");
    }
    for token in [rest.to_owned(), format!("{token}="), format!("{token}A")] {
        assert_eq!(with_cookie(PAGE, &format!("session={token}")), None);
    }
}

#[test]
fn the_session_cookie_must_occur_exactly_once_under_its_name() {
    let token = signed(KEY);
    let other = signed(KEY);
    for cookie in [
        format!("session={token}"),
        format!("a=b; session={token}; c=d"),
        format!("  session={token}  ;"),
        format!("fresh=short; session={token}"),
    ] {
        assert_eq!(with_cookie(PAGE, &cookie).as_deref(), PLAIN, "{cookie}");
    }
    for cookie in [
        format!("session={token}; session={token}"),
        format!("session={token}; session={other}"),
        format!("session=; session={token}"),
        format!("session; session={token}"),
        format!("__Host-session={token}"),
        format!("SESSION={token}"),
        format!("sessions={token}"),
        format!("session =={token}"),
        format!("session=\"{token}\""),
        format!("session={token}é"),
        format!("session=%31{}", &token[1..]),
        format!("session={}", "a".repeat(15_000)),
        format!("session={token}{}", ".a".repeat(5_000)),
        "session=".to_owned(),
        "__proto__=1; constructor=2".to_owned(),
        String::new(),
    ] {
        assert_eq!(with_cookie(PAGE, &cookie), None, "{cookie}");
    }
    let twice = [("cookie", cookie()), ("cookie", format!("session={token}"))];
    let twice = twice
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    assert_eq!(shared(&event("GET", PAGE, &twice)), None);
}

#[test]
fn the_deployed_cookie_is_found_whether_or_not_names_keep_their_case() {
    let function = ViewerRequest::new(SOURCE, &settings("__Host-session", None)).unwrap();
    let share = |cookie: String| shared_by(&function, &event("GET", PAGE, &[("cookie", &cookie)]));
    let token = signed(KEY);
    for name in ["__Host-session", "__host-session"] {
        assert_eq!(share(format!("{name}={token}")).as_deref(), PLAIN);
    }
    assert_eq!(share(format!("session={token}")), None);
    // The cookie that the origin reads decides, not the other one.
    assert_eq!(
        share(format!("__Host-session=1; __host-session={token}")),
        None
    );
}

#[test]
fn a_fresh_cookie_gives_its_user_a_separate_key() {
    let fresh = "ABCDEFGHIJKLMNOPQRS-_0";
    let session = cookie();
    let share = |more: &str| with_cookie(PAGE, &format!("{session}; {more}"));
    let key = format!("acme|owner|html|{fresh}");
    assert_eq!(share(&format!("fresh={fresh}")), Some(key));
    for ignored in [
        "",
        "short",
        "ABCDEFGHIJKLMNOPQRS|_0",
        "ABCDEFGHIJKLMNOPQRSTUVW",
    ] {
        assert_eq!(share(&format!("fresh={ignored}")).as_deref(), PLAIN);
    }
    assert_eq!(share(&format!("fresh={fresh}; fresh={fresh}")), None);
    assert_eq!(share("fresh=; fresh=short"), None);
}

#[test]
fn an_unusual_content_type_or_a_second_accept_is_never_shared() {
    let cookie = cookie();
    let plain = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        shared(&event("GET", PAGE, &plain)).as_deref(),
        Some("acme|owner|json|")
    );
    for more in [
        vec![("content-type", "text/html")],
        vec![("content-type", "")],
        vec![
            ("content-type", "application/json"),
            ("content-type", "application/json"),
        ],
        vec![("accept", "text/html"), ("accept", "application/json")],
    ] {
        let headers: Vec<_> = [("cookie", cookie.as_str())]
            .into_iter()
            .chain(more)
            .collect();
        assert_eq!(shared(&event("GET", PAGE, &headers)), None, "{headers:?}");
    }
}

#[test]
fn only_the_current_and_the_previous_key_are_accepted() {
    for (key, shares) in [(KEY, true), (PREVIOUS, true), (&"x".repeat(64), false)] {
        let key = with_cookie(PAGE, &format!("session={}", signed(key)));
        assert_eq!(key.is_some(), shares);
    }
}

#[test]
fn a_client_cannot_set_the_edges_headers() {
    let forged: Vec<_> = [
        "x-crm-key",
        "x-crm-key",
        "X-Crm-Key",
        "x-crm-secret",
        "X-CRM-SECRET",
        "x-crm-domain",
        "x-crm-distribution",
        "x-Crm-Viewer-Ip",
        "x-crm-viewer-ip",
        "x-crm-",
        "x-crm-anything",
    ]
    .map(|name| (name, "acme|owner|html|"))
    .into_iter()
    .chain([
        ("x-crm", "kept"),
        ("x-crmkey", "kept"),
        ("a", "1"),
        ("a", "2"),
    ])
    .collect();
    let function = ViewerRequest::new(SOURCE, &settings("session", None)).unwrap();
    let request = forwarded(&function, &event("GET", "/", &forged));
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        request.headers,
        [
            line("a", "1"),
            line("a", "2"),
            line("x-crm", "kept"),
            line("x-crm-distribution", "EDFDVBD6EXAMPLE"),
            line("x-crm-domain", "d111111abcdef8.cloudfront.net"),
            line("x-crm-key", REQUEST_ID),
            line("x-crm-secret", ORIGIN),
            line("x-crm-viewer-ip", "198.51.100.11"),
            line("x-crmkey", "kept"),
        ]
    );
}

#[test]
fn a_request_without_an_id_is_refused() {
    let function = ViewerRequest::new(SOURCE, &settings("session", None)).unwrap();
    let mut event = event("GET", PAGE, &[]);
    event.request_id = "";
    match function.run(&event) {
        Ok(Outcome::Response(response)) => assert_eq!(response.status, 503),
        other => panic!("{other:?}"),
    }
}
