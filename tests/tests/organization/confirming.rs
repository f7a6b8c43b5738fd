//! An address is proved by an email before an account means anything: confirming, changing, and what a
//! first proof by somebody else undoes.

use crate::password_resets::{NEW, ask, reset, sign_in};
use edge_crm_tests::{Answer, Client, Product, Table, product_with_table};
use serde_json::{Value, json};

async fn confirm(client: &Client, token: &str) -> Answer {
    client.post("confirm-email", &[("token", token)]).await
}

pub(super) async fn invite(client: &Client, email: &str, role: &str) -> Value {
    let fields = [("email", email), ("role", role)];
    client.post("invite-member", &fields).await.data()
}

pub(super) fn token_of(data: &Value) -> String {
    let link = data["link"].as_str().expect("a link");
    link.split_once("token=").expect("a token").1.to_owned()
}

async fn accept(client: &Client, token: &str, password: &str) -> Answer {
    let fields = [("token", token), ("name", "Vic"), ("password", password)];
    client.post("accept-invite", &fields).await
}

/// Confirms the address of a new account with the link in its first email.
pub(super) async fn confirmed(product: &Product, client: &Client) {
    let letters = product.wait_for_letters(&client.email, 1).await;
    assert_eq!(confirm(client, letters[0].token()).await.status, 200);
}

/// Resets the password with the link in the email, as the owner of the address.
async fn take_over(product: &Product, email: &str, letters_before: usize) -> (Client, Answer) {
    let owner = product.client();
    ask(&owner, email).await;
    let letters = product.wait_for_letters(email, letters_before + 1).await;
    let token = letters.last().expect("an email").token().to_owned();
    let response = reset(&owner, &token, NEW).await;
    (owner, response)
}

fn account(table: &Table, email: &str) -> Value {
    let records = table.under(&format!("#account:{email}"));
    records
        .first()
        .map_or(Value::Null, |record| Value::Object(record.item()))
}

