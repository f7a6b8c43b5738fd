//! What a user could do ends with the role: invitations, and simultaneous changes of members.

use edge_crm_tests::fault::{Fault, Proxy, Strike};
use edge_crm_tests::people::{PASSWORD, email, token};
use edge_crm_tests::world::{Person, World};
use edge_crm_tests::{Client, Launch, Product, Table};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

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
    for round in 0..24 {
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

/// Removing somebody is the end of what they do: what they have on the way by then is not done any more.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_removed_member_is_written_after_the_removal() {
    let world = World::start().await;
    for round in 0..20 {
        let owner = world.sign_up("Acme").await;
        let (mia, id) = member(&world, &owner, "member").await;
        let contacts = || {
            world
                .table
                .under(&format!("{}:contacts", owner.tenant))
                .len()
        };
        let removed = async {
            let removed = world
                .act(&owner, "remove-member", &json!({ "userId": id }))
                .await;
            assert_eq!(removed.status, 200, "round {round}: {removed:?}");
            contacts()
        };
        let creations = (0..8).map(|number| {
            let email = format!("{number}@example.com");
            let fields = json!({ "name": "Eve", "email": email });
            let (world, mia) = (&world, &mia);
            async move { world.act(mia, "create-contact", &fields).await.status }
        });
        let (before, statuses) = tokio::join!(removed, futures_util::future::join_all(creations));
        assert_eq!(contacts(), before, "round {round}: {statuses:?}");
        let created = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(created, before, "round {round}: {statuses:?}");
        assert!(
            statuses.iter().all(|status| [200, 401].contains(status)),
            "round {round}: {statuses:?}"
        );
    }
}

/// The product over a table whose next transaction can be held back.
async fn with_held_transactions() -> (Table, Proxy, Product) {
    let table = Table::start().await;
    let proxy = Proxy::start(table.url()).await;
    let product = Launch::new().table_at(&proxy.url).start();
    (table, proxy, product)
}

/// Sends a request, and another one while the transaction of the first is on the way. Returns both
/// responses.
async fn overtaken<A, B>(
    proxy: &Proxy,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let made = proxy.made.load(Ordering::Relaxed);
    proxy.plan(vec![Strike {
        call: "TransactWriteItems".to_owned(),
        after: 0,
        times: 1,
        fault: Fault::HeldCall,
    }]);
    tokio::join!(first, async {
        while proxy.made.load(Ordering::Relaxed) == made {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let response = second.await;
        proxy.plan(Vec::new());
        response
    })
}

/// A new member with this role, and the user id.
async fn joined(product: &Product, owner: &Client, role: &str) -> Client {
    let email = email();
    let invited = [("email", email.as_str()), ("role", role)];
    let link = owner.post("invite-member", &invited).await.data();
    let token = token(link["link"].as_str().expect("a link"));
    let mut client = product.client();
    let fields = [
        ("token", token.as_str()),
        ("name", "Mia"),
        ("password", PASSWORD),
    ];
    let member = client.post("accept-invite", &fields).await.data();
    client.user = member["id"].as_str().expect("an id").to_owned();
    client.tenant.clone_from(&owner.tenant);
    client
}

/// The same, in the worst order: each request is overtaken after its checks.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_a_removal_or_demotion_overtakes_is_refused() {
    let (table, proxy, product) = with_held_transactions().await;
    let owner = product.sign_up("Acme").await;
    let contact = [("name", "Eve"), ("email", "eve@example.com")];

    let mia = joined(&product, &owner, "member").await;
    let removal = [("userId", mia.user.as_str())];
    let (late, removed) = overtaken(
        &proxy,
        mia.post("create-contact", &contact),
        owner.post("remove-member", &removal),
    )
    .await;
    assert_eq!(removed.status, 200, "{removed:?}");
    late.expect(401, "AUTH_ERROR");

    let mia = joined(&product, &owner, "member").await;
    let demotion = [("userId", mia.user.as_str()), ("role", "viewer")];
    let (late, demoted) = overtaken(
        &proxy,
        mia.post_form("create-contact", &contact, Some("k")),
        owner.post("change-role", &demotion),
    )
    .await;
    assert_eq!(demoted.status, 200, "{demoted:?}");
    late.expect(403, "AUTH_ERROR");
    assert!(table.under("acme:contacts").is_empty());
    // Nothing keeps the key: it works once the user may create contacts again.
    let promotion = [demotion[0], ("role", "member")];
    assert_eq!(owner.post("change-role", &promotion).await.status, 200);
    let again = mia.post_form("create-contact", &contact, Some("k")).await;
    assert_eq!(again.status, 200, "{again:?}");

    let [ann, bea] = [
        joined(&product, &owner, "admin").await,
        joined(&product, &owner, "admin").await,
    ];
    let (of_bea, of_ann) = ([("userId", &*bea.user)], [("userId", &*ann.user)]);
    let (late, first) = overtaken(
        &proxy,
        ann.post("remove-member", &of_bea),
        bea.post("remove-member", &of_ann),
    )
    .await;
    assert_eq!(first.status, 200, "{first:?}");
    late.expect(401, "AUTH_ERROR");
    assert_eq!(bea.get("/t/acme/settings").await.status, 200);
}

/// A change of the name, which says nothing about what a member may do, does not stop a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_a_new_name_overtakes_is_done() {
    let (_table, proxy, product) = with_held_transactions().await;
    let owner = product.sign_up("Acme").await;
    let contact = [("name", "Eve"), ("email", "eve@example.com")];
    proxy.calls();
    let (created, renamed) = overtaken(
        &proxy,
        owner.post("create-contact", &contact),
        owner.post("update-profile", &[("name", "Another Name")]),
    )
    .await;
    assert_eq!((created.status, renamed.status), (200, 200), "{created:?}");
}
