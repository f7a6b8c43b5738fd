//! Strangers who guess passwords keep each other out, and not the owner: a browser that has signed in to the
//! account before has a count of its own.

use super::password_resets::{ask, is_live, latest, reset, sign_in};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use edge_crm_tests::{Answer, Client, Product, Record, product_with_table, within_a_minute};
use futures_util::future::join_all;

const COOKIE: &str = "device";
const NEW: &str = "staple battery horse";
const WRONG: &str = "a wrong password";

/// Signs in in this browser.
async fn enter(browser: &Client, email: &str, password: &str) -> Answer {
    let fields = [("email", email), ("password", password)];
    browser.post("sign-in", &fields).await
}

async fn sign_out(browser: &Client) {
    assert_eq!(browser.post("sign-out", &[]).await.status, 200);
}

/// What a stranger does to keep the owner out.
async fn attack(product: &Product, email: &str) {
    let stranger = product.client();
    for _ in 0..6 {
        enter(&stranger, email, WRONG).await;
    }
    let refused = enter(&stranger, email, Client::PASSWORD).await;
    refused.expect(429, "RATE_LIMIT_ERROR");
}

/// A browser with only the device cookie of another.
fn with_device_of(product: &Product, browser: &Client) -> Client {
    let copy = product.client();
    copy.set_cookie(COOKIE, &browser.cookie(COOKIE));
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_do_not_keep_the_owner_out_of_a_browser_that_has_signed_in_before() {
    let product = Product::start();
    let owner = product.sign_up("Acme").await;
    sign_out(&owner).await;
    let second = product.client();
    assert_eq!(
        enter(&second, &owner.email, Client::PASSWORD).await.status,
        200
    );
    sign_out(&second).await;
    within_a_minute(40).await;
    attack(&product, &owner.email).await;
    for browser in [&owner, &second] {
        let entered = enter(browser, &owner.email.to_uppercase(), Client::PASSWORD).await;
        assert_eq!(entered.status, 200, "{entered:?}");
    }
    // As before for everybody else, also with the right password.
    let (_, other) = sign_in(&product, &owner.email, Client::PASSWORD).await;
    other.expect(429, "RATE_LIMIT_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_browser_has_as_many_guesses_as_all_strangers_together() {
    let (product, table) = product_with_table().await;
    let owner = product.sign_up("Acme").await;
    sign_out(&owner).await;
    within_a_minute(40).await;
    // A copy of the cookie is the same browser.
    let copies = [owner.clone(), with_device_of(&product, &owner)];
    for number in 0..5 {
        let wrong = enter(&copies[number % 2], &owner.email, WRONG).await;
        wrong.expect(401, "AUTH_ERROR");
    }
    let refused = enter(&owner, &owner.email, WRONG).await;
    refused.expect(429, "RATE_LIMIT_ERROR");
    assert!(refused.header("retry-after").is_some());
    for browser in &copies {
        let refused = enter(browser, &owner.email, Client::PASSWORD).await;
        refused.expect(429, "RATE_LIMIT_ERROR");
    }
    // Strangers do not feel it.
    for _ in 0..5 {
        let (_, wrong) = sign_in(&product, &owner.email, WRONG).await;
        wrong.expect(401, "AUTH_ERROR");
    }
    for record in table.under("#rate:device") {
        assert!(!format!("{record:?}").contains("@"), "{record:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_guesses_of_a_known_browser_are_counted_before_they_are_checked() {
    let product = Product::start();
    let owner = product.sign_up("Acme").await;
    sign_out(&owner).await;
    within_a_minute(40).await;
    let guesses = (0..20).map(|_| enter(&owner, &owner.email, WRONG));
    let responses = join_all(guesses).await;
    let checked = responses.iter().filter(|one| one.status == 401).count();
    assert!(checked <= 5, "{checked} guesses were checked");
    assert!(responses.iter().all(|one| [401, 429].contains(&one.status)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_this_site_only_lasts_long_and_does_not_show_the_email() {
    let product = Product::start();
    let owner = product.client();
    let fields = [
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", Client::PASSWORD),
        ("organization", "Acme"),
    ];
    let signed_up = owner.post("sign-up", &fields).await;
    let set = signed_up.cookies();
    let cookie = set.iter().find(|cookie| cookie.starts_with("device="));
    let cookie = cookie.expect("a device cookie");
    for part in [
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Max-Age=34560000",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let value = owner.cookie(COOKIE);
    let (text, _) = value.split_once('.').expect("a sealed text");
    let text = BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64");
    let text = String::from_utf8(text).expect("text");
    assert!(!text.contains("ada") && !text.contains("example"), "{text}");
    let signed_out = owner.post("sign-out", &[]).await;
    let changed = |cookie: &String| cookie.starts_with("device=");
    assert!(!signed_out.cookies().iter().any(changed), "{signed_out:?}");
    assert_eq!(owner.cookie(COOKIE), value);
    // It proves nothing else.
    let copy = with_device_of(&product, &owner);
    assert_eq!(copy.get("/t/acme/contacts").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_known_only_to_the_accounts_that_it_has_signed_in_to() {
    let product = Product::start();
    let (ada, eve) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    let both = product.client();
    for email in [&ada.email, &eve.email] {
        assert_eq!(enter(&both, email, Client::PASSWORD).await.status, 200);
        sign_out(&both).await;
    }
    let forged = with_device_of(&product, &ada);
    let cookie = ada.cookie(COOKIE);
    let (text, signature) = cookie.split_once('.').expect("a sealed text");
    let (mine, of_others) = (ada.user.clone(), eve.user.clone());
    let text = BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64");
    let text = String::from_utf8(text)
        .expect("text")
        .replace(&mine, &of_others);
    let text = BASE64_URL_SAFE_NO_PAD.encode(text);
    forged.set_cookie(COOKIE, &format!("{text}.{signature}"));
    sign_out(&ada).await;
    within_a_minute(40).await;
    for email in [&ada.email, &eve.email] {
        attack(&product, email).await;
        let entered = enter(&both, email, Client::PASSWORD).await;
        assert_eq!(entered.status, 200, "{entered:?}");
    }
    for browser in [&ada, &forged] {
        let refused = enter(browser, &eve.email, Client::PASSWORD).await;
        refused.expect(429, "RATE_LIMIT_ERROR");
    }
}

/// A thief of an old cookie must not keep it when the owner changes the password because of the theft.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_makes_the_other_browsers_strangers() {
    let product = Product::start();
    let owner = product.sign_up("Acme").await;
    let (other, _) = sign_in(&product, &owner.email, Client::PASSWORD).await;
    let old = with_device_of(&product, &owner);
    let fields = [("currentPassword", Client::PASSWORD), ("newPassword", NEW)];
    assert_eq!(owner.post("change-password", &fields).await.status, 200);
    sign_out(&owner).await;
    within_a_minute(40).await;
    attack(&product, &owner.email).await;
    for stranger in [&old, &other] {
        let refused = enter(stranger, &owner.email, NEW).await;
        refused.expect(429, "RATE_LIMIT_ERROR");
    }
    // The browser that has changed it stays known.
    let entered = enter(&owner, &owner.email, NEW).await;
    assert_eq!(entered.status, 200, "{entered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_makes_the_other_browsers_strangers() {
    let product = Product::start();
    let owner = product.sign_up("Acme").await;
    let (other, _) = sign_in(&product, &owner.email, Client::PASSWORD).await;
    assert_eq!(owner.post("sign-out-everywhere", &[]).await.status, 200);
    within_a_minute(40).await;
    attack(&product, &owner.email).await;
    let refused = enter(&other, &owner.email, Client::PASSWORD).await;
    refused.expect(429, "RATE_LIMIT_ERROR");
    let entered = enter(&owner, &owner.email, Client::PASSWORD).await;
    assert_eq!(entered.status, 200, "{entered:?}");
}

/// A link from an email is the way in for an owner whose browser is not known, and makes it known.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_and_an_accepted_invitation_make_the_browser_known() {
    let (product, table) = product_with_table().await;
    let owner = product.sign_up("Acme").await;
    let old = with_device_of(&product, &owner);
    let browser = product.client();
    ask(&browser, &owner.email).await;
    within_a_minute(50).await;
    attack(&product, &owner.email).await;
    let done = reset(&browser, &latest(&product, &table), NEW).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(is_live(&browser).await);
    sign_out(&browser).await;
    assert_eq!(enter(&browser, &owner.email, NEW).await.status, 200);
    let refused = enter(&old, &owner.email, NEW).await;
    refused.expect(429, "RATE_LIMIT_ERROR");

    let invited = [("email", "mia@example.com"), ("role", "member")];
    let link = browser.post("invite-member", &invited).await.data();
    let token = link["link"]
        .as_str()
        .and_then(|link| link.split("token=").nth(1));
    let fields = [
        ("token", token.expect("a link")),
        ("name", "Mia"),
        ("password", Client::PASSWORD),
    ];
    let mia = product.client();
    let accepted = mia.post_form("accept-invite", &fields, Some("k")).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    sign_out(&mia).await;
    attack(&product, "mia@example.com").await;
    let entered = enter(&mia, "mia@example.com", Client::PASSWORD).await;
    assert_eq!(entered.status, 200, "{entered:?}");
    // Also what else checks the password: the same request again.
    sign_out(&mia).await;
    let again = mia.post_form("accept-invite", &fields, Some("k")).await;
    assert!(again.is_replayed() && again.status == 200, "{again:?}");
    let stranger = product.client();
    let refused = stranger
        .post_form("accept-invite", &fields, Some("k"))
        .await;
    refused.expect(429, "RATE_LIMIT_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_sign_up_counts_in_its_browser() {
    let product = Product::start();
    let browser = product.client();
    let sign_up = |password: &'static str| {
        let fields = [
            ("name", "Ada"),
            ("email", "ada@example.com"),
            ("password", password),
            ("organization", "Acme"),
        ];
        let browser = browser.clone();
        async move { browser.post_form("sign-up", &fields, Some("k")).await }
    };
    within_a_minute(45).await;
    assert_eq!(sign_up(Client::PASSWORD).await.status, 200);
    sign_out(&browser).await;
    attack(&product, "ada@example.com").await;
    assert!(sign_up(Client::PASSWORD).await.is_replayed());
    sign_out(&browser).await;
    for _ in 0..5 {
        sign_up(WRONG).await.expect(422, "IDEMPOTENCY_ERROR");
    }
    for password in [WRONG, Client::PASSWORD] {
        sign_up(password).await.expect(429, "RATE_LIMIT_ERROR");
        let refused = enter(&browser, "ada@example.com", password).await;
        refused.expect(429, "RATE_LIMIT_ERROR");
    }
}

/// With only a stolen session, a thief can neither keep the owner from a new password nor guess more.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_session_is_no_known_browser() {
    let (product, table) = product_with_table().await;
    let owner = product.sign_up("Acme").await;
    let thief = product.client_with(&owner.token(), "acme");
    within_a_minute(50).await;
    let change = |current: &'static str| [("currentPassword", current), ("newPassword", NEW)];
    for _ in 0..5 {
        let wrong = thief.post("change-password", &change(WRONG)).await;
        wrong.expect(400, "VALIDATION_ERROR");
    }
    let refused = thief.post("change-password", &change(WRONG)).await;
    refused.expect(429, "RATE_LIMIT_ERROR");
    // An invitation of one's own to the same email opens a session without a password.
    let eve = product.sign_up("Beta").await;
    let invited = [("email", owner.email.as_str()), ("role", "member")];
    let link = eve.post("invite-member", &invited).await.data();
    let token = link["link"]
        .as_str()
        .and_then(|link| link.split("token=").nth(1));
    let accepted = [("token", token.expect("a link"))];
    assert_eq!(thief.post("accept-invite", &accepted).await.status, 200);
    assert_eq!(thief.cookie(COOKIE), "");
    let renamed = thief.post("sign-out-everywhere", &[("name", "Eve")]).await;
    assert_eq!((renamed.status, thief.cookie(COOKIE)), (200, String::new()));
    let counted = |record: &Record| record.pk.starts_with("#rate:device:");
    assert!(!table.dump().iter().any(counted), "no browser has guessed");

    assert_eq!(
        enter(&owner, &owner.email, Client::PASSWORD).await.status,
        200
    );
    let thief = product.client_with(&owner.token(), "acme");
    let refused = thief.post("change-password", &change(WRONG)).await;
    refused.expect(429, "RATE_LIMIT_ERROR");
    let changed = owner
        .post("change-password", &change(Client::PASSWORD))
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
}
