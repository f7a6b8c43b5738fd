//! Adds a project.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Input, Invalid, Layout,
    Members, Sample,
};
use crm::{Name, Project};
use serde::Serialize;
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct CreateProject;

/// A new project.
#[derive(Debug, Clone, Serialize)]
pub struct NewProject {
    name: Name,
}

impl Input for NewProject {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let name = form.field("name", Name::parse);
        Ok(Self { name: name? })
    }
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
        let project = Project::new(context.new_id(), actor, new.name.clone(), context.now);
        Ok(project.create(&actor.tenant))
    }

    fn success_path(layout: Option<&Layout>, _: &NewProject, _: &Project) -> String {
        pages::paths::projects(layout, "#project-created")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::project_new(page.layout, page.state)
    }
}
