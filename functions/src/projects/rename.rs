//! Gives a project another name, for who has seen its latest version.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Input, Invalid, Layout,
    Members, Reads, Sample, Version,
};
use crm::{Name, Project, ProjectRef};
use serde::Serialize;
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct RenameProject;

/// Which project, the version that the change was based on, and the name.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    #[serde(flatten)]
    which: ProjectRef,
    version: Version,
    name: Name,
}

impl Input for Change {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let which = ProjectRef::parse(form);
        let version = form.field("version", |text| {
            Version::parse(text).map_err(|_| "Invalid version")
        });
        let name = form.field("name", Name::parse);
        Ok(Self {
            which: which?,
            version: version?,
            name: name?,
        })
    }
}

impl Action for RenameProject {
    const NAME: &'static str = "rename-project";
    type Permission = Members;
    type Input = Change;
    type Output = Project;

    fn sample() -> Sample {
        Sample::json(json!({ "id": "{{project}}", "version": 1, "name": "Third turbine" }))
    }

    fn reads(context: &Context<Actor>, change: &Change) -> Reads {
        change.which.reads(&context.caller)
    }

    fn run(
        context: &Context<Actor>,
        change: &Change,
        found: &Found,
    ) -> Result<Commit<Project>, ActionError> {
        let before = change.which.project(&context.caller, found)?;
        if before.version != change.version {
            return Err(before.stale());
        }
        Ok(before.rename(&context.caller.tenant, change.name.clone(), context.now))
    }

    fn success_path(layout: Option<&Layout>, _: &Change, _: &Project) -> String {
        pages::paths::projects(layout, "#project-updated")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::project_edit(page.layout, page.state)
    }
}
