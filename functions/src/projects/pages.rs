//! The form pages of projects.

use crate::contacts::pages::Blank;
use action::{ActionError, Actor, Context, FormState, Found, Members, Reads, View, ViewPage};
use crm::{Project, ProjectRef};

/// The form to add a project.
pub struct NewPage;

/// The forms to rename one, and to archive or restore it.
pub struct EditPage;

impl View for NewPage {
    const PATH: &'static str = "/t/{tenant}/projects/new";
    type Permission = Members;
    type Params = ();
    type Output = Blank;

    fn show(_: &Context<Actor>, (): &(), _: &Found) -> Result<Blank, ActionError> {
        Ok(Blank {})
    }

    fn page(page: &ViewPage<'_>, _: &Blank) -> String {
        let state = FormState {
            key: page.key.clone(),
            ..FormState::default()
        };
        pages::project_new(page.layout, &state)
    }
}

impl View for EditPage {
    const PATH: &'static str = "/t/{tenant}/projects/{id}/edit";
    type Permission = Members;
    type Params = ProjectRef;
    type Output = Project;

    fn reads(context: &Context<Actor>, which: &ProjectRef) -> Result<Reads, ActionError> {
        Ok(which.reads(&context.caller))
    }

    fn show(
        context: &Context<Actor>,
        which: &ProjectRef,
        found: &Found,
    ) -> Result<Project, ActionError> {
        which.project(&context.caller, found)
    }

    fn page(page: &ViewPage<'_>, project: &Project) -> String {
        pages::project(page.layout, project, &page.key)
    }
}
