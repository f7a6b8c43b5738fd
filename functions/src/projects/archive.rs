//! Archives a project.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Members, Reads,
    Sample,
};
use crm::{Project, ProjectRef};
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct ArchiveProject;

impl Action for ArchiveProject {
    const NAME: &'static str = "archive-project";
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
        Ok(project.archive(&context.caller.tenant, context.now))
    }
}

impl Form for ArchiveProject {
    fn success_path(layout: Option<&Layout>, _: &ProjectRef, _: &Project) -> String {
        pages::paths::projects(layout, "#project-archived")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::projects(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::project_archive(page.layout, page.state)
    }
}
