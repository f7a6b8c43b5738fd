//! Creates a project.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Members, Sample,
    Text, visible,
};
use crm::{Name, Project};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct CreateProject;

/// The fields of a new project.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct NewProject {
    #[validate(length(min = 1, max = Name::MAX), custom(function = visible))]
    name: Text,
}

impl Action for CreateProject {
    const NAME: &'static str = "create-project";
    type Permission = Members;
    type Input = NewProject;
    type Output = Project;

    fn sample() -> Sample {
        Sample::json(json!({ "name": "Second turbine" }))
    }

    fn run(
        context: &Context<Actor>,
        new: &NewProject,
        _: &Found,
    ) -> Result<Commit<Project>, ActionError> {
        let actor = &context.caller;
        let project = Project::new(context.new_id(), actor, Name::from(&new.name), context.now);
        Ok(project.create(&actor.tenant))
    }
}

impl Form for CreateProject {
    fn success_path(layout: Option<&Layout>, _: &NewProject, _: &Project) -> String {
        pages::paths::projects(layout, "#project-created")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::projects(layout, "/new")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::project_new(page.layout, page.state)
    }
}
