//! What the edge forgets when somebody changes their name.

use action::Role;
use edge_crm_tests::world::World;
use serde_json::json;
use std::time::Duration;
use store::{Store, TableSettings};

#[tokio::test]
async fn a_new_name_makes_the_edge_forget_the_members_of_every_organisation_and_nothing_else() {
    let world = World::start().await;
    let mut ada = world.sign_up("Acme").await;
    let beta = world.sign_up("Beta").await;
    let account = world.table.under("#account:").into_iter();
    let own = |account: &edge_crm_tests::Record| {
        account.get("organizations")[0]["tenant"] == ada.tenant.as_str()
    };
    let account = account.clone().find(own).expect("an account");
    let email = account.get("email").as_str().unwrap().to_owned();
    world.table.add_membership(&email, "beta", "member");
    let readers = [&ada, &beta].map(|owner| world.join(owner, Role::Viewer));
    world.settled(Duration::from_secs(5)).await;
    for reader in &readers {
        assert_eq!(world.look(reader, "/contacts").await.status, 200);
        assert!(world.look(reader, "/contacts").await.is_hit());
    }
    // As after a look at the members of both.
    let store = Store::connect(TableSettings::local(world.table.url(), "edge-crm"));
    let user = account.get("id").as_str().unwrap().to_owned();
    let tags = ["acme", "beta"].map(|tenant| {
        [
            format!("{tenant}:members"),
            format!("{tenant}:members:{user}"),
        ]
    });
    for tag in tags.iter().flatten() {
        let now = edge_crm_tests::now() * 1000;
        let mark = store.mark(tag, world.distribution.id(), now);
        mark.await.expect("a mark");
    }
    let before = world.distribution.counters();
    let answer = world
        .act(&ada, "update-profile", &json!({ "name": "Ada L." }))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["revalidated"], json!(tags.concat()));
    let after = world.distribution.counters();
    assert_eq!(after.items - before.items, 4, "each tag is purged once");
    for tenant in ["acme", "beta"] {
        let members = world.table.under(&format!("{tenant}:members"));
        let own = members.iter().find(|member| member.sk == user).unwrap();
        assert_eq!(own.get("name"), "Ada L.");
    }
    for reader in &readers {
        assert!(world.look(reader, "/contacts").await.is_hit());
    }
    ada.learn(&answer);
    assert!(!ada.fresh.is_empty(), "the writer's own pages are apart");
    let settings = world.look(&ada, "/settings").await;
    assert!(settings.text.contains("Ada L.") && !settings.is_hit());
    let again = world.look(&ada, "/settings").await;
    assert!(!again.is_hit(), "what is one person's is kept by no cache");
    assert_eq!(again.header("cache-control"), "private, no-store");
}
