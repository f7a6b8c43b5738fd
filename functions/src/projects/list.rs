//! Lists projects, newest first, with or without those that are archived.

use action::{
    ActionError, Actor, Context, FieldErrors, Form, Found, Input, Invalid, Query, Reads, View,
    ViewPage, Viewers,
};
use crm::{PAGE_SIZE, Project};
use serde::Serialize;
use std::convert::Infallible;

/// The view.
#[derive(Debug)]
pub struct ListProjects;

/// Which projects, and where to begin.
#[derive(Debug, Clone, Serialize)]
pub struct Selection {
    archived: bool,
    after: Option<String>,
}

impl Input for Selection {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let archived = form.optional("archived", |text| match text {
            "shown" => Ok(true),
            "hidden" => Ok(false),
            _ => Err("Archived projects are either shown or hidden"),
        });
        let after = form.optional("after", |text| Ok::<_, Infallible>(text.to_owned()));
        Ok(Self {
            archived: archived?.unwrap_or(false),
            after: after?,
        })
    }
}

impl Selection {
    /// A cursor is good for this list alone.
    fn list(&self, actor: &Actor) -> String {
        format!("{}:projects {}", actor.tenant, self.archived)
    }
}

/// One page of the list.
#[derive(Debug, Serialize)]
pub struct Page {
    projects: Vec<Project>,
    next: Option<String>,
    #[serde(skip)]
    selection: Selection,
}

impl View for ListProjects {
    const PATH: &'static str = "/t/{tenant}/projects";
    const FUNCTION: &'static str = "list-projects";
    type Permission = Viewers;
    type Params = Selection;
    type Output = Page;

    fn sample() -> &'static str {
        "archived=shown"
    }

    fn reads(context: &Context<Actor>, selection: &Selection) -> Result<Reads, ActionError> {
        let list = selection.list(&context.caller);
        let position = |cursor: &String| {
            let unknown = || FieldErrors::from([("after".to_owned(), "Unknown page".to_owned())]);
            context
                .position(&list, cursor)
                .ok_or_else(|| ActionError::Validation(unknown()))
        };
        let after = selection.after.as_ref().map(position).transpose()?;
        let newest = Query::newest::<Project>(&context.caller.tenant, PAGE_SIZE + 1).after(after);
        Ok(Reads::none().query(if selection.archived {
            newest
        } else {
            newest.filter(crm::is_active)
        }))
    }

    fn show(
        context: &Context<Actor>,
        selection: &Selection,
        found: &Found,
    ) -> Result<Page, ActionError> {
        let mut projects: Vec<Project> = found.range(&context.caller.tenant)?;
        let more = projects.len() > PAGE_SIZE;
        projects.truncate(PAGE_SIZE);
        let next = projects
            .last()
            .filter(|_| more)
            .map(|last| context.cursor(&selection.list(&context.caller), last.id.as_str()));
        Ok(Page {
            projects,
            next,
            selection: selection.clone(),
        })
    }

    fn page(page: &ViewPage<'_>, output: &Page) -> String {
        let list = pages::ProjectList {
            projects: &output.projects,
            next: output.next.as_deref(),
            archived: output.selection.archived,
            first_page: output.selection.after.is_none(),
        };
        page.layout
            .map(|layout| pages::project_list(layout, &list))
            .unwrap_or_default()
    }
}
