//! The settings page: a user's name, organisations and sessions.

use edge_crm_tests::{Answer, Client, Exchange, Product, Table, product_with_table};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SETTINGS: &str = "/t/acme/settings";

/// Another session of the same user, opened by a browser with this `User-Agent`.
async fn other_session(product: &Product, email: &str, agent: &str) -> Client {
    let client = product.client();
    let fields = [("email", email), ("password", Client::PASSWORD)];
    let request = client.action("sign-in").header("user-agent", agent);
    assert_eq!(request.form(&fields).answer().await.status, 200);
    client
}

async fn sessions(client: &Client) -> Vec<Value> {
    let settings = client.get(SETTINGS).await.data();
    settings["sessions"].as_array().expect("a list").clone()
}

/// The idempotency keys of a page's forms.
fn keys(page: &str) -> Vec<&str> {
    let fields = page.split("name=\"idempotency_key\" value=\"").skip(1);
    fields.filter_map(|rest| rest.split('"').next()).collect()
}

/// The owner of Acme, who is also a viewer of Beta.
async fn of_two() -> (Product, Table, Client) {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    product.sign_up("Beta").await;
    table.add_membership(&acme.email, "beta", "viewer");
    (product, table, acme)
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_show_the_users_name_organisations_and_sessions() {
    let (product, table, acme) = of_two().await;
    let long = format!("Browser {}", "x".repeat(300));
    other_session(&product, &acme.email, &long).await;
    let data = acme.get(SETTINGS).await.data();
    let user = json!({ "id": acme.user, "name": "Olive Owner", "email": acme.email });
    assert_eq!(data["user"], user);
    let organizations = json!([
        { "tenant": "acme", "name": "Acme", "current": true },
        { "tenant": "beta", "name": "Beta", "current": false },
    ]);
    assert_eq!(data["organizations"], organizations);
    let sessions = data["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let names: BTreeSet<_> = sessions[0].as_object().unwrap().keys().collect();
    let expected = [
        "address",
        "agent",
        "createdAt",
        "current",
        "id",
        "lastUsedAt",
    ];
    assert!(names.into_iter().eq(expected), "{sessions:?}");
    assert_eq!(
        [&sessions[0]["current"], &sessions[1]["current"]],
        [true, false]
    );
    assert_eq!(sessions[1]["agent"], json!(long[..200]));
    assert_eq!(sessions[1]["address"], "127.0.0.1");
    let opened = sessions[1]["createdAt"].as_str().unwrap();
    assert!(
        opened.starts_with("20") && opened.ends_with('Z'),
        "{opened}"
    );

    let page = acme.page(SETTINGS).await;
    assert_eq!(page.header("cache-control"), Some("private, no-store"));
    for session in table.under("#session:") {
        for text in [&page.text, &data.to_string()] {
            assert!(
                !text.contains(&session.sk),
                "the page shows the hash of a secret"
            );
        }
    }
    for words in [
        "Olive Owner",
        &acme.email,
        "Open now",
        "This one",
        "aria-current=\"page\">Settings",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let keys: BTreeSet<_> = keys(&page.text).into_iter().collect();
    assert_eq!(keys.len(), 6, "each form has its own key: {keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_only_for_users_signed_in_to_that_organisation() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    product
        .client()
        .get(SETTINGS)
        .await
        .expect(401, "AUTH_ERROR");
    acme.get("/t/beta/settings").await.expect(404, "NOT_FOUND");
    let door = product.client().page(SETTINGS).await;
    assert_eq!(
        (door.status, door.header("location")),
        (303, Some("/sign-in?return_to=/t/acme/settings"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_applies_in_every_organisation_at_once() {
    let (_product, table, acme) = of_two().await;
    let before = table.under("beta:members");
    let response = acme
        .post("update-profile", &[("name", " Olive  Other ")])
        .await;
    let user = json!({ "id": acme.user, "name": "Olive  Other", "email": acme.email });
    assert_eq!(response.data(), user);
    let tags = [
        "acme:members".to_owned(),
        format!("acme:members:{}", acme.user),
        "beta:members".to_owned(),
        format!("beta:members:{}", acme.user),
    ];
    assert_eq!(response.json()["revalidated"], json!(tags));
    for tenant in ["acme", "beta"] {
        let members = table.under(&format!("{tenant}:members"));
        let own = members
            .iter()
            .find(|member| member.sk == acme.user)
            .unwrap();
        assert_eq!(own.get("name"), "Olive  Other");
        assert_eq!(own.get("version"), 2);
    }
    let others = |records: Vec<edge_crm_tests::Record>| {
        let others = records.into_iter().filter(|member| member.sk != acme.user);
        others.collect::<Vec<_>>()
    };
    assert_eq!(others(before), others(table.under("beta:members")));
    assert_eq!(acme.get(SETTINGS).await.data()["user"], user);
    assert_eq!(table.audits("update-profile").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_is_shown_again_and_the_other_forms_stay_unchanged() {
    let (_product, table, acme) = of_two().await;
    let key = "a-key-of-ours";
    let saved = table.saved();
    let long = "é".repeat(101);
    let fields = [("name", long.as_str()), ("idempotency_key", key)];
    let page = acme.submit("update-profile", &fields).await;
    assert_eq!(page.status, 400);
    for words in [
        "<title>Error: Settings",
        "Name too long",
        "Open now",
        "This one",
        "Switch to Beta",
        &long,
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert_eq!(page.text.matches("There is a problem").count(), 1);
    let all = keys(&page.text);
    assert_eq!(all.iter().filter(|other| **other == key).count(), 1);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 6);

    let fields = [
        ("currentPassword", "a wrong password"),
        ("newPassword", "another password"),
        ("idempotency_key", key),
    ];
    let page = acme.submit("change-password", &fields).await;
    assert_eq!(page.status, 400);
    for words in ["Wrong password", "value=\"Olive Owner\"", "Switch to Beta"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    for secret in ["a wrong password", "another password"] {
        assert!(!page.text.contains(secret));
    }
    let page = acme.submit("end-session", &[("id", "<b>")]).await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("Session not found or access denied"));
    assert!(!page.text.contains("<b>"));
    assert_eq!(table.saved(), saved);
    let sent = acme
        .submit(
            "update-profile",
            &[("name", "Olive"), ("idempotency_key", key)],
        )
        .await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, Some("/t/acme/settings#profile-updated"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_user_may_end_a_session() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let other = other_session(&product, &acme.email, "Other").await;
    let stranger = product.sign_up("Beta").await;
    let all = sessions(&acme).await;
    let id = |agent: &str| {
        let place = all.iter().find(|place| place["agent"] == agent).unwrap();
        place["id"].as_str().unwrap().to_owned()
    };
    let which = id("Other");
    for (who, id) in [(&stranger, which.as_str()), (&acme, "unknown"), (&acme, "")] {
        let response = who.post("end-session", &[("id", id)]).await;
        response.expect(404, "NOT_FOUND");
        assert_eq!(response.error(), "Session not found or access denied");
    }
    assert_eq!(other.get(SETTINGS).await.status, 200);
    let response = acme.post("end-session", &[("id", &which)]).await;
    assert_eq!(response.data(), json!({}));
    other.get(SETTINGS).await.expect(401, "AUTH_ERROR");
    assert_eq!(sessions(&acme).await.len(), 1);
    let own = sessions(&acme).await[0]["id"].as_str().unwrap().to_owned();
    let response = acme.post("end-session", &[("id", &own)]).await;
    assert_eq!(
        (response.status, response.session().as_deref()),
        (200, Some(""))
    );
    acme.get(SETTINGS).await.expect(401, "AUTH_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_out_everywhere_ends_all_sessions_of_the_user_and_no_others() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let (token, stranger) = (acme.token(), product.sign_up("Beta").await);
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(other_session(&product, &acme.email, "Other").await);
    }
    let response = acme.post("sign-out-everywhere", &[]).await;
    assert_eq!(
        (response.data(), response.session().as_deref()),
        (json!({}), Some(""))
    );
    others.push(product.client_with(&token, "acme"));
    for other in &others {
        other.get(SETTINGS).await.expect(401, "AUTH_ERROR");
        let fields = [("name", "Ada"), ("email", "ada@example.com")];
        let response = other.post("create-contact", &fields).await;
        response.expect(401, "AUTH_ERROR");
    }
    assert_eq!(stranger.get("/t/beta/settings").await.status, 200);
    let again = other_session(&product, &acme.email, "Again").await;
    assert_eq!(
        sessions(&again).await.len(),
        1,
        "the ended sessions are gone"
    );
    let response = again.post("sign-out-everywhere", &[]).await;
    assert_eq!(response.status, 200);
    other_session(&product, &acme.email, "Again").await;
}

async fn switch(client: &Client, tenant: &str) -> Answer {
    client
        .post("switch-organization", &[("tenant", tenant)])
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_leads_to_another_organisation_of_the_user() {
    let (product, table, acme) = of_two().await;
    let before = acme.token();
    let response = switch(&acme, "beta").await;
    let user = json!({ "id": acme.user, "name": "Olive Owner", "email": acme.email });
    let expected = json!({ "user": user, "tenant": "beta", "role": "viewer" });
    assert_eq!(response.data(), expected);
    assert_eq!(acme.get("/t/beta/contacts").await.status, 200);
    let fields = [("name", "Ada"), ("email", "ada@example.com")];
    let response = acme.post("create-contact", &fields).await;
    response.expect(403, "AUTH_ERROR");
    acme.get("/t/acme/contacts").await.expect(404, "NOT_FOUND");
    // The old session stays for a minute, for a second copy of the request, and then ends.
    let mut sessions = table.under(&format!("#session:{}", acme.user));
    sessions.retain(|session| session.get("replaced") == true);
    let left = sessions[0].get("expires_at").as_i64().expect("a time") - edge_crm_tests::now();
    assert!((0..=60).contains(&left), "{left}");
    let mut over = sessions[0].item();
    over.insert("expires_at".to_owned(), json!(edge_crm_tests::now()));
    table.put(&sessions[0].pk, &sessions[0].sk, &Value::Object(over));
    let old = product.client_with(&before, "acme");
    old.get("/t/acme/contacts").await.expect(401, "AUTH_ERROR");
    let page = acme.page("/t/beta/settings").await.text;
    assert!(page.contains("Switch to Acme"), "{page}");
    let sent = acme
        .submit("switch-organization", &[("tenant", "acme")])
        .await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, Some("/t/acme/contacts"))
    );
    assert_eq!(acme.get("/t/acme/contacts").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_opens_the_organisation_that_the_user_wanted() {
    let (product, _table, acme) = of_two().await;
    product.sign_up("Gamma").await;
    for (wanted, opened) in [
        ("/t/beta/contacts?q=a", "beta"),
        ("/t/beta", "beta"),
        ("/t/acme/contacts", "acme"),
        ("/", "acme"),
        ("", "acme"),
        // A foreign or unknown organisation is ignored.
        ("/t/gamma/contacts", "acme"),
        ("/t/unknown/contacts", "acme"),
        ("//t/beta/contacts", "acme"),
    ] {
        let client = product.client();
        let fields = [
            ("email", acme.email.as_str()),
            ("password", Client::PASSWORD),
            ("return_to", wanted),
        ];
        let entered = client.post("sign-in", &fields).await.data();
        assert_eq!(entered["tenant"], opened, "{wanted}");
        let settings = client.get(&format!("/t/{opened}/settings")).await;
        assert_eq!(settings.status, 200, "{wanted}");
    }
    let client = product.client();
    let fields = [
        ("email", acme.email.as_str()),
        ("password", Client::PASSWORD),
        ("return_to", "/t/beta/contacts"),
    ];
    let entered = client.submit("sign-in", &fields).await;
    assert_eq!(entered.header("location"), Some("/t/beta/contacts"));
    let page = client.page("/t/beta/contacts").await;
    assert_eq!(page.status, 200, "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_on_switch_is_one_switch_and_leaves_a_session() {
    let (product, table, acme) = of_two().await;
    let before = acme.token();
    let fields = [("tenant", "beta"), ("idempotency_key", "switch")];
    let first = acme.post("switch-organization", &fields).await.data();
    let twin = product.client_with(&before, "acme");
    let second = twin.post("switch-organization", &fields).await;
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.data(), first);
    assert_eq!(twin.get("/t/beta/contacts").await.status, 200);
    assert_eq!(table.audits("switch-organization").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_and_unknown_organisations_get_the_same_refusal() {
    let (product, table, acme) = of_two().await;
    product.sign_up("Gamma").await;
    table.remove("beta:members", &acme.user);
    let saved = table.saved();
    let mut responses = Vec::new();
    for tenant in ["gamma", "unknown", "beta", "", "No Slug!"] {
        let response = switch(&acme, tenant).await;
        assert_eq!(response.session(), None);
        assert_eq!(response.error(), "Organization not found or access denied");
        responses.push(response.without_request_id());
    }
    assert!(
        responses
            .iter()
            .all(|response| *response == responses[0] && response.0 == 404)
    );
    assert_eq!(table.saved(), saved);
    assert_eq!(
        acme.get(SETTINGS).await.data()["organizations"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let unsigned = product
        .client()
        .own(Method::POST, "/actions/switch-organization");
    unsigned.answer().await.expect(401, "AUTH_ERROR");
}

/// The new session relies on the old one, so it must not outlive it.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_during_a_switch_opens_no_other_organisation() {
    let (product, _table, acme) = of_two().await;
    for _ in 0..12 {
        let moving = other_session(&product, &acme.email, "Moving").await;
        let ending = other_session(&product, &acme.email, "Ending").await;
        let (switched, ended) = tokio::join!(
            switch(&moving, "beta"),
            ending.post("sign-out-everywhere", &[])
        );
        assert_eq!(ended.status, 200, "{ended:?}");
        assert!([200, 401].contains(&switched.status), "{switched:?}");
        for path in [SETTINGS, "/t/beta/settings"] {
            moving.get(path).await.expect(401, "AUTH_ERROR");
        }
    }
}
