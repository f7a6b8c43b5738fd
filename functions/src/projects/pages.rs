//! The form pages of projects.

use action::{
    ActionError, Actor, Context, Empty, FormState, Found, Members, Reads, View, ViewPage,
};
use crm::{Project, ProjectRef};

/// The form to add a project.
pub struct NewPage;

/// The forms to rename, archive and restore a project.
pub struct EditPage;

impl View for NewPage {
    const PATH: &'static str = "/t/{tenant}/projects/new";
    type Permission = Members;
    type Params = Empty;
    type Output = Empty;

    fn show(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Empty, ActionError> {
        Ok(Empty {})
    }

    fn page(page: &ViewPage<'_>, _: &Empty) -> String {
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

    fn reads(context: &Context<Actor>, params: &ProjectRef) -> Result<Reads, ActionError> {
        Ok(params.reads(&context.caller))
    }

    fn show(
        context: &Context<Actor>,
        params: &ProjectRef,
        found: &Found,
    ) -> Result<Project, ActionError> {
        params.project(&context.caller, found)
    }

    fn page(page: &ViewPage<'_>, project: &Project) -> String {
        pages::project(page.layout, project, &page.key)
    }
}
