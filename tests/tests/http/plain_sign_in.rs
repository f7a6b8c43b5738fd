//! Sign-up, sign-in and sign-out without scripts, and the redirect back to the page that the user
//! wanted.

use edge_crm_tests::{Client, Exchange, Product};
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_redirects_to_the_page_that_the_user_wanted() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let stranger = product.client();
    let wanted = "/t/acme/contacts?q=a%20b&after=";
    let led = stranger.page(wanted).await;
    let location = led.header("location").expect("a location").to_owned();
    assert!(
        led.status == 303 && location.starts_with("/sign-in?return_to="),
        "{location}"
    );
    let form = stranger.page(&location).await;
    let return_to = form
        .hidden("return_to")
        .expect("the path to return to")
        .replace("&#38;", "&");
    assert_eq!(return_to, wanted);
    let fields = [
        ("email", acme.email.as_str()),
        ("password", Client::PASSWORD),
        ("return_to", &return_to),
    ];
    let entered = stranger.submit("sign-in", &fields).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, Some(wanted))
    );
    assert_eq!(stranger.page(wanted).await.status, 200);
    // A signed-in user gets no form.
    assert_eq!(
        stranger.page(&location).await.header("location"),
        Some(wanted)
    );
    assert_eq!(
        stranger.page("/").await.header("location"),
        Some("/t/acme/contacts")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_redirect_leads_to_no_other_site() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let foreign = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "///evil.example",
        "evil.example",
        "http:evil.example",
        "/a\r\nSet-Cookie: x=y",
        " //evil.example",
    ];
    for there in foreign {
        let stranger = product.client();
        let form = stranger
            .request(Method::GET, "/sign-in")
            .query(&[("return_to", there)])
            .answer()
            .await;
        assert!(
            form.status == 200 && form.hidden("return_to").is_none(),
            "{there}: {}",
            form.text
        );
        let fields = [
            ("email", acme.email.as_str()),
            ("password", Client::PASSWORD),
            ("return_to", there),
        ];
        let entered = stranger.submit("sign-in", &fields).await;
        assert_eq!(
            (entered.status, entered.header("location")),
            (303, Some("/t/acme/contacts")),
            "{there:?}"
        );
        let again = acme
            .request(Method::GET, "/sign-in")
            .query(&[("return_to", there)])
            .answer()
            .await;
        assert_eq!(
            again.header("location"),
            Some("/t/acme/contacts"),
            "{there:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_and_sign_out_by_form_redirect() {
    let product = Product::start();
    let client = product.client();
    let form = client.page("/sign-up").await;
    let key = form.hidden("idempotency_key").expect("a key");
    let fields = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", Client::PASSWORD),
        ("organization", "Acme"),
        ("idempotency_key", key.as_str()),
    ];
    let entered = client.submit("sign-up", &fields).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, Some("/t/acme/contacts"))
    );
    assert_eq!(client.page("/t/acme/contacts").await.status, 200);
    let left = client.submit("sign-out", &[]).await;
    assert_eq!(
        (left.status, left.header("location")),
        (303, Some("/sign-in"))
    );
    // The browser's back button shows nothing from its cache.
    assert_eq!(left.header("clear-site-data"), Some("\"cache\""));
    assert_eq!(client.page("/t/acme/contacts").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_never_shown_again() {
    let product = Product::start();
    let client = product.client();
    let secret = "My-Secret-77";
    let fields = [
        ("name", "Ada"),
        ("email", "x"),
        ("password", secret),
        ("organization", ""),
    ];
    let sign_up = client.submit("sign-up", &fields).await;
    assert_eq!(sign_up.status, 400);
    assert!(
        sign_up.text.contains("value=\"Ada\"") && sign_up.text.contains("Organization is required")
    );
    let sign_in = client
        .submit(
            "sign-in",
            &[("email", "ada@example.com"), ("password", secret)],
        )
        .await;
    assert_eq!(sign_in.status, 401);
    assert!(
        sign_in.text.contains("value=\"ada@example.com\"")
            && sign_in.text.contains("Wrong email or password")
    );
    for page in [sign_up, sign_in] {
        assert!(!page.text.contains(secret), "{}", page.text);
        assert!(
            page.text.contains("type=\"password\"")
                && !page.text.contains("type=\"password\" value")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_after_the_session_has_ended_keeps_its_input() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let token = acme.token();
    assert_eq!(acme.post("sign-out", &[]).await.status, 200);
    let late = product.client_with(&token, "acme");
    let fields = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("idempotency_key", "late"),
    ];
    let response = late.submit("create-contact", &fields).await;
    assert_eq!(response.status, 401);
    assert!(
        response.text.contains("Your session has ended") && response.text.contains("value=\"Ada\""),
        "{}",
        response.text
    );
    assert_eq!(response.hidden("idempotency_key").as_deref(), Some("late"));
}
