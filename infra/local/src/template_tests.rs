use super::*;
use std::collections::BTreeSet;

fn product() -> Template {
    Template::parse(crate::TEMPLATE).unwrap()
}

fn target<'a>(template: &'a Template, path: &str) -> &'a str {
    template.routes.target(path).function()
}

#[test]
fn each_action_has_its_own_function() {
    let template = product();
    let is_view = |name: &str| {
        ["list-", "get-"].iter().any(|verb| name.starts_with(verb))
            || ["audit", "pages", "settings"].contains(&name)
    };
    for name in template.served.iter().filter(|name| !is_view(name)) {
        assert_eq!(target(&template, &format!("/actions/{name}")), name);
    }
    assert_eq!(target(&template, "/actions/unknown"), "pages");
}

#[test]
fn uncached_pages_have_priority_over_the_cached_views() {
    let template = product();
    let expected = [
        ("/t/acme/contacts", "list-contacts"),
        ("/t/acme/audit", "audit"),
        ("/t/acme/audit.csv", "audit"),
        (
            "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001",
            "get-contact",
        ),
        ("/t/acme/contacts/new", "pages"),
        ("/t/acme/contacts/trash", "pages"),
        ("/t/acme/projects", "list-projects"),
        ("/t/acme/projects/new", "pages"),
        (
            "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001/edit",
            "pages",
        ),
        (
            "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001/delete",
            "pages",
        ),
        ("/t/acme/settings", "settings"),
        ("/t/acme/members", "list-members"),
        ("/t/acme/members/invite", "pages"),
        (
            "/t/acme/members/0198c5d2-7a00-7000-8000-000000000001/edit",
            "pages",
        ),
        ("/sign-in", "pages"),
        ("/accept-invite", "pages"),
        ("/assets/app-0a1b2c.css", "pages"),
        ("/", "pages"),
        ("/no-such-page", "pages"),
    ];
    for (path, function) in expected {
        assert_eq!(target(&template, path), function, "{path}");
    }
}

#[test]
fn every_function_with_a_url_is_reachable() {
    let template = product();
    let reachable: BTreeSet<_> = template.routes.targets().map(Behavior::function).collect();
    let served: BTreeSet<_> = template.served.iter().map(String::as_str).collect();
    assert_eq!(reachable, served);
    let functions: BTreeSet<_> = template.functions.iter().map(String::as_str).collect();
    assert!(served.is_subset(&functions));
}

#[test]
fn only_the_views_are_cached_and_their_key_is_the_edges_header() {
    let template = product();
    for path in ["/t/acme/contacts", "/t/acme/contacts/0198c5d2"] {
        let behavior = template.routes.target(path);
        assert_eq!(behavior.cache.ttl.min, Duration::ZERO);
        assert_eq!(behavior.cache.ttl.default, Duration::ZERO);
        assert_eq!(behavior.cache.ttl.max, Duration::from_secs(300));
        assert!(behavior.cache.key.headers.includes("x-crm-key"));
        assert!(!behavior.cache.key.headers.includes("accept"));
        assert!(behavior.cache.key.queries.includes("q"));
        assert!(!behavior.cache.key.queries.includes("utm_source"));
        assert!(behavior.cache.key.cookies.is_none());
        assert!(behavior.forward.cookies.includes("__Host-session"));
        assert!(!behavior.forward.cookies.includes("fresh"));
    }
    for path in [
        "/",
        "/sign-in",
        "/actions/create-contact",
        "/t/acme/contacts/new",
    ] {
        assert!(template.routes.target(path).cache.ttl.is_zero(), "{path}");
    }
}

#[test]
fn a_request_for_an_asset_has_no_cookies_or_credentials() {
    let template = product();
    let behavior = template.routes.target("/assets/app.css");
    assert!(behavior.forward.cookies.is_none() && behavior.cache.key.cookies.is_none());
    assert!(behavior.forward.headers.includes("accept"));
    assert!(!behavior.forward.headers.includes("authorization"));
}

#[test]
fn every_behaviour_runs_the_function_forwards_its_secret_and_removes_the_tags() {
    let template = product();
    assert_eq!(template.tag_header.as_deref(), Some("cache-tag"));
    for behavior in template.routes.targets() {
        assert!(behavior.runs_function, "{behavior:?}");
        assert!(
            behavior.removed.contains(&"cache-tag".to_owned()),
            "{behavior:?}"
        );
        let forward = &behavior.forward.headers;
        assert!(forward.includes("x-crm-secret"), "{behavior:?}");
        let key = &behavior.cache.key.headers;
        assert!(!key.includes("x-crm-secret"), "{behavior:?}");
    }
}

#[test]
fn no_error_is_cached() {
    let template = product();
    for status in [400, 403, 404, 405, 414, 500, 501, 502, 503, 504] {
        assert_eq!(
            template.errors.get(&status),
            Some(&Duration::ZERO),
            "{status}"
        );
    }
}

#[test]
fn a_reserved_header_name_is_refused() {
    for name in ["x-edge-secret", "X-Amz-Secret", "Host", "x-real-ip"] {
        let header = format!("OriginCustomHeaders: [{{HeaderName: {name}, HeaderValue: x}}]");
        let before = "CustomOriginConfig: {";
        let after = format!("{header}\n            {before}");
        let broken = crate::TEMPLATE.replacen(before, &after, 1);
        let error = Template::parse(&broken).unwrap_err().to_string();
        assert!(error.contains(&format!("no header {name} ")), "{error}");
    }
}

#[test]
fn a_route_without_a_function_is_refused() {
    let broken = crate::TEMPLATE.replace("TargetOriginId: get-contact", "TargetOriginId: nowhere");
    let error = Template::parse(&broken).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template.yaml: origin nowhere is no function's URL"
    );
}
