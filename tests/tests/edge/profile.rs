//! Which pages are purged when a user changes their name.

use crate::{PATIENCE, purged};
use action::Role;
use edge_crm_tests::world::World;
use serde_json::json;
use std::time::Instant;

#[tokio::test]
async fn a_new_name_purges_the_members_of_each_of_the_users_organisations_and_nothing_else() {
    let world = World::start().await;
    let mut ada = world.sign_up("Acme").await;
    let beta = world.sign_up("Beta").await;
    let account = world.table.under("#account:").into_iter();
    let is_adas = |account: &edge_crm_tests::Record| {
        account.get("organizations")[0]["tenant"] == ada.tenant.as_str()
    };
    let account = account.clone().find(is_adas).expect("an account");
    let email = account.get("email").as_str().unwrap().to_owned();
    world.table.add_membership(&email, "beta", "member");
    let readers = [&ada, &beta].map(|owner| world.join(owner, Role::Viewer));
    world.settled(PATIENCE).await;
    for reader in &readers {
        assert_eq!(world.look(reader, "/contacts").await.status, 200);
        assert!(world.look(reader, "/contacts").await.is_hit());
    }
    let user = account.get("id").as_str().unwrap().to_owned();
    let tags = ["acme", "beta"].map(|tenant| {
        [
            format!("{tenant}:members"),
            format!("{tenant}:members:{user}"),
        ]
    });
    let late = Instant::now() + PATIENCE;
    let mut attempt = 0;
    let (before, response, name) = loop {
        attempt += 1;
        let name = format!("Ada L. {attempt}");
        // As if someone had looked at the members of both organisations.
        for tag in tags.iter().flatten() {
            let now = edge_crm_tests::now() * 1000;
            world.table.mark(tag, world.distribution.id(), now);
        }
        let before = world.distribution.counters();
        let fields = json!({ "name": name });
        let response = world.act(&ada, "update-profile", &fields).await;
        assert_eq!(response.status, 200, "{response:?}");
        // An action waits 300 ms for CloudFront, which a busy machine may exceed.
        if response.json()["revalidated"] == json!(tags.concat()) || Instant::now() > late {
            break (before, response, name);
        }
        purged(&world).await;
    };
    assert_eq!(response.json()["revalidated"], json!(tags.concat()));
    let after = world.distribution.counters();
    assert_eq!(after.items - before.items, 4, "each tag is purged once");
    for tenant in ["acme", "beta"] {
        let members = world.table.under(&format!("{tenant}:members"));
        let member = members.iter().find(|member| member.sk == user).unwrap();
        assert_eq!(member.get("name"), name.as_str());
    }
    for reader in &readers {
        assert!(world.look(reader, "/contacts").await.is_hit());
    }
    ada.learn(&response);
    assert!(!ada.fresh.is_empty(), "the writer gets pages of their own");
    let settings = world.look(&ada, "/settings").await;
    assert!(settings.text.contains(&name) && !settings.is_hit());
    let again = world.look(&ada, "/settings").await;
    assert!(!again.is_hit(), "a page of one user is never cached");
    assert_eq!(again.header("cache-control"), "private, no-store");
}
