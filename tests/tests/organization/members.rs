//! Members: who may invite, change and remove whom, and that an organisation keeps an owner.

use action::Role;
use edge_crm_tests::people::{PASSWORD, email};
use edge_crm_tests::world::{Person, Response, World};
use serde_json::{Value, json};
use std::time::Duration;

const ROLES: [(Role, &str); 4] = [
    (Role::Viewer, "viewer"),
    (Role::Member, "member"),
    (Role::Admin, "admin"),
    (Role::Owner, "owner"),
];

pub(super) async fn change(world: &World, by: &Person, user: &str, role: &str) -> Response {
    let fields = json!({ "userId": user, "role": role });
    world.act(by, "change-role", &fields).await
}

pub(super) async fn remove(world: &World, by: &Person, user: &str) -> Response {
    world
        .act(by, "remove-member", &json!({ "userId": user }))
        .await
}

fn owners(world: &World, tenant: &str) -> Vec<String> {
    let members = world.table.under(&format!("{tenant}:members"));
    let mut owners: Vec<_> = members
        .into_iter()
        .filter(|member| member.get("role") == "owner" && member.get("status") == "active")
        .map(|member| member.sk)
        .collect();
    let record = world.table.under(&format!("#tenant:{tenant}")).remove(0);
    let mut listed: Vec<String> = serde_json::from_value(record.get("owners")).unwrap();
    owners.sort();
    listed.sort();
    assert_eq!(owners, listed, "the organisation lists its owners");
    owners
}

#[tokio::test]
async fn no_member_grants_a_higher_role_than_their_own() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    for (holds, _) in ROLES {
        let actor = world.join(&owner, holds);
        for (role, name) in ROLES {
            world.delivered(Duration::from_secs(120)).await;
            let before = world.table.saved();
            let fields = json!({ "email": email(), "role": name });
            let response = world.act(&actor, "invite-member", &fields).await;
            let may = holds >= Role::Admin && role <= holds;
            let status = if may { 200 } else { 403 };
            assert_eq!(response.status, status, "{name} by {holds:?}: {response:?}");
            if !may {
                assert_eq!(response.json()["code"], "AUTH_ERROR");
                assert_eq!(world.table.saved(), before);
            }
        }
    }
}

#[tokio::test]
async fn no_member_changes_or_removes_a_higher_role() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    for (holds, _) in ROLES {
        let actor = world.join(&owner, holds);
        for (before, _) in ROLES {
            for (after, name) in ROLES {
                let target = world.join(&owner, before).user();
                let response = change(&world, &actor, &target, name).await;
                let may = holds >= Role::Admin && before <= holds && after <= holds;
                let status = if may { 200 } else { 403 };
                assert_eq!(response.status, status, "{before:?} to {name} by {holds:?}");
                let stored = world.member("acme", &target)["role"].clone();
                let kept = before.as_str();
                assert_eq!(stored, if may { name } else { kept });
            }
            let target = world.join(&owner, before).user();
            let may = holds >= Role::Admin && before <= holds;
            let status = if may { 200 } else { 403 };
            let response = remove(&world, &actor, &target).await;
            assert_eq!(response.status, status, "{before:?} removed by {holds:?}");
            assert_eq!(world.member("acme", &target).is_null(), may);
        }
    }
}

#[tokio::test]
async fn a_wrong_field_has_its_message_and_a_foreign_member_is_not_found() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let other = world.sign_up("Other").await;
    let before = world.table.saved();
    for (action, fields, field, message) in [
        (
            "invite-member",
            json!({ "email": "a@b", "role": "king" }),
            "role",
            "Unknown role",
        ),
        (
            "invite-member",
            json!({ "email": "a@b" }),
            "role",
            "Role is required",
        ),
        (
            "invite-member",
            json!({ "role": "member" }),
            "email",
            "Invalid email format",
        ),
        (
            "change-role",
            json!({ "userId": "1", "role": "member" }),
            "userId",
            "Invalid id",
        ),
        ("remove-member", json!({}), "userId", "Invalid id"),
    ] {
        let response = world.act(&owner, action, &fields).await;
        assert_eq!(response.status, 400, "{response:?}");
        assert_eq!(
            response.json()["fieldErrors"][field],
            message,
            "{response:?}"
        );
    }
    for response in [
        change(&world, &owner, &other.user(), "viewer").await,
        remove(&world, &owner, &other.user()).await,
    ] {
        assert_eq!(response.status, 404, "{response:?}");
        assert_eq!(
            response.json()["error"],
            "Member not found or access denied"
        );
    }
    assert_eq!(world.table.saved(), before);
}

