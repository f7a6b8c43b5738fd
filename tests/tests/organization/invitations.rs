//! Invitations: who may join with a link, and when it stops working.

use action::Role;
use edge_crm_tests::hidden;
use edge_crm_tests::people::{PASSWORD, email, token};
use edge_crm_tests::world::{Person, World};
use serde_json::json;
use std::time::Duration;

/// How long a test waits for the mail, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

fn nobody() -> Person {
    Person::default()
}

/// Asserts that the action and the page refuse the token with these words, and that nothing is
/// written.
async fn closed(world: &World, token: &str, words: &str) {
    world.delivered(PATIENCE).await;
    let before = world.table.saved();
    let refused = world.accept(&nobody(), token, PASSWORD).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let error = refused.json()["error"].to_string();
    assert!(error.contains(words), "{error}");
    let path = format!("/accept-invite?token={token}");
    let page = world.send(nobody().get(&path, "text/html")).await;
    assert_eq!(page.status, 403, "{page:?}");
    assert!(
        page.text.contains(words) && page.text.contains("/sign-in"),
        "{page:?}"
    );
    let form = [("token", token), ("name", "Mia"), ("password", PASSWORD)];
    let page = world.submit(&nobody(), "accept-invite", &form).await;
    assert_eq!(page.status, 403, "{page:?}");
    assert!(
        page.text.contains(words) && page.text.contains("/sign-in"),
        "{page:?}"
    );
    assert_eq!(world.table.saved(), before);
}

#[tokio::test]
async fn a_new_user_joins_with_the_link_and_is_signed_in() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let data = world.invite(&owner, "Mia@example.com", "member").await;
    assert_eq!(
        (&data["status"], &data["name"], &data["email"]),
        (&json!("invited"), &json!(null), &json!("Mia@example.com"))
    );
    let id = data["id"].as_str().unwrap();
    assert_eq!(world.guard("acme", "mia@example.com"), id);
    let token = token(data["link"].as_str().unwrap());
    assert!(
        data["link"]
            .as_str()
            .unwrap()
            .starts_with("/accept-invite?token=")
    );

    let short = json!({ "token": token, "password": "short" });
    let wrong = world.act(&nobody(), "accept-invite", &short).await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    let errors = json!({
        "name": "Name is required", "password": "Password must be at least 8 characters",
    });
    assert_eq!(wrong.json()["fieldErrors"], errors);

    let response = world.accept(&nobody(), &token, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    let member = &response.json()["data"];
    assert_eq!(
        (
            &member["status"],
            &member["name"],
            &member["role"],
            &member["tenant"]
        ),
        (
            &json!("active"),
            &json!("Mia Member"),
            &json!("member"),
            &json!("acme")
        )
    );
    let mut mia = Person {
        tenant: "acme".to_owned(),
        ..nobody()
    };
    mia.learn(&response);
    let ada = json!({ "name": "Ada", "email": "ada@example.com" });
    assert_eq!(world.act(&mia, "create-contact", &ada).await.status, 200);
    let stored = world.member("acme", &mia.user());
    assert_eq!(stored["status"], "active");
    assert_eq!(stored.get("invitation"), None);
    assert_eq!(world.guard("acme", "mia@example.com"), mia.user());
    let signed_in = world.sign_in("mia@example.com", PASSWORD).await;
    assert_eq!(signed_in.json()["data"]["role"], "member", "{signed_in:?}");
    assert_eq!(world.table.audits("accept-invite").len(), 1);
}

#[tokio::test]
async fn an_existing_account_joins_with_its_password_and_belongs_to_both_organisations() {
    let world = World::start().await;
    let acme = world.sign_up("Acme").await;
    let other = world.sign_up("Other").await;
    let (mia, email) = world.joined(&other, "member").await;
    let data = world.invite(&acme, &email, "owner").await;
    let invited = data["id"].as_str().unwrap().to_owned();
    assert_ne!(
        invited,
        mia.user(),
        "the invitation does not say whose account it is"
    );
    let token = token(data["link"].as_str().unwrap());

    world.delivered(PATIENCE).await;
    let before = world.table.saved();
    let wrong = world.accept(&nobody(), &token, "a wrong password").await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
    assert_eq!(wrong.json()["error"], "Wrong email or password");
    assert_eq!(world.table.saved(), before);
    // A session of another account does not replace the password.
    let fields = json!({ "token": token });
    assert_eq!(world.act(&acme, "accept-invite", &fields).await.status, 401);

    // The account keeps its name.
    let fields = json!({ "token": token, "name": "Somebody Else", "password": PASSWORD });
    let response = world.act(&nobody(), "accept-invite", &fields).await;
    assert_eq!(response.status, 200, "{response:?}");
    let member = response.json()["data"].clone();
    assert_eq!(
        (&member["id"], &member["name"]),
        (&json!(mia.user()), &json!("Mia Member"))
    );
    assert!(world.member("acme", &invited).is_null());
    assert_eq!(world.member("acme", &mia.user())["role"], "owner");
    assert_eq!(world.guard("acme", &email), mia.user());
    let organizations = world.account(&email)["organizations"].clone();
    assert_eq!(
        organizations,
        json!([{ "tenant": "other" }, { "tenant": "acme" }])
    );
    let owners = world.table.under("#tenant:acme").remove(0).get("owners");
    assert_eq!(owners, json!([acme.user(), mia.user()]));
    let mut there = Person {
        tenant: "acme".to_owned(),
        ..nobody()
    };
    there.learn(&response);
    assert_eq!(world.look(&there, "/contacts").await.status, 200);
    assert_eq!(
        world.look(&mia, "/contacts").await.status,
        200,
        "still a member of the other organisation"
    );
}

