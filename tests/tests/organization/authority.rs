//! What a user could do ends with the role: invitations, and simultaneous changes of members.

use edge_crm_tests::people::{PASSWORD, email, token};
use edge_crm_tests::world::{Person, World};
use serde_json::{Value, json};

/// A new member, and the user id.
async fn member(world: &World, owner: &Person, role: &str) -> (Person, Value) {
    let (person, email) = world.joined(owner, role).await;
    let id = world.guard(&owner.tenant, &email);
    (person, id)
}

/// A member who is demoted or removed must not come back by an invitation from before.
#[tokio::test]
async fn an_invitation_is_worth_what_its_inviter_may_still_grant() {
    let world = World::start().await;
    for (role, invited, change) in [
        ("owner", "owner", "demoted to admin"),
        ("admin", "member", "demoted to member"),
        ("owner", "viewer", "removed"),
    ] {
        let owner = world.sign_up("Acme").await;
        let (inviter, id) = member(&world, &owner, role).await;
        let token = world.invitation(&inviter, &email(), invited).await;
        let done = match change.strip_prefix("demoted to ") {
            Some(lower) => {
                let fields = json!({ "userId": id, "role": lower });
                world.act(&owner, "change-role", &fields).await
            }
            None => {
                let fields = json!({ "userId": id });
                world.act(&owner, "remove-member", &fields).await
            }
        };
        assert_eq!(done.status, 200, "{done:?}");
        let members = || world.table.under(&format!("{}:members", owner.tenant));
        let before = members();
        let refused = world.accept(&Person::default(), &token, PASSWORD).await;
        assert_eq!(refused.status, 403, "{change}: {refused:?}");
        let message = refused.json()["error"].clone();
        assert!(
            message.as_str().unwrap().contains("no longer works"),
            "{message}"
        );
        assert_eq!(members(), before, "{change}");
    }
}

/// What the inviter may still grant stays valid, and whoever confirms the role vouches for it.
#[tokio::test]
async fn an_invitation_stays_if_its_role_is_still_within_reach() {
    let world = World::start().await;
    let owner = world.sign_up("Acme").await;
    let (inviter, inviter_id) = member(&world, &owner, "owner").await;
    let stays = world.invitation(&inviter, &email(), "member").await;
    let confirmed = world.invite(&inviter, &email(), "owner").await;
    let id = confirmed["id"].clone();
    let fields = json!({ "userId": inviter_id, "role": "admin" });
    assert_eq!(world.act(&owner, "change-role", &fields).await.status, 200);
    let accepted = world.accept(&Person::default(), &stays, PASSWORD).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    let fields = json!({ "userId": id, "role": "owner" });
    assert_eq!(world.act(&owner, "change-role", &fields).await.status, 200);
    // The new role has a new link. The old one is in the hands of a user who cannot grant it.
    let link = confirmed["link"].as_str().unwrap();
    let refused = world
        .accept(&Person::default(), &token(link), PASSWORD)
        .await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let page = world
        .look(&owner, &format!("/members/{}/edit", id.as_str().unwrap()))
        .await;
    let (_, rest) = page.text.split_once("?token=").expect("the new link");
    let new = rest.split(['"', '<', '&']).next().unwrap();
    let accepted = world.accept(&Person::default(), new, PASSWORD).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    assert_eq!(accepted.json()["data"]["role"], "owner");
}

#[tokio::test]
async fn of_two_admins_who_remove_each_other_one_stays() {
    let world = World::start().await;
    for round in 0..8 {
        let owner = world.sign_up("Acme").await;
        let (ann, ann_id) = member(&world, &owner, "admin").await;
        let (bea, bea_id) = member(&world, &owner, "admin").await;
        let (of_bea, of_ann) = (json!({ "userId": bea_id }), json!({ "userId": ann_id }));
        let removals = [
            world.act(&ann, "remove-member", &of_bea),
            world.act(&bea, "remove-member", &of_ann),
        ];
        let removals = futures_util::future::join_all(removals).await;
        let mut statuses: Vec<_> = removals.iter().map(|response| response.status).collect();
        statuses.sort_unstable();
        assert!(
            statuses == [200, 401] || statuses == [200, 403],
            "round {round}: {removals:?}"
        );
    }
}
