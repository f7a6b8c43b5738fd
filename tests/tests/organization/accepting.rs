//! Accepting an invitation: replayed, concurrently, with guessed passwords, and without scripts.

use edge_crm_tests::people::{PASSWORD, email, token};
use edge_crm_tests::world::{Person, Response, World};
use edge_crm_tests::{hidden, within_a_minute};
use serde_json::{Value, json};
use std::time::Duration;

fn nobody() -> Person {
    Person::default()
}

#[tokio::test]
async fn a_replay_shows_the_link_again_and_no_record_contains_the_token() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let mia = email();
    let fields = json!({ "email": mia, "role": "member", "idempotency_key": "mia" });
    let first = world.act(&owner, "invite-member", &fields).await;
    let again = world.act(&owner, "invite-member", &fields).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(first.json()["data"], again.json()["data"]);
    let data = &first.json()["data"];
    assert_eq!(data.get("invitation"), None);
    let token = token(data["link"].as_str().unwrap());
    let accept = json!({
        "token": token, "name": "Mia", "password": PASSWORD, "idempotency_key": "join",
    });
    let wrong = json!({
        "token": token, "name": "Mia", "password": "short", "idempotency_key": "join",
    });
    assert_eq!(
        world.act(&nobody(), "accept-invite", &wrong).await.status,
        400
    );
    let joined = world.act(&nobody(), "accept-invite", &accept).await;
    assert_eq!(joined.status, 200, "{joined:?}");
    let replay = world.act(&nobody(), "accept-invite", &accept).await;
    assert_eq!(replay.json()["data"], joined.json()["data"]);
    let mut person = Person {
        tenant: "acme".to_owned(),
        ..nobody()
    };
    person.learn(&replay);
    assert_eq!(world.look(&person, "/contacts").await.status, 200);
    let stranger = json!({
        "token": token, "name": "Mia", "password": "another password", "idempotency_key": "join",
    });
    let refused = world.act(&nobody(), "accept-invite", &stranger).await;
    assert_eq!(
        (refused.status, refused.cookie("__Host-session")),
        (422, None)
    );

    world.delivered(Duration::from_secs(120)).await;
    let (text, seal) = token.split_once('.').unwrap();
    for record in world.table.dump() {
        let record = format!("{record:?}");
        assert!(!record.contains(seal) && !record.contains(text), "{record}");
        assert!(!record.contains(PASSWORD), "{record}");
    }
}

#[tokio::test]
async fn concurrent_acceptances_join_once() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    for _ in 0..5 {
        let token = world.invitation(&owner, &email(), "owner").await;
        let fields = json!({
            "token": token, "name": "Mia", "password": PASSWORD, "idempotency_key": "join",
        });
        let anybody = nobody();
        let twins = (0..4).map(|_| world.act(&anybody, "accept-invite", &fields));
        let twins: Vec<Response> = futures_util::future::join_all(twins).await;
        for twin in &twins {
            assert_eq!(twin.status, 200, "{twin:?}");
            assert_eq!(twin.json()["data"], twins[0].json()["data"]);
        }
        let id = twins[0].json()["data"]["id"].clone();
        let owners = world.table.under("#tenant:acme").remove(0).get("owners");
        let same = owners
            .as_array()
            .unwrap()
            .iter()
            .filter(|owner| **owner == id);
        assert_eq!(same.count(), 1);
    }
}

#[tokio::test]
async fn more_invitations_allow_no_more_password_guesses() {
    let world = World::start().await;
    let acme = world.sign_up("Acme").await;
    let other = world.sign_up("Other").await;
    let (_, email) = world.joined(&other, "member").await;
    let mut token = world.invitation(&acme, &email, "member").await;
    within_a_minute(45).await;
    for attempt in 0..5 {
        let wrong = world.accept(&nobody(), &token, "a wrong password").await;
        assert_eq!(wrong.status, 401, "{attempt}: {wrong:?}");
        token = world.invitation(&acme, &email, "member").await;
    }
    let sixth = world.accept(&nobody(), &token, "a wrong password").await;
    assert_eq!(sixth.status, 429, "{sixth:?}");
    assert!(!sixth.header("retry-after").is_empty());
    assert_eq!(world.accept(&nobody(), &token, PASSWORD).await.status, 429);
    assert_eq!(
        world.sign_in(&email, PASSWORD).await.status,
        429,
        "all attempts share one counter"
    );
}

#[tokio::test]
async fn the_pages_work_without_scripts() {
    let world = World::start().await;
    let owner = world.sign_up("A & B <Co>").await;
    let tenant = owner.tenant.clone();
    let page = world.look(&owner, "/members/invite").await;
    let key = hidden(&page.text, "idempotency_key").unwrap();
    let mia = email();
    let form = [
        ("email", "no"),
        ("role", "admin"),
        ("idempotency_key", &key),
    ];
    let wrong = world.submit(&owner, "invite-member", &form).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("Invalid email format") && wrong.text.contains("value=\"no\""));
    assert!(
        wrong.text.contains("<option value=\"admin\" selected>"),
        "{wrong:?}"
    );
    let form = [
        ("email", mia.as_str()),
        ("role", "admin"),
        ("idempotency_key", &key),
    ];
    let response = world.submit(&owner, "invite-member", &form).await;
    let next = response.header("location").to_owned();
    assert_eq!(response.status, 303, "{response:?}");
    let (path, fragment) = next.split_once('#').unwrap();
    assert_eq!(fragment, "member-invited");
    let page = world.send(owner.get(path, "text/html")).await;
    let link = page
        .text
        .split_once("<a href=\"https://crm.example/accept-invite?")
        .unwrap()
        .1;
    let link = format!("/accept-invite?{}", link.split('"').next().unwrap());

    let page = world.send(nobody().get(&link, "text/html")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.header("cache-control"), "private, no-store");
    for words in ["A &#38; B &#60;Co&#62;", &mia, "invited as Admin"] {
        assert!(page.text.contains(words), "{words}: {page:?}");
    }
    let [key, token] = ["idempotency_key", "token"].map(|name| hidden(&page.text, name).unwrap());
    let submit = async |name: &str, password: &str| {
        let form = [
            ("name", name),
            ("password", password),
            ("token", &token),
            ("idempotency_key", &key),
        ];
        world.submit(&nobody(), "accept-invite", &form).await
    };
    let wrong = submit("Mia", "short").await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong
            .text
            .contains("Password must be at least 8 characters")
    );
    assert!(wrong.text.contains("value=\"Mia\"") && !wrong.text.contains("short\""));
    assert_eq!(hidden(&wrong.text, "token").as_ref(), Some(&token));
    let long = submit(&"x".repeat(101), PASSWORD).await;
    assert_eq!(long.status, 400);
    assert!(long.text.contains("Name too long"), "{long:?}");
    assert_eq!(hidden(&long.text, "token").as_ref(), Some(&token));
    let joined = submit("Mia", PASSWORD).await;
    let contacts = format!("/t/{tenant}/contacts");
    assert_eq!(
        (joined.status, joined.header("location")),
        (303, contacts.as_str())
    );
    let shown = world
        .send(nobody().get("/accept-invite", "application/json"))
        .await;
    assert_eq!(
        (shown.status, &shown.json()["ok"]),
        (403, &Value::Bool(false))
    );
}
