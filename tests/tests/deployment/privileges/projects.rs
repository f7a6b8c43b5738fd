//! Actions on projects.

use super::Watched;
use edge_crm_tests::fault;
use serde_json::json;

/// Projects: changed with and without cached pages, replayed, refused.
pub(super) async fn projects(watched: &mut Watched, cookie: &str) {
    let create = watched.function("create-project");
    let turbine = json!({ "name": "Turbine", "idempotency_key": "turbine" });
    let created = watched.post(&create, cookie, turbine.clone()).await;
    assert_eq!(created.status, 200, "{created:?}");
    let id = created.json["data"]["id"].clone();
    watched.mark("acme:projects").await;
    watched.post(&create, cookie, turbine).await;
    watched
        .post(&create, cookie, json!({ "name": "Live" }))
        .await;
    watched.post(&create, cookie, json!({ "name": "" })).await;
    // If it always conflicts, it looks for the result of an equal concurrent request.
    let contention = |contention| fault::Faults {
        contention,
        ..fault::Faults::default()
    };
    watched.inside.proxy.make(contention(100));
    let busy = watched.post(&create, cookie, json!({ "name": "B" })).await;
    assert_eq!(busy.status, 503, "{busy:?}");
    watched.inside.proxy.make(contention(0));
    for (name, change) in [
        (
            "rename-project",
            json!({ "id": id, "version": 1, "name": "T" }),
        ),
        ("archive-project", json!({ "id": id })),
        ("restore-project", json!({ "id": id })),
    ] {
        let function = watched.function(name);
        watched.mark("acme:projects").await;
        let done = watched.post(&function, cookie, change.clone()).await;
        assert_eq!(done.status, 200, "{name}: {done:?}");
        let nobody = json!({ "id": nothing(), "version": 1, "name": "T" });
        let refused = watched.post(&function, cookie, nobody).await;
        assert_eq!(refused.status, 404, "{name}: {refused:?}");
    }
}

/// An unknown id.
fn nothing() -> String {
    uuid::Uuid::now_v7().to_string()
}
