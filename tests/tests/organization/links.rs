//! Links into another organisation of the user, and of strangers. They come from emails and colleagues, so
//! they do not know which organisation the browser is in.

use edge_crm_tests::people::PASSWORD;
use edge_crm_tests::world::{Response, World};
use edge_crm_tests::{Client, Product, Table, hidden, product_with_table};
use http_body_util::Full;
use hyper::Request;
use serde_json::json;

/// The owner of Acme, who is also a member of Beta, in a session of Acme; and the owner of Beta.
async fn in_two() -> (Product, Table, Client, Client) {
    let (product, table) = product_with_table().await;
    let (acme, beta) = (
        product.sign_up("Acme").await,
        product.sign_up("Beta & Söhne").await,
    );
    let invited = [("email", acme.email.as_str()), ("role", "member")];
    let link = beta.post("invite-member", &invited).await.data();
    let token = link["link"]
        .as_str()
        .and_then(|link| link.split("token=").nth(1));
    let fields = [("token", token.expect("a link"))];
    assert_eq!(acme.post("accept-invite", &fields).await.status, 200);
    let back = acme
        .post("switch-organization", &[("tenant", "acme")])
        .await;
    assert_eq!(back.status, 200);
    (product, table, acme, beta)
}

fn form(page: &str) -> Vec<(&'static str, String)> {
    ["tenant", "return_to", "for_user", "idempotency_key"]
        .map(|name| {
            let value = hidden(page, name).unwrap_or_else(|| panic!("no {name}: {page}"));
            let value = value.replace("&#38;", "&").replace("&amp;", "&");
            (name, value)
        })
        .into()
}

