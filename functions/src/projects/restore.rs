//! Restores an archived project.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Members, Reads,
    Sample,
};
use crm::{Project, ProjectRef};
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct RestoreProject;

impl Action for RestoreProject {
    const NAME: &'static str = "restore-project";
    type Permission = Members;
    type Input = ProjectRef;
    type Output = Project;

    fn sample() -> Sample {
        Sample::json(json!({ "id": "{{project}}" }))
    }

    fn reads(context: &Context<Actor>, input: &ProjectRef) -> Result<Reads, ActionError> {
        Ok(input.reads(&context.caller))
    }

    fn run(
        context: &Context<Actor>,
        input: &ProjectRef,
        found: &Found,
    ) -> Result<Commit<Project>, ActionError> {
        let project = input.project(&context.caller, found)?;
        Ok(project.restore(&context.caller.tenant, context.now))
    }
}

impl Form for RestoreProject {
    fn success_path(layout: Option<&Layout>, _: &ProjectRef, _: &Project) -> String {
        pages::paths::projects(layout, "#project-restored")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::projects(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::project_restore(page.layout, page.state)
    }
}
