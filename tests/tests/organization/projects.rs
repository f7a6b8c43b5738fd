//! Projects: create, rename, archive, restore and list.

use edge_crm_tests::{Answer, Client, Product, product_with_table};
use serde_json::{Value, json};

fn id(project: &Value) -> &str {
    project["id"].as_str().expect("an id")
}

async fn add(client: &Client, name: &str) -> Value {
    let response = client.post("create-project", &[("name", name)]).await;
    response.data()
}

async fn about(client: &Client, action: &str, project: &Value) -> Answer {
    client.post(action, &[("id", id(project))]).await
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let path = format!("/t/{}/projects{query}", client.tenant);
    let data = client.get(&path).await.data();
    let projects = data["projects"].as_array().expect("projects");
    let name = |project: &Value| project["name"].as_str().expect("a name").to_owned();
    projects.iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_archived_and_restored_and_its_tags_are_purged() {
    let (product, table) = product_with_table().await;
    let acme = product.sign_up("Acme").await;
    let response = acme.post("create-project", &[("name", " Turbine ")]).await;
    let project = response.data();
    let created = project["createdAt"].clone();
    assert_eq!(
        project,
        json!({
            "id": id(&project), "name": "Turbine", "ownerId": acme.user, "archivedAt": null,
            "createdAt": created, "updatedAt": created, "version": 1,
        })
    );
    let tags = json!(["acme:projects", format!("acme:projects:{}", id(&project))]);
    assert_eq!(response.json()["revalidated"], tags);

    let archived = about(&acme, "archive-project", &project).await;
    assert_eq!(archived.json()["revalidated"], tags);
    let archived = archived.data();
    assert_eq!(archived["archivedAt"], archived["updatedAt"]);
    assert_eq!(archived["version"], 2);
    assert!(names(&acme, "").await.is_empty());
    assert_eq!(names(&acme, "?archived=shown").await, ["Turbine"]);

    let audits = table.under("#audit:acme").len();
    let again = about(&acme, "archive-project", &project).await.data();
    assert_eq!(again, archived, "an archived project stays unchanged");
    assert_eq!(table.under("#audit:acme").len(), audits);

    let restored = about(&acme, "restore-project", &project).await.data();
    assert_eq!(
        (&restored["archivedAt"], &restored["version"]),
        (&Value::Null, &json!(3))
    );
    assert_eq!(names(&acme, "?archived=hidden").await, ["Turbine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_needs_the_latest_version() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let project = add(&acme, "Turbine").await;
    let rename = async |version: &str, name: &str| {
        let fields = [("id", id(&project)), ("version", version), ("name", name)];
        acme.post("rename-project", &fields).await
    };
    let renamed = rename("1", "Windmill").await.data();
    assert_eq!(
        (renamed["name"].as_str(), &renamed["version"]),
        (Some("Windmill"), &json!(2))
    );
    let stale = rename("1", "Turbine 2").await;
    assert_eq!(stale.expect(409, "CONFLICT").json()["current"], renamed);
    let wrong = rename("2", "").await;
    assert_eq!(
        wrong.expect(400, "VALIDATION_ERROR").json()["fieldErrors"],
        json!({ "name": "Name is required" })
    );
    let long = "n".repeat(101);
    let response = acme.post("create-project", &[("name", &long)]).await;
    assert_eq!(
        response.expect(400, "VALIDATION_ERROR").json()["fieldErrors"]["name"],
        "Name too long"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_another_organisation_is_not_found() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let other = product.sign_up("Other").await;
    let project = add(&acme, "Turbine").await;
    for action in ["archive-project", "restore-project"] {
        let refused = about(&other, action, &project).await;
        let words = &refused.expect(404, "NOT_FOUND").json()["error"];
        assert_eq!(words, "Project not found or access denied");
    }
    let fields = [("id", id(&project)), ("version", "1"), ("name", "Mine")];
    other
        .post("rename-project", &fields)
        .await
        .expect(404, "NOT_FOUND");
    assert!(names(&other, "?archived=shown").await.is_empty());
    assert_eq!(names(&acme, "").await, ["Turbine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_has_pages_and_wrong_queries_have_messages() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for n in 0..52 {
        add(&acme, &format!("P{n}")).await;
    }
    let first = acme.get("/t/acme/projects").await.data();
    assert_eq!(first["projects"].as_array().map(Vec::len), Some(50));
    assert_eq!(first["projects"][0]["name"], "P51");
    let next = first["next"].as_str().expect("a cursor");
    let query = format!("?after={next}");
    assert_eq!(names(&acme, &query).await, ["P1", "P0"]);
    // A cursor works only for the list that it was issued for.
    for query in [
        format!("?archived=shown&after={next}"),
        "?after=x".to_owned(),
        "?archived=perhaps".to_owned(),
    ] {
        let response = acme.get(&format!("/t/acme/projects{query}")).await;
        response.expect(400, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_work_without_scripts() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    let form = acme.page("/t/acme/projects/new").await;
    let key = form.hidden("idempotency_key").expect("a key");
    let fields = [("name", "Turbine"), ("idempotency_key", key.as_str())];
    let sent = acme.submit("create-project", &fields).await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, Some("/t/acme/projects#project-created"))
    );
    let list = acme.page("/t/acme/projects").await.text;
    assert!(list.contains(">Turbine<") && list.contains("Projects ("));
    assert!(!list.contains("name=\"idempotency_key\""), "{list}");

    let data = acme.get("/t/acme/projects").await.data();
    let project = data["projects"][0].clone();
    let edit = format!("/t/acme/projects/{}/edit", id(&project));
    let page = acme.page(&edit).await.text;
    assert!(page.contains("value=\"Turbine\"") && page.contains("Archive Project"));
    let sent = acme
        .submit("archive-project", &[("id", id(&project))])
        .await;
    assert_eq!(
        sent.header("location"),
        Some("/t/acme/projects#project-archived")
    );
    assert!(acme.page(&edit).await.text.contains("Restore Project"));
    let refused = acme
        .submit(
            "rename-project",
            &[("id", id(&project)), ("version", "1"), ("name", "Mill")],
        )
        .await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("Your version and theirs"));
    assert_eq!(refused.hidden("version").as_deref(), Some("2"));
}