#[tokio::test]
async fn a_user_who_is_signed_in_to_the_invited_account_needs_no_password() {
    let world = World::start().await;
    let acme = world.sign_up("Acme").await;
    let other = world.sign_up("Other").await;
    let (mia, email) = world.joined(&other, "member").await;
    let token = world.invitation(&acme, &email, "viewer").await;
    let path = format!("/accept-invite?token={token}");
    let page = world.send(mia.get(&path, "text/html")).await;
    assert!(
        page.text.contains("You are signed in with that email"),
        "{page:?}"
    );
    assert!(!page.text.contains("type=\"password\""), "{page:?}");
    let key = hidden(&page.text, "idempotency_key").unwrap();
    let form = [("token", token.as_str()), ("idempotency_key", &key)];
    let response = world.submit(&mia, "accept-invite", &form).await;
    assert_eq!(
        (response.status, response.header("location")),
        (303, "/t/acme/contacts")
    );
    // The response was lost. The same form again gets the same response, with a session again.
    let again = world.submit(&mia, "accept-invite", &form).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (303, "true")
    );
    let mut there = Person {
        tenant: "acme".to_owned(),
        ..nobody()
    };
    there.learn(&again);
    assert_eq!(world.look(&there, "/contacts").await.status, 200);
    let stolen = world.submit(&nobody(), "accept-invite", &form).await;
    assert_eq!(
        stolen.status, 422,
        "the key alone opens no session: {stolen:?}"
    );
}

#[tokio::test]
async fn a_link_works_once_and_not_if_it_is_altered() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let token = world.invitation(&owner, &email(), "member").await;
    let (text, seal) = token.split_once('.').unwrap();
    let admin = world.invitation(&owner, &email(), "admin").await;
    let (other, _) = admin.split_once('.').unwrap();
    for altered in [
        "",
        "junk",
        text,
        &format!("{other}.{seal}"),
        &format!("{text}.{seal}x"),
    ] {
        closed(&world, altered, "not valid").await;
    }
    assert_eq!(world.accept(&nobody(), &token, PASSWORD).await.status, 200);
    closed(&world, &token, "accepted already").await;
}

#[tokio::test]
async fn a_link_stops_when_it_expires_is_replaced_or_is_withdrawn() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let mia = email();
    let first = world.invitation(&owner, &mia, "member").await;
    let data = world.invite(&owner, &mia.to_uppercase(), "viewer").await;
    let second = token(data["link"].as_str().unwrap());
    assert_eq!(
        (&data["role"], &data["version"]),
        (&json!("viewer"), &json!(2))
    );
    assert_eq!(
        world.table.under("acme:members").len(),
        2,
        "there is one invitee"
    );
    closed(&world, &first, "replaced by a newer one").await;

    // As if a week had passed.
    let id = data["id"].as_str().unwrap();
    let mut stored = world.member("acme", id);
    let ends: String = serde_json::from_value(stored["invitation"]["expiresAt"].clone()).unwrap();
    let starts = stored["updatedAt"].as_str().unwrap();
    let [ends, starts] =
        [ends.as_str(), starts].map(|time| time.parse::<jiff::Timestamp>().unwrap());
    assert_eq!((ends - starts).get_seconds(), 7 * 86_400);
    stored["invitation"]["expiresAt"] = json!("2026-01-01T00:00:00Z");
    world.table.put("acme:members", id, &stored);
    closed(&world, &second, "expired").await;

    let third = world.invitation(&owner, &mia, "viewer").await;
    let removed = json!({ "userId": id });
    let response = world.act(&owner, "remove-member", &removed).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert!(world.guard("acme", &mia).is_null());
    closed(&world, &third, "no longer works").await;

    // A change of role does not end the link, and applies.
    let fourth = world.invitation(&owner, &mia, "viewer").await;
    let invited = world.guard("acme", &mia);
    let fields = json!({ "userId": invited, "role": "admin" });
    assert_eq!(world.act(&owner, "change-role", &fields).await.status, 200);
    let joined = world.accept(&nobody(), &fourth, PASSWORD).await;
    assert_eq!(joined.json()["data"]["role"], "admin", "{joined:?}");
}