#[tokio::test]
async fn the_last_owner_can_neither_leave_nor_step_down() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    for response in [
        change(&world, &owner, &owner.user(), "admin").await,
        remove(&world, &owner, &owner.user()).await,
    ] {
        assert_eq!(response.status, 403, "{response:?}");
        let error = response.json()["error"].to_string();
        assert!(error.contains("needs an owner"), "{error}");
    }
    // An invited owner does not count until they accept.
    world.invite(&owner, &email(), "owner").await;
    let response = remove(&world, &owner, &owner.user()).await;
    assert_eq!(response.status, 403, "{response:?}");
    assert_eq!(owners(&world, "acme"), [owner.user()]);

    let (second, _) = world.joined(&owner, "owner").await;
    assert_eq!(owners(&world, "acme").len(), 2);
    assert_eq!(remove(&world, &owner, &owner.user()).await.status, 200);
    assert_eq!(owners(&world, "acme"), [second.user()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_demote_or_remove_each_other_concurrently_leave_one() {
    let world = World::start().await;
    let ada = world.sign_up("Acme").await;
    let (bo, _) = world.joined(&ada, "owner").await;
    for round in 0..25 {
        let [ada_id, bo_id] = [ada.user(), bo.user()];
        let (one, other) = match round % 2 {
            0 => tokio::join!(
                change(&world, &ada, &bo_id, "admin"),
                change(&world, &bo, &ada_id, "admin")
            ),
            _ => tokio::join!(
                change(&world, &ada, &ada_id, "admin"),
                change(&world, &bo, &bo_id, "admin")
            ),
        };
        let won = [&one, &other]
            .iter()
            .filter(|response| response.status == 200)
            .count();
        assert_eq!(won, 1, "round {round}: {one:?} {other:?}");
        let left = owners(&world, "acme");
        assert_eq!(left.len(), 1, "round {round}");
        let (keeper, demoted) = if left[0] == ada_id {
            (&ada, &bo_id)
        } else {
            (&bo, &ada_id)
        };
        let response = change(&world, keeper, demoted, "owner").await;
        assert_eq!(response.status, 200, "{response:?}");
    }
    let [ada_id, bo_id] = [ada.user(), bo.user()];
    let (one, other) = tokio::join!(remove(&world, &ada, &ada_id), remove(&world, &bo, &bo_id));
    assert_eq!(one.status.min(other.status), 200, "{one:?} {other:?}");
    assert_eq!(one.status.max(other.status), 403, "{one:?} {other:?}");
    assert_eq!(owners(&world, "acme").len(), 1);
}

#[tokio::test]
async fn a_removed_member_can_do_nothing_and_signs_in_to_no_organisation() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let (mia, email) = world.joined(&owner, "member").await;
    let ada = json!({ "name": "Ada", "email": "ada@example.com" });
    assert_eq!(world.act(&mia, "create-contact", &ada).await.status, 200);
    let response = remove(&world, &owner, &mia.user()).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.json()["data"]["email"], email);

    let bo = json!({ "name": "Bo", "email": "bo@example.com" });
    assert_eq!(world.act(&mia, "create-contact", &bo).await.status, 401);
    let edit = format!("/members/{}/edit", mia.user());
    for path in ["/contacts/new", "/members/invite", &edit] {
        let response = world.look(&mia, path).await;
        assert_eq!(response.status, 303, "{path}");
        assert!(
            response.header("location").starts_with("/sign-in"),
            "{path}"
        );
    }
    assert_eq!(world.table.under("acme:contacts").len(), 1);
    assert!(world.guard("acme", &email).is_null());
    assert_eq!(world.account(&email)["organizations"], json!([]));

    assert_eq!(world.sign_in(&email, "a wrong one").await.status, 401);
    let without = world.sign_in(&email, PASSWORD).await;
    assert_eq!(without.status, 200, "{without:?}");
    assert_eq!(without.json()["data"]["tenant"], json!(null));

    let token = world.invitation(&owner, &email, "viewer").await;
    let back = world.accept(&Person::default(), &token, PASSWORD).await;
    assert_eq!(back.json()["data"]["id"], mia.user(), "{back:?}");
    assert_eq!(world.sign_in(&email, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn any_member_may_leave_also_without_scripts() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let (mut mia, _) = world.joined(&owner, "viewer").await;
    let page = world.look(&mia, "/members/leave").await;
    assert!(
        page.text.contains("Leave Acme? You lose access at once"),
        "{page:?}"
    );
    let key = edge_crm_tests::hidden(&page.text, "idempotency_key").unwrap();
    let id = mia.user();
    let form = [
        ("userId", id.as_str()),
        ("leave", "yes"),
        ("idempotency_key", &key),
    ];
    let response = world.submit(&mia, "remove-member", &form).await;
    assert_eq!(
        (response.status, response.header("location")),
        (303, "/sign-in#left")
    );
    mia.learn(&response);
    assert_eq!(mia.session, "", "the cookie is removed");
    assert!(world.member("acme", &id).is_null());

    let id = owner.user();
    let form = [
        ("userId", id.as_str()),
        ("leave", "yes"),
        ("idempotency_key", &key),
    ];
    let refused = world.submit(&owner, "remove-member", &form).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("needs an owner"), "{refused:?}");
    assert_eq!(
        edge_crm_tests::hidden(&refused.text, "userId").as_deref(),
        Some(id.as_str()),
        "the form is shown again"
    );
}

#[tokio::test]
async fn the_list_shows_every_member_and_nothing_of_one_viewer() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let (mia, _) = world.joined(&owner, "admin").await;
    let (leo, _) = world.joined(&owner, "admin").await;
    let (eve, _) = world.joined(&owner, "viewer").await;
    let invited = world.invite(&owner, "zoe@example.com", "member").await;
    let request = owner.get("/t/acme/members", "application/json");
    let data = world.send(request).await.json()["data"].clone();
    assert_eq!(data["next"], Value::Null);
    let members = data["members"].as_array().unwrap();
    assert_eq!(members.len(), 5);
    let newest = &members[0];
    assert_eq!(newest["id"], invited["id"]);
    assert_eq!(
        (&newest["name"], &newest["status"], &newest["role"]),
        (&json!(null), &json!("invited"), &json!("member"))
    );
    assert!(
        members
            .iter()
            .all(|member| member.get("invitation").is_none())
    );

    let pages = [&mia, &leo].map(|person| world.look(person, "/members"));
    let [first, second] = futures_util::future::join_all(pages)
        .await
        .try_into()
        .unwrap();
    assert_eq!(first.text, second.text, "all admins get the same page");
    assert!(first.text.contains("zoe@example.com") && first.text.contains("Member, invited"));
    assert!(first.text.contains("href=\"/t/acme/members/invite\""));
    assert!(
        !first.text.contains("idempotency_key"),
        "a cached page contains no idempotency key"
    );
    assert!(world.look(&leo, "/members").await.is_hit());
    let viewers = world.look(&eve, "/members").await;
    assert!(!viewers.text.contains("/invite") && !viewers.text.contains("/edit"));
    assert!(!viewers.text.contains("token="));

    // After a user has joined, the old page is gone.
    let (_, _) = world.joined(&owner, "viewer").await;
    let fresh = world.look(&mia, "/members").await;
    assert!(fresh.text.contains("Members (6)"), "{fresh:?}");
}