fn borrowed<'a>(form: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    form.iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_into_another_organisation_offers_to_switch_and_leads_there() {
    let (_product, _table, ada, beta) = in_two().await;
    let contact = beta.create("Zoë", "zoe@example.com").await;
    let tenant = beta.tenant.clone();
    let id = contact["id"].as_str().expect("an id");
    for path in [
        format!("/t/{tenant}/contacts"),
        format!("/t/{tenant}/contacts?q=zo%C3%AB"),
        format!("/t/{tenant}/contacts/{id}"),
        format!("/t/{tenant}/contacts/{id}/edit"),
        format!("/t/{tenant}/contacts/new"),
        format!("/t/{tenant}/contacts/trash"),
        format!("/t/{tenant}/projects"),
        format!("/t/{tenant}/members"),
        format!("/t/{tenant}/settings"),
    ] {
        let page = ada.page(&path).await;
        assert_eq!(page.status, 403, "{path}: {page:?}");
        assert_eq!(page.header("cache-control"), Some("private, no-store"));
        for words in ["Switch organization", "Beta &#38; Söhne", "Sign out"] {
            assert!(page.text.contains(words), "{words}: {page:?}");
        }
        assert!(!page.text.contains("Sign in<"), "{page:?}");
        assert!(!page.text.contains("Zoë"), "{page:?}");
        let switched = ada
            .submit("switch-organization", &borrowed(&form(&page.text)))
            .await;
        assert_eq!(switched.status, 303, "{switched:?}");
        assert_eq!(switched.header("location"), Some(path.as_str()));
        let landed = ada.page(&path).await;
        assert_eq!(landed.status, 200, "{path}: {landed:?}");
        assert!(landed.text.contains(&format!("/t/{tenant}/contacts")));
        let back = ada.post("switch-organization", &[("tenant", "acme")]).await;
        assert_eq!(back.status, 200);
    }
    // A download would leave the browser on the page before it.
    let page = ada
        .page(&format!("/t/{tenant}/audit.csv?action=sign-up"))
        .await;
    let path = format!("/t/{tenant}/audit?action=sign-up");
    assert_eq!(form(&page.text)[1].1, path);
    // A program gets what it always got.
    let json = ada.get(&format!("/t/{tenant}/contacts")).await;
    json.expect(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_after_switching_is_one_of_that_organisation() {
    let (_product, _table, ada, beta) = in_two().await;
    let tenant = beta.tenant.clone();
    let home = format!("/t/{tenant}/contacts");
    for path in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/t/acme/contacts",
        "/sign-in",
        "javascript:alert(1)",
        &format!("/t/{tenant}/../acme/contacts"),
        &format!("/t/{tenant}/%2e%2e/acme/contacts"),
        &format!("/t/{tenant}x/contacts"),
        &format!("/t/{tenant}/a\r\nSet-Cookie: a=b"),
        "",
    ] {
        let fields = [("tenant", tenant.as_str()), ("return_to", path)];
        let switched = ada.submit("switch-organization", &fields).await;
        assert_eq!(switched.status, 303, "{path}: {switched:?}");
        assert_eq!(switched.header("location"), Some(home.as_str()), "{path}");
        assert!(
            switched
                .header("set-cookie")
                .is_some_and(|cookie| !cookie.starts_with("a="))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_on_the_switch_lands_on_the_page_too() {
    let (_product, _table, ada, beta) = in_two().await;
    let path = format!("/t/{}/members", beta.tenant);
    let fields = form(&ada.page(&path).await.text);
    let fields = borrowed(&fields);
    let clicks = [(), ()].map(|()| ada.submit("switch-organization", &fields));
    for click in futures_util::future::join_all(clicks).await {
        assert_eq!(click.status, 303, "{click:?}");
        assert_eq!(click.header("location"), Some(path.as_str()));
    }
    assert_eq!(ada.page(&path).await.status, 200);
}

/// The response without what differs for each request, and with another slug in the place of its own.
fn essence(response: &Response, slug: &str) -> (u16, Vec<(String, String)>, String) {
    let headers = response.headers.iter();
    let headers = headers
        .filter(|(name, _)| !["x-request-id", "x-amz-cf-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| {
            (
                name.to_string(),
                value.to_str().unwrap_or_default().to_owned(),
            )
        });
    let id = response.header("x-request-id");
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    (
        response.status,
        headers,
        response.text.replace(id, "id").replace(slug, "slug"),
    )
}

/// Whoever is not a member, or only invited, cannot tell an organisation from none.
#[tokio::test]
async fn a_stranger_cannot_tell_an_organisation_from_none() {
    let world = World::start().await;
    let (ada, beta) = (world.sign_up("Acme").await, world.sign_up("Beta").await);
    let invited = world.sign_up("Gamma").await;
    let email = world.member("gamma", &invited.user())["email"].clone();
    world
        .invite(&beta, email.as_str().expect("an email"), "admin")
        .await;
    let (gone, gone_email) = world.joined(&beta, "member").await;
    let token = world.invitation(&ada, &gone_email, "member").await;
    let mut gone = gone;
    let joined = world.accept(&gone, &token, PASSWORD).await;
    assert_eq!(joined.status, 200, "{joined:?}");
    gone.learn(&joined);
    gone.tenant = "acme".to_owned();
    let removal = json!({ "userId": gone.user() });
    assert_eq!(
        world.act(&beta, "remove-member", &removal).await.status,
        200
    );
    for person in [&ada, &invited, &gone] {
        for rest in [
            "contacts",
            "contacts/new",
            "settings",
            "audit.csv",
            "contacts?q=x",
        ] {
            for accept in ["text/html", "application/json"] {
                let mut seen = Vec::new();
                for slug in ["beta", "none"] {
                    let request = person.get(&format!("/t/{slug}/{rest}"), accept);
                    let response = world.send(request).await;
                    assert_eq!(response.status, 404, "{rest}: {response:?}");
                    seen.push(essence(&response, slug));
                }
                assert_eq!(seen[0], seen[1], "{rest} {accept}");
            }
        }
    }
}

/// The reads, and so the time, are the same.
#[tokio::test]
async fn a_stranger_causes_the_same_reads_as_nobody() {
    let inside = edge_crm_tests::inside::Inside::start().await;
    let (ada, _) = inside.sign_up("Acme").await;
    inside.sign_up("Beta").await;
    let list = edge_crm_tests::runner(std::sync::Arc::clone(&inside.app), "list-contacts");
    let mut seen = Vec::new();
    for slug in ["beta", "none"] {
        let mut event =
            edge_crm_tests::inside::event("GET", &format!("/t/{slug}/contacts"), &ada, "");
        event["headers"] = json!({ "accept": "text/html" });
        inside.proxy.spent();
        inside.proxy.calls();
        let response = edge_crm_tests::inside::invoke(&list, &event).await;
        assert_eq!(response.status, 404, "{response:?}");
        let units: Vec<_> = inside
            .proxy
            .spent()
            .iter()
            .map(|call| call.call.clone())
            .collect();
        seen.push((inside.proxy.calls(), units));
    }
    assert_eq!(seen[0], seen[1]);
}

/// The edge keeps neither the offer nor the 404.
#[tokio::test]
async fn the_offer_to_switch_is_never_cached() {
    let world = World::start().await;
    let (ada, beta) = (world.sign_up("Acme").await, world.sign_up("Beta").await);
    let email = world.member("acme", &ada.user())["email"].clone();
    let token = world
        .invitation(&beta, email.as_str().expect("an email"), "member")
        .await;
    let accepted = world.accept(&ada, &token, PASSWORD).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    for _ in 0..3 {
        let link = world.send(ada.get("/t/beta/contacts", "text/html")).await;
        assert_eq!((link.status, link.is_hit()), (403, false), "{link:?}");
        assert_eq!(link.header("cache-control"), "private, no-store");
        assert_eq!(link.header("cache-tag"), "");
        let own = world.send(beta.get("/t/beta/contacts", "text/html")).await;
        assert_eq!(own.status, 200);
        assert!(!own.text.contains("Switch organization"));
        let stranger = Request::get("/t/beta/contacts")
            .header("accept", "text/html")
            .body(Full::default())
            .expect("a request");
        assert_eq!(world.send(stranger).await.status, 303);
    }
}
