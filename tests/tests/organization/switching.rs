//! A user in two organisations, and two users of one browser. A form of one organisation is never
//! done in the other, and no user is taken for another.

use edge_crm_tests::{Client, Product, Table, product_with_table};

/// The owner of Acme, who is also an admin of Beta, in a session of Acme.
async fn in_two() -> (Product, Table, Client) {
    let (product, table) = product_with_table().await;
    let (acme, beta) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    let invited = [("email", acme.email.as_str()), ("role", "admin")];
    let link = beta.post("invite-member", &invited).await.data();
    let token = link["link"]
        .as_str()
        .and_then(|link| link.split("token=").nth(1));
    let fields = [("token", token.expect("a link"))];
    assert_eq!(acme.post("accept-invite", &fields).await.status, 200);
    switch(&acme, "acme").await;
    (product, table, acme)
}

async fn switch(client: &Client, tenant: &str) {
    let fields = [("tenant", tenant)];
    assert_eq!(
        client.post("switch-organization", &fields).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_organisation_is_kept_until_the_user_switches_back() {
    let (_product, table, ada) = in_two().await;
    let form = ada.page("/t/acme/contacts/new").await;
    let hidden = |name| form.hidden(name).expect("a hidden field");
    let (key, tenant) = (hidden("idempotency_key"), hidden("for_tenant"));
    assert_eq!(tenant, "acme");
    switch(&ada, "beta").await;
    let fields = [
        ("name", "Eve"),
        ("email", "eve@example.com"),
        ("idempotency_key", &key),
        ("for_tenant", &tenant),
    ];
    let refused = ada.submit("create-contact", &fields).await;
    assert_eq!(refused.status, 403);
    let kept = |name| refused.hidden(name);
    assert_eq!(kept("for_tenant").as_deref(), Some("acme"), "{refused:?}");
    assert_eq!(kept("idempotency_key"), Some(key.clone()));
    for words in ["another of your organizations", "value=\"eve@example.com\""] {
        assert!(refused.text.contains(words), "{refused:?}");
    }
    let again = ada.submit("create-contact", &fields).await;
    assert_eq!(again.status, 403, "a retry is refused too");
    assert!(table.under("beta:contacts").is_empty());

    switch(&ada, "acme").await;
    let sent = ada.submit("create-contact", &fields).await;
    assert_eq!(sent.status, 303, "{sent:?}");
    assert_eq!(table.under("acme:contacts").len(), 1);
    assert!(table.under("beta:contacts").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_to_leave_works_only_in_the_organisation_that_it_names() {
    let (_product, _table, ada) = in_two().await;
    switch(&ada, "beta").await;
    let fields = [("userId", ada.user.as_str()), ("leave", "yes")];
    let form = ada.page("/t/beta/members/leave").await;
    let tenant = form.hidden("for_tenant").expect("a hidden field");
    switch(&ada, "acme").await;
    let elsewhere = [fields[0], fields[1], ("for_tenant", &tenant)];
    let response = ada.post("remove-member", &elsewhere).await;
    response.expect(403, "AUTH_ERROR");
    switch(&ada, "beta").await;
    assert_eq!(ada.post("remove-member", &elsewhere).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_over_another_users_session_is_recorded_for_the_new_user_only() {
    let (product, table) = product_with_table().await;
    let (ada, eve) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    let (ada_id, eve_id) = (ada.user.clone(), eve.user.clone());
    let fields = [
        ("email", eve.email.as_str()),
        ("password", Client::PASSWORD),
    ];
    assert_eq!(ada.post("sign-in", &fields).await.status, 200);
    let record = table.audits("sign-in").remove(0);
    assert_eq!(record.pk, "#audit:beta");
    assert_eq!(record.get("userId"), eve_id.as_str());
    for record in table.under("#audit:beta") {
        assert!(!format!("{record:?}").contains(&ada_id), "{record:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_names_the_role_in_its_own_organisation() {
    let (_product, table, ada) = in_two().await;
    switch(&ada, "beta").await;
    let named = |action: &str| {
        let mut records = table.audits(action);
        records.retain(|record| record.pk == "#audit:beta");
        records.remove(0).get("role")
    };
    assert_eq!(named("accept-invite"), "admin");
    assert_eq!(named("switch-organization"), "admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_session_may_replay_requests_and_do_nothing_new() {
    let (product, table, ada) = in_two().await;
    let to = |tenant| [("tenant", tenant)];
    let first = ada.post("switch-organization", &to("beta")).await;
    let old = product.client_with(&first.session().expect("a session"), "beta");
    let next = ada
        .post_form("switch-organization", &to("acme"), Some("k"))
        .await;
    assert_eq!(next.status, 200, "{next:?}");
    let twin = old
        .post_form("switch-organization", &to("acme"), Some("k"))
        .await;
    assert!(twin.is_replayed() && twin.status == 200, "{twin:?}");
    let old = product.client_with(&first.session().expect("a session"), "beta");
    let eve = [("name", "Eve"), ("email", "eve@example.com")];
    for (action, fields) in [
        ("create-contact", &eve[..]),
        ("switch-organization", &to("acme")),
    ] {
        let refused = old.post_form(action, fields, Some("another")).await;
        refused.expect(401, "AUTH_ERROR");
    }
    assert!(table.under("beta:contacts").is_empty());
    assert_eq!(ada.post("create-contact", &eve).await.status, 200);
}

/// Signing out ends every session that switching has made of the one that the user signed in with.
#[tokio::test(flavor = "multi_thread")]
async fn signing_out_after_a_switch_ends_what_came_before() {
    let (product, table, ada) = in_two().await;
    let to_acme = [("tenant", "acme")];
    let first = ada.post("switch-organization", &[("tenant", "beta")]).await;
    let old = |tenant| product.client_with(&first.session().expect("a session"), tenant);
    let next = ada
        .post_form("switch-organization", &to_acme, Some("k"))
        .await;
    assert_eq!(next.status, 200, "{next:?}");
    // A double click opens another session.
    let twin = old("beta")
        .post_form("switch-organization", &to_acme, Some("k"))
        .await;
    assert_eq!(twin.status, 200, "{twin:?}");
    let twin = product.client_with(&twin.session().expect("a session"), "acme");
    assert_eq!(twin.get("/t/acme/settings").await.status, 200);

    assert_eq!(ada.post("sign-out", &[]).await.status, 200);
    assert_eq!(old("beta").get("/t/beta/settings").await.status, 401);
    assert_eq!(twin.get("/t/acme/settings").await.status, 401);
    let again = old("beta")
        .post_form("switch-organization", &to_acme, Some("k"))
        .await;
    again.expect(401, "AUTH_ERROR");
    let sessions = table.under(&format!("#session:{}", ada.user));
    assert!(sessions.is_empty(), "{sessions:?}");
}

/// Another browser of the same user is another sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn signing_out_leaves_other_browsers_signed_in() {
    let (product, _table, ada) = in_two().await;
    let fields = [
        ("email", ada.email.as_str()),
        ("password", Client::PASSWORD),
    ];
    let other = product.client().post("sign-in", &fields).await;
    let other = product.client_with(&other.session().expect("a session"), "acme");
    ada.post("switch-organization", &[("tenant", "beta")]).await;
    assert_eq!(ada.post("sign-out", &[]).await.status, 200);
    assert_eq!(other.get("/t/acme/settings").await.status, 200);
}

/// With so many sessions, those of one browser are not all known, so signing out ends all.
#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_of_a_user_with_very_many() {
    let (product, table, ada) = in_two().await;
    let own = table.under(&format!("#session:{}", ada.user)).remove(0);
    for number in 0..120 {
        let mut item = serde_json::Value::Object(own.item());
        let hash = format!("{number:043}");
        item["hash"] = serde_json::json!(hash);
        item["id"] = serde_json::json!(format!("0197a3b0-0000-7000-8000-{number:012x}"));
        table.put(&own.pk, &hash, &item);
    }
    let first = ada.post("switch-organization", &[("tenant", "beta")]).await;
    let copy = product.client_with(&first.session().expect("a session"), "beta");
    assert_eq!(copy.get("/t/beta/settings").await.status, 200);
    assert_eq!(ada.post("sign-out", &[]).await.status, 200);
    assert_eq!(copy.get("/t/beta/settings").await.status, 401);
}

/// Leaving signs out, and that ends what came before it too.
#[tokio::test(flavor = "multi_thread")]
async fn leaving_ends_the_other_sessions_of_the_browser() {
    let (product, _table, ada) = in_two().await;
    let first = ada.post("switch-organization", &[("tenant", "acme")]).await;
    let before = product.client_with(&first.session().expect("a session"), "acme");
    ada.post("switch-organization", &[("tenant", "beta")]).await;
    let leave = [("userId", ada.user.as_str()), ("leave", "yes")];
    assert_eq!(ada.post("remove-member", &leave).await.status, 200);
    assert_eq!(before.get("/t/acme/settings").await.status, 401);
}

/// The id of the user's newest session.
async fn newest_session(client: &Client, tenant: &str) -> String {
    let settings = client.get(&format!("/t/{tenant}/settings")).await.data();
    let sessions = settings["sessions"].as_array().cloned().unwrap_or_default();
    let ids = sessions.iter().filter_map(|session| session["id"].as_str());
    ids.max().expect("a session").to_owned()
}

/// What is about the account is the same in every organisation. So it works in a tab from before a switch.
#[tokio::test(flavor = "multi_thread")]
async fn forms_of_the_account_work_in_a_tab_from_before_a_switch() {
    let (product, table, ada) = in_two().await;
    let before = ada.page("/t/acme/settings").await;
    let other = product.sign_in(&ada.email, Client::PASSWORD).await;
    assert_eq!(other.get("/t/acme/settings").await.status, 200);
    let id = newest_session(&ada, "acme").await;
    switch(&ada, "beta").await;
    let after = ada.page("/t/beta/settings").await;
    for (tab, page) in [("before", &before), ("after", &after)] {
        // Every hidden field that the forms of the page have, and one of older pages.
        let user = page.hidden("for_user").expect("a hidden field");
        let hidden = |key: &str| {
            [
                ("for_user", user.clone()),
                ("for_tenant", "acme".to_owned()),
                ("idempotency_key", format!("{tab}-{key}")),
            ]
        };
        let with = |fields: &[(&'static str, &str)], key: &str| {
            let own = fields
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()));
            own.chain(hidden(key)).collect::<Vec<_>>()
        };
        let name = format!("Ada {tab}");
        let sends = [
            (
                "update-profile",
                with(&[("name", &name)], "p"),
                303,
                "/t/beta/settings#profile-updated",
            ),
            (
                "change-password",
                with(
                    &[
                        ("currentPassword", "wrong"),
                        ("newPassword", "staple battery horse"),
                    ],
                    "w",
                ),
                400,
                "",
            ),
            (
                "switch-organization",
                with(&[("tenant", "beta")], "s"),
                303,
                "/t/beta/contacts",
            ),
        ];
        for (action, fields, status, location) in sends {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let sent = ada.submit(action, &fields).await;
            assert_eq!(sent.status, status, "{tab} {action}: {sent:?}");
            if status == 303 {
                assert_eq!(sent.header("location"), Some(location), "{tab} {action}");
            } else {
                assert!(
                    sent.text.contains("Wrong password"),
                    "{tab} {action}: {sent:?}"
                );
                assert_eq!(
                    sent.hidden("for_user"),
                    Some(user.clone()),
                    "{tab} {action}"
                );
            }
        }
        let members = table.under("acme:members");
        assert!(
            members
                .iter()
                .any(|member| member.get("name") == name.as_str()),
            "{tab}"
        );
    }
    // Ending the other browser's session, from the tab before.
    let user = before.hidden("for_user").expect("a hidden field");
    let fields = [("id", &*id), ("for_user", &*user), ("for_tenant", "acme")];
    let ended = ada.submit("end-session", &fields).await;
    assert_eq!(
        ended.header("location"),
        Some("/t/beta/settings#session-ended"),
        "{ended:?}"
    );
    assert_eq!(other.get("/t/acme/settings").await.status, 401);
    let own = [("for_user", &*user), ("for_tenant", "acme")];
    let fields = [
        own[0],
        own[1],
        ("currentPassword", Client::PASSWORD),
        ("newPassword", "staple battery horse"),
    ];
    let changed = ada.submit("change-password", &fields).await;
    assert_eq!(
        changed.header("location"),
        Some("/t/beta/settings#password-changed"),
        "{changed:?}"
    );
    let everywhere = ada.submit("sign-out-everywhere", &own).await;
    assert_eq!(
        everywhere.header("location"),
        Some("/sign-in"),
        "{everywhere:?}"
    );
}

/// The other browser has switched too, a minute ago: what the tab knows of it is the session before.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_another_has_replaced_can_still_be_ended() {
    let (product, table, ada) = in_two().await;
    let other = product.sign_in(&ada.email, Client::PASSWORD).await;
    let id = newest_session(&ada, "acme").await;
    switch(&other, "beta").await;
    // The minute has passed, and the table has removed the session.
    for record in table.under(&format!("#session:{}", ada.user)) {
        if record.get("replaced") == true {
            table.remove(&record.pk, &record.sk);
        }
    }
    let ended = ada.post("end-session", &[("id", &*id)]).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(other.get("/t/beta/settings").await.status, 401);
    assert_eq!(ada.get("/t/acme/settings").await.status, 200);
}

/// A form of one user's account must not change that of the user who has signed in since.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_the_account_of_another_user_is_refused() {
    let (product, table) = product_with_table().await;
    let (ada, eve) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    let page = ada.page("/t/acme/settings").await;
    let user = page.hidden("for_user").expect("a hidden field");
    let fields = [
        ("email", eve.email.as_str()),
        ("password", Client::PASSWORD),
    ];
    assert_eq!(ada.post("sign-in", &fields).await.status, 200);
    let saved = table.saved();
    for (action, field) in [
        ("update-profile", ("name", "Ada")),
        ("change-password", ("currentPassword", Client::PASSWORD)),
        ("sign-out-everywhere", ("x", "")),
    ] {
        let fields = [
            field,
            ("newPassword", "staple battery horse"),
            ("for_user", &*user),
        ];
        let refused = ada.submit(action, &fields).await;
        assert_eq!(refused.status, 403, "{action}: {refused:?}");
        assert!(
            refused.text.contains("belongs to another user"),
            "{action}: {refused:?}"
        );
        let kept = format!("name=\"for_user\" value=\"{user}\"");
        assert!(refused.text.contains(&kept), "{action}: {refused:?}");
    }
    assert_eq!(table.saved(), saved);
}