#[tokio::test]
async fn the_edit_page_offers_what_its_viewer_may_do() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let (admin, _) = world.joined(&owner, "admin").await;
    let (eve, _) = world.joined(&owner, "viewer").await;
    let edit = |person: &Person| format!("/members/{}/edit", person.user());

    let page = world.look(&admin, &edit(&eve)).await.text;
    assert!(page.contains("/actions/change-role") && page.contains("/actions/remove-member"));
    assert!(page.contains("value=\"viewer\" selected") && !page.contains("value=\"owner\""));
    let page = world.look(&admin, &edit(&owner)).await.text;
    assert!(!page.contains("/actions/change-role") && !page.contains("/actions/remove-member"));
    assert_eq!(world.look(&eve, &edit(&admin)).await.status, 403);
    let page = world.look(&eve, &edit(&eve)).await.text;
    assert!(page.contains("Leave Acme?") && !page.contains("/actions/change-role"));

    // Only users who may invite owners see the link of an owner's invitation.
    let invited = world.invite(&owner, "zoe@example.com", "owner").await;
    let path = format!("/members/{}/edit", invited["id"].as_str().unwrap());
    let link = invited["link"].as_str().unwrap();
    assert!(world.look(&owner, &path).await.text.contains(link));
    assert!(!world.look(&admin, &path).await.text.contains("token="));
    let again = json!({ "email": "zoe@example.com", "role": "admin" });
    assert_eq!(world.act(&admin, "invite-member", &again).await.status, 403);

    let id = eve.user();
    let form = [
        ("userId", id.as_str()),
        ("role", "member"),
        ("idempotency_key", "k"),
    ];
    let response = world.submit(&admin, "change-role", &form).await;
    assert_eq!(response.header("location"), "/t/acme/members#role-changed");
    let form = [
        ("userId", id.as_str()),
        ("role", "owner"),
        ("idempotency_key", "l"),
    ];
    let refused = world.submit(&admin, "change-role", &form).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .text
            .contains("You cannot give or take a role above your own")
    );
}
