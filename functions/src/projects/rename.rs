//! Renames a project, if the user has seen its latest version.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Members, Parsed,
    Reads, Sample, Text, Version, visible,
};
use crm::{Name, Project, ProjectRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct RenameProject;

/// The project, the version that the change is based on, and the new name.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ProjectChange {
    #[serde(flatten)]
    #[validate(nested)]
    project: ProjectRef,
    /// The version that the change is based on.
    #[validate(nested)]
    version: Parsed<Version>,
    #[validate(length(min = 1, max = Name::MAX), custom(function = visible))]
    name: Text,
}

impl Action for RenameProject {
    const NAME: &'static str = "rename-project";
    type Permission = Members;
    type Input = ProjectChange;
    type Output = Project;

    fn sample() -> Sample {
        Sample::json(json!({ "id": "{{project}}", "version": 1, "name": "Third turbine" }))
    }

    fn reads(context: &Context<Actor>, change: &ProjectChange) -> Result<Reads, ActionError> {
        Ok(change.project.reads(&context.caller))
    }

    fn run(
        context: &Context<Actor>,
        change: &ProjectChange,
        found: &Found,
    ) -> Result<Commit<Project>, ActionError> {
        let before = change.project.project(&context.caller, found)?;
        if before.version != *change.version.get()? {
            return Err(before.stale());
        }
        Ok(before.rename(
            &context.caller.tenant,
            Name::from(&change.name),
            context.now,
        ))
    }
}

impl Form for RenameProject {
    fn success_path(layout: Option<&Layout>, _: &ProjectChange, _: &Project) -> String {
        pages::paths::projects(layout, "#project-updated")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::projects(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::project_edit(page.layout, page.state)
    }
}
