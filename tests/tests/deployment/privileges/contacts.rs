//! What the functions of contacts call.

use super::{LIST, Watched};
use serde_json::json;

/// Contacts: changed with and without cached pages, replayed, refused.
pub(super) async fn contacts(watched: &mut Watched, cookie: &str) {
    let create = watched.function("create-contact");
    let zoe = json!({ "name": "Zoë", "email": "zoe@example.com", "idempotency_key": "zoe" });
    let created = watched.post(&create, cookie, zoe.clone()).await;
    assert_eq!(created.status, 200, "{created:?}");
    watched.post(&create, cookie, zoe).await;
    watched.mark("acme:contacts").await;
    let live = json!({ "name": "Bo", "email": "bo@example.com" });
    assert_eq!(
        watched.post(&create, cookie, live.clone()).await.status,
        200
    );
    assert_eq!(watched.post(&create, cookie, live).await.status, 409);

    let update = watched.function("update-contact");
    let id = created.json["data"]["id"].clone();
    let mut change = json!({ "id": id, "version": 1, "name": "Z", "email": "zo@example.com" });
    watched.mark("acme:contacts").await;
    assert_eq!(
        watched.post(&update, cookie, change.clone()).await.status,
        200
    );
    change["version"] = json!(2);
    assert_eq!(
        watched.post(&update, cookie, change.clone()).await.status,
        200
    );
    assert_eq!(watched.post(&update, cookie, change).await.status, 409);

    let id = id.as_str().unwrap();
    views(watched, cookie, id).await;
    let which = json!({ "id": id });
    for name in ["delete-contact", "restore-contact"] {
        let function = watched.function(name);
        watched.mark("acme:contacts").await;
        let done = watched.post(&function, cookie, which.clone()).await;
        assert_eq!(done.status, 200, "{name}: {done:?}");
        let again = watched.post(&function, cookie, which.clone()).await;
        assert_eq!(again.status, 404, "{name}: {again:?}");
    }
}

/// Each view, through the edge, with and without a renewal of the session.
async fn views(watched: &mut Watched, cookie: &str, id: &str) {
    for (function, path) in [
        ("list-contacts", LIST.to_owned()),
        ("get-contact", format!("{LIST}/{id}")),
        ("audit", "/t/acme/audit".to_owned()),
        ("audit", "/t/acme/audit.csv".to_owned()),
        ("list-members", "/t/acme/members".to_owned()),
        ("pages", format!("{LIST}/new")),
        ("pages", format!("{LIST}/{id}/edit")),
        ("pages", format!("{LIST}/{id}/delete")),
        ("pages", format!("{LIST}/trash")),
        ("list-projects", "/t/acme/projects".to_owned()),
        ("pages", "/sign-in".to_owned()),
    ] {
        let function = watched.function(function);
        let response = watched.get(&function, &path, cookie).await;
        assert!(response.status < 400, "{path}: {response:?}");
        watched.age_session("admin");
        let response = watched.get(&function, &path, cookie).await;
        assert!(response.status < 400, "{path}: {response:?}");
        watched.age_session("owner");
    }
}