fn audited(table: &Table, tenant: &str) -> Vec<Value> {
    let records = table.under(&format!("#audit:{tenant}")).into_iter();
    records.map(|record| record.get("action")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_works_alone_until_its_address_is_confirmed() {
    let (product, _table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    acme.create("Ada", "ada@example.com").await;
    let settings = acme.get("/t/acme/settings").await;
    assert_eq!(settings.data()["emailVerified"], false);
    let letters = product.wait_for_letters(&acme.email, 1).await;
    assert_eq!(letters[0].subject, "Confirm your email");

    let invited = invite(&acme, "first@example.com", "member").await;
    assert_eq!(invited["notEmailed"], "unconfirmed");
    assert!(invited["link"].is_string());
    let id = invited["id"].as_str().expect("an id");
    let edit = format!("/t/acme/members/{id}/edit");
    let page = acme.page(&edit).await;
    assert!(
        page.text.contains("no email: send them this link"),
        "{}",
        page.text
    );

    // The page asks a signed-out user to sign in, and changes nothing by itself.
    let signed_out = product.client().page(&letters[0].link).await;
    let to = signed_out.header("location").unwrap_or_default().to_owned();
    assert_eq!(to, format!("/sign-in?return_to={}", letters[0].link));
    let page = acme.page(&letters[0].link).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Confirm my email") && page.text.contains(&acme.email));
    assert_eq!(page.hidden("token").as_deref(), Some(letters[0].token()));
    let settings = acme.get("/t/acme/settings").await;
    assert_eq!(settings.data()["emailVerified"], false);

    let key = page.hidden("idempotency_key").expect("a key");
    let fields = [("token", letters[0].token()), ("idempotency_key", &key)];
    let done = acme.submit("confirm-email", &fields).await;
    assert_eq!(
        done.header("location"),
        Some("/t/acme/settings#email-confirmed")
    );
    let settings = acme.get("/t/acme/settings").await;
    assert_eq!(settings.data()["emailVerified"], true);
    // Again is no harm.
    assert_eq!(confirm(&acme, letters[0].token()).await.status, 200);

    let invited = invite(&acme, "second@example.com", "member").await;
    assert_eq!(invited["notEmailed"], Value::Null);
    product.wait_for_letters("second@example.com", 1).await;
    assert!(product.letters("first@example.com").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_link_works_for_its_own_account_only() {
    let (product, _table) = product_with_table().await;
    let (acme, beta) = (product.sign_up("Acme").await, product.sign_up("Beta").await);
    let letters = product.wait_for_letters(&acme.email, 1).await;
    let token = letters[0].token();
    let altered = format!("{}x", &token[..token.len() - 1]);
    for (client, token) in [
        (&beta, token),
        (&acme, &altered),
        (&acme, "junk"),
        (&acme, ""),
    ] {
        let refused = confirm(client, token).await;
        refused.expect(400, "VALIDATION_ERROR");
        assert!(
            refused.field_error("token").starts_with("This link"),
            "{refused:?}"
        );
    }
    let page = beta.page(&letters[0].link).await;
    assert!(page.text.contains("This link does not work") && !page.text.contains(&acme.email));
    product
        .client()
        .post("confirm-email", &[("token", token)])
        .await
        .expect(401, "AUTH_ERROR");
    // The link can be sent again, but not at once.
    acme.post("send-confirmation", &[])
        .await
        .expect(403, "AUTH_ERROR");
}

/// An inviter who names an organisation as the victim's employer, uses the link they are shown, and
/// chooses a password.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_proves_an_address_first_leaves_what_others_joined_with_it() {
    let (product, table) = product_with_table().await;
    let evil = product.sign_up("Victims Employer").await;
    confirmed(&product, &evil).await;
    let (victim, tenant) = ("victim@example.com", &evil.tenant);
    let invited = invite(&evil, victim, "admin").await;
    let thief = product.client();
    let joined = accept(&thief, &token_of(&invited), "the thief's password").await;
    assert_eq!(joined.status, 200, "{joined:?}");
    assert_eq!(account(&table, victim)["emailVerified"], false);
    // The invitation, and the link that confirms the address.
    let letters = product.wait_for_letters(victim, 2).await;
    let confirmation = letters
        .iter()
        .find(|letter| letter.subject.starts_with("Confirm"));
    let signed_out = product
        .client()
        .page(&confirmation.expect("an email").link)
        .await;
    assert_eq!(signed_out.status, 303);

    let (owner, taken_over) = take_over(&product, victim, 2).await;
    assert_eq!(taken_over.data()["tenant"], Value::Null, "{taken_over:?}");
    assert_eq!(taken_over.session(), None);
    let signed_in = sign_in(&product, victim, NEW).await.1;
    assert_eq!(signed_in.data()["tenant"], Value::Null);
    assert_eq!(account(&table, victim)["organizations"], json!([]));
    assert_eq!(
        thief.get(&format!("/t/{tenant}/settings")).await.status,
        401
    );
    let members = evil.get(&format!("/t/{tenant}/members")).await.data();
    assert_eq!(
        members["members"].as_array().map(Vec::len),
        Some(1),
        "{members}"
    );
    assert!(audited(&table, tenant).contains(&json!("reset-password")));
    table.audit().await.expect_sound();

    // An organisation of their own has nothing to do with the thief.
    let next = signed_in.data()["next"]
        .as_str()
        .expect("a path")
        .to_owned();
    let token = next.split_once("token=").expect("a token").1;
    let made = owner
        .post(
            "create-organization",
            &[("name", "Victim & Co"), ("token", token)],
        )
        .await;
    assert_eq!(made.data()["tenant"], "victim-co", "{made:?}");
    // From now on a reset changes no memberships.
    let (_, again) = take_over(&product, victim, 3).await;
    assert_eq!(again.data()["tenant"], "victim-co", "{again:?}");
}

/// Somebody signs up with an address that is not theirs, and invites themself as another owner.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_of_ones_own_is_kept_without_the_invitations_of_before() {
    let (product, table) = product_with_table().await;
    let founder = product.sign_up("Acme").await;
    founder.create("Ada", "ada@example.com").await;
    let before = invite(&founder, "alternate@example.com", "owner").await;
    let (owner, taken_over) = take_over(&product, &founder.email, 1).await;
    assert_eq!(taken_over.data()["tenant"], "acme", "{taken_over:?}");
    let refused = accept(
        &product.client(),
        &token_of(&before),
        "the thief's password",
    )
    .await;
    refused.expect(403, "AUTH_ERROR");
    let members = owner.get("/t/acme/members").await.data();
    let id = members["members"][0]["id"].as_str().expect("an id");
    assert!(id.len() == 36, "{members}");
    let again = invite(&owner, "alternate@example.com", "member").await;
    let accepted = accept(&product.client(), &token_of(&again), "a fine password").await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    assert_eq!(account(&table, &founder.email)["emailVerified"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_with_the_link_of_an_email_proves_the_address() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    confirmed(&product, &acme).await;
    let mia = "mia@example.com";
    let shown = token_of(&invite(&acme, mia, "member").await);
    let letters = product.wait_for_letters(mia, 1).await;
    assert_ne!(
        letters[0].token(),
        shown,
        "the inviter does not see the link of the email"
    );
    let joined = accept(
        &product.client(),
        letters[0].token(),
        "correct horse battery",
    )
    .await;
    assert_eq!(joined.status, 200, "{joined:?}");
    assert_eq!(account(&table, mia)["emailVerified"], true);
    let (_, after) = take_over(&product, mia, 1).await;
    assert_eq!(after.data()["tenant"], "acme", "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unconfirmed_account_joins_few_organisations() {
    let (product, table) = product_with_table().await;
    let mia = product.sign_up("Mia").await;
    for number in 1..crm::Account::MAX_UNVERIFIED_ORGANIZATIONS {
        let tenant = format!("tenant-{number}");
        let organization = json!({
            "id": tenant, "name": tenant, "owners": [], "version": 1,
            "createdAt": "2026-01-01T00:00:00Z",
        });
        table.put(&format!("#tenant:{tenant}"), "tenant", &organization);
        table.add_membership(&mia.email, &tenant, "member");
    }
    let eve = product.sign_up("Eve").await;
    let token = token_of(&invite(&eve, &mia.email, "member").await);
    let refused = mia.post("accept-invite", &[("token", &token)]).await;
    refused.expect(403, "AUTH_ERROR");
    let refused = mia
        .post("create-organization", &[("name", "One more")])
        .await;
    refused.expect(403, "AUTH_ERROR");
    confirmed(&product, &mia).await;
    let joined = mia.post("accept-invite", &[("token", &token)]).await;
    assert_eq!(joined.status, 200, "{joined:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_is_changed_with_a_link_to_the_new_address_and_the_old_one_is_told() {
    let (product, table) = product_with_table().await;
    let ada = product.sign_up("Acme").await;
    let other = product.sign_up("Beta").await;
    let (old, new) = (ada.email.clone(), "ada@new.example");
    let change = |email: &'static str, password: &'static str| {
        let ada = ada.clone();
        async move {
            ada.post("change-email", &[("email", email), ("password", password)])
                .await
        }
    };
    let wrong = change(new, "a wrong password").await;
    wrong.expect(400, "VALIDATION_ERROR");
    assert_eq!(wrong.field_error("password"), "Wrong password");
    let taken = [
        ("email", other.email.as_str()),
        ("password", Client::PASSWORD),
    ];
    ada.post("change-email", &taken)
        .await
        .expect(409, "CONFLICT");
    let sent = change(new, Client::PASSWORD).await;
    assert_eq!(sent.data(), json!({ "email": new }), "{sent:?}");
    let soon = change(new, Client::PASSWORD).await;
    soon.expect(400, "VALIDATION_ERROR");
    let letters = product.wait_for_letters(new, 1).await;
    assert_eq!(letters[0].subject, "Confirm your new email");
    assert_eq!(
        account(&table, &old)["email"],
        json!(old),
        "nothing has changed yet"
    );

    confirm(&other, letters[0].token())
        .await
        .expect(400, "VALIDATION_ERROR");
    let done = confirm(&ada, letters[0].token()).await;
    assert_eq!(done.data()["email"], new, "{done:?}");
    let told = product.wait_for_letters(&old, 2).await;
    assert_eq!(told[1].subject, "Your email was changed");
    assert_eq!(
        ada.get("/t/acme/settings").await.data()["user"]["email"],
        new
    );
    assert_eq!(
        sign_in(&product, &old, Client::PASSWORD).await.1.status,
        401
    );
    assert_eq!(sign_in(&product, new, Client::PASSWORD).await.1.status, 200);
    confirm(&ada, letters[0].token())
        .await
        .expect(400, "VALIDATION_ERROR");
    let members = ada.get("/t/acme/members").await.data();
    assert_eq!(members["members"][0]["email"], new);
    // The old address is free again, and the new one is not.
    let fields = [("email", new), ("role", "member")];
    ada.post("invite-member", &fields)
        .await
        .expect(409, "CONFLICT");
    assert!(invite(&ada, &old, "member").await["link"].is_string());
    table.audit().await.expect_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_stops_a_change_of_the_email() {
    let (product, _table) = product_with_table().await;
    let ada = product.sign_up("Acme").await;
    let new = "thief@example.com";
    let fields = [("email", new), ("password", Client::PASSWORD)];
    assert_eq!(ada.post("change-email", &fields).await.status, 200);
    let letters = product.wait_for_letters(new, 1).await;
    let fields = [("currentPassword", Client::PASSWORD), ("newPassword", NEW)];
    assert_eq!(ada.post("change-password", &fields).await.status, 200);
    confirm(&ada, letters[0].token())
        .await
        .expect(400, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_email_that_is_invited_to_the_organisation_is_refused() {
    let (product, _table) = product_with_table().await;
    let ada = product.sign_up("Acme").await;
    let new = "ada@new.example";
    invite(&ada, new, "member").await;
    let fields = [("email", new), ("password", Client::PASSWORD)];
    assert_eq!(ada.post("change-email", &fields).await.status, 200);
    let letters = product.wait_for_letters(new, 1).await;
    let refused = confirm(&ada, letters[0].token()).await;
    refused.expect(409, "CONFLICT");
    assert!(refused.error().contains("invited"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_sends_few_links_to_other_addresses() {
    let (product, _table) = product_with_table().await;
    let ada = product.sign_up("Acme").await;
    let mut sent = 0;
    for number in 0..20 {
        let email = format!("stranger{number}@example.com");
        let fields = [("email", email.as_str()), ("password", Client::PASSWORD)];
        sent += u32::from(ada.post("change-email", &fields).await.status == 200);
    }
    assert_eq!(sent, 1);
    let own = [
        ("email", ada.email.as_str()),
        ("password", Client::PASSWORD),
    ];
    let refused = ada.post("change-email", &own).await;
    assert_eq!(refused.field_error("email"), "This is your email already");
}

/// The account moves while other requests of its user read it.
#[tokio::test(flavor = "multi_thread")]
async fn requests_while_the_email_changes_are_answered() {
    let (product, _table) = product_with_table().await;
    for round in 0..5 {
        let ada = product.sign_up("Acme").await;
        let new = format!("new{round}@example.com");
        let fields = [("email", new.as_str()), ("password", Client::PASSWORD)];
        assert_eq!(ada.post("change-email", &fields).await.status, 200);
        let letters = product.wait_for_letters(&new, 1).await;
        let token = letters[0].token();
        let settings = format!("/t/{}/settings", ada.tenant);
        let profile = [("name", "Ada")];
        let (one, other, renamed, seen) = tokio::join!(
            confirm(&ada, token),
            confirm(&ada, token),
            ada.post("update-profile", &profile),
            ada.get(&settings),
        );
        let statuses = [one.status, other.status];
        assert!(statuses.contains(&200), "{one:?} {other:?}");
        for response in [one, other, renamed, seen] {
            assert!([200, 400, 503].contains(&response.status), "{response:?}");
        }
    }
}