#[tokio::test]
async fn an_expired_invitation_is_shown_as_expired_and_can_be_renewed() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let admin = world.join(&owner, Role::Admin);
    let mut ids = Vec::new();
    for (email, role) in [("mia@example.com", "member"), ("zoe@example.com", "owner")] {
        let data = world.invite(&owner, email, role).await;
        let id = data["id"].as_str().unwrap().to_owned();
        let mut stored = world.member("acme", &id);
        stored["invitation"]["expiresAt"] = json!("2026-01-08T00:00:00Z");
        world.table.put("acme:members", &id, &stored);
        ids.push(format!("/members/{id}/edit"));
    }
    world.invite(&owner, "leo@example.com", "viewer").await;
    let list = world.look(&admin, "/members").await.text;
    for words in [
        "Member, invitation expired<",
        "Owner, invitation expired<",
        "Viewer, invited<",
    ] {
        assert!(list.contains(words), "{words}: {list}");
    }

    let page = world.look(&admin, &ids[0]).await.text;
    for words in [
        "Member, invitation expired<",
        "<time datetime=\"2026-01-08T00:00:00Z\">stopped working on Jan 8, 2026 UTC</time>.",
        "<a href=\"/t/acme/members/invite\">Invite them again</a>",
        "Withdraw the invitation of mia@example.com?<",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("token=") && !page.contains("Its link stops"));
    // A user who may not invite to that role gets no link to do so.
    let page = world.look(&admin, &ids[1]).await.text;
    assert!(page.contains("Owner, invitation expired<"), "{page}");
    assert!(!page.contains("/members/invite"), "{page}");
    // A refused action shows the same state.
    let zoe = ids[1].split('/').nth(2).unwrap();
    for action in ["change-role", "remove-member"] {
        let form = [("userId", zoe), ("role", "viewer")];
        let page = world.submit(&admin, action, &form).await;
        assert_eq!(page.status, 403, "{page:?}");
        let page = page.text;
        assert!(page.contains(", invitation expired<"), "{action}: {page}");
        assert!(!page.contains("Its link stops"), "{action}: {page}");
    }

    world.invite(&owner, "mia@example.com", "member").await;
    let page = world.look(&owner, &ids[0]).await.text;
    assert!(page.contains("Member, invited<"), "{page}");
    assert!(page.contains("token=") && page.contains("Its link stops"));
}

#[tokio::test]
async fn a_link_opens_its_own_organization_and_no_other() {
    let world = World::start().await;
    let acme = world.sign_up("Acme").await;
    let other = world.sign_up("Other").await;
    let mia = email();
    let token = world.invitation(&acme, &mia, "member").await;
    world.invite(&other, &mia, "owner").await;
    let response = world.accept(&nobody(), &token, PASSWORD).await;
    assert_eq!(response.json()["data"]["tenant"], "acme", "{response:?}");
    let mut person = Person {
        tenant: "other".to_owned(),
        ..nobody()
    };
    person.learn(&response);
    let look = world.look(&person, "/contacts").await;
    assert!([303, 403, 404].contains(&look.status), "{look:?}");
    assert_eq!(world.table.under("other:members").len(), 2);
    assert!(!world.guard("other", &mia).is_null());
}

#[tokio::test]
async fn an_email_is_unique_among_members_and_invitees() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let account = world.table.under("#account:").remove(0);
    let own = account.get("email").as_str().unwrap().to_owned();
    assert_eq!(
        world.guard("acme", &own),
        owner.user(),
        "sign-up claims the email"
    );
    let (_, mia) = world.joined(&owner, "member").await;
    world.delivered(PATIENCE).await;
    let before = world.table.saved();
    for taken in [&own, &mia, &mia.to_uppercase()] {
        let fields = json!({ "email": taken, "role": "viewer" });
        let response = world.act(&owner, "invite-member", &fields).await;
        assert_eq!(
            (response.status, &response.json()["code"]),
            (409, &json!("CONFLICT"))
        );
        assert!(
            response.json()["fieldErrors"]["email"].is_string(),
            "{response:?}"
        );
    }
    assert_eq!(world.table.saved(), before);

    let admins = [
        world.join(&owner, Role::Admin),
        world.join(&owner, Role::Admin),
    ];
    let members = world.table.under("acme:members").len();
    for round in 0..10 {
        let fields = json!({ "email": email(), "role": "viewer" });
        let (one, other) = tokio::join!(
            world.act(&admins[0], "invite-member", &fields),
            world.act(&admins[1], "invite-member", &fields)
        );
        assert_eq!(one.status.min(other.status), 200, "{one:?} {other:?}");
        assert!(
            [200, 409].contains(&one.status.max(other.status)),
            "{one:?} {other:?}"
        );
        assert_eq!(world.table.under("acme:members").len(), members + round + 1);
    }
}
