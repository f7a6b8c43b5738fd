//! Brings an archived project back.

use action::{Action, App, FormPage, Function};
use commit::{ActionError, Actor, Chrome, Commit, Context, Found, Members, Reads};
use crm::{Project, ProjectRef};
use std::sync::Arc;

/// The action.
#[derive(Debug)]
pub struct RestoreProject;

impl Action for RestoreProject {
    const NAME: &'static str = "restore-project";
    type Permission = Members;
    type Input = ProjectRef;
    type Output = Project;

    fn reads(context: &Context<Actor>, which: &ProjectRef) -> Reads {
        which.reads(&context.caller)
    }

    fn run(
        context: &Context<Actor>,
        which: &ProjectRef,
        found: &Found,
    ) -> Result<Commit<Project>, ActionError> {
        let project = which.project(&context.caller, found)?;
        Ok(project.restore(&context.caller.tenant, context.now))
    }

    fn next(chrome: Option<&Chrome>, _: &ProjectRef, _: &Project) -> String {
        pages::paths::projects(chrome, "#project-restored")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::project_restore(page.chrome, page.state)
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::action::<RestoreProject>(app)
}
