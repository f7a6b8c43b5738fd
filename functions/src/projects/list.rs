//! Lists projects, newest first, with or without the archived ones.

use action::{
    ActionError, Actor, Context, Found, Parsed, Query, Reads, Text, View, ViewPage, Viewers,
    cut_page, optional,
};
use crm::{PAGE_SIZE, Project};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use validator::Validate;

/// The view.
#[derive(Debug)]
pub struct ListProjects;

/// Whether archived projects are listed too, and the page.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ProjectFilter {
    #[serde(deserialize_with = "optional")]
    #[validate(nested)]
    archived: Option<Parsed<Archived>>,
    /// The cursor from `next` of the page before.
    #[serde(deserialize_with = "optional")]
    after: Option<Text>,
}

/// Whether archived projects are listed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Archived {
    /// Archived projects are listed too.
    Shown,
    /// Archived projects are not listed.
    Hidden,
}

impl FromStr for Archived {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "shown" => Ok(Self::Shown),
            "hidden" => Ok(Self::Hidden),
            _ => Err("Archived projects are either shown or hidden"),
        }
    }
}

impl ProjectFilter {
    fn includes_archived(&self) -> bool {
        let archived = self.archived.as_ref();
        archived.is_some_and(|archived| archived.as_str() == "shown")
    }

    /// The name of this list. A cursor works only for the list that it was made for.
    fn list_name(&self, actor: &Actor) -> String {
        format!("{}:projects {}", actor.tenant, self.includes_archived())
    }
}

/// One page of the projects.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProjectsPage {
    projects: Vec<Project>,
    /// The cursor of the next page; `null` on the last one.
    next: Option<String>,
    #[serde(skip)]
    filter: ProjectFilter,
}

impl View for ListProjects {
    const PATH: &'static str = "/t/{tenant}/projects";
    const FUNCTION: &'static str = "list-projects";
    type Permission = Viewers;
    type Params = ProjectFilter;
    type Output = ProjectsPage;

    fn sample() -> &'static str {
        "archived=shown"
    }

    fn reads(context: &Context<Actor>, filter: &ProjectFilter) -> Result<Reads, ActionError> {
        let list_name = filter.list_name(&context.caller);
        let after = context.after(&list_name, filter.after.as_ref())?;
        let newest = Query::newest::<Project>(&context.caller.tenant, PAGE_SIZE + 1).after(after);
        Ok(Reads::none().query(if filter.includes_archived() {
            newest
        } else {
            newest.filter(crm::is_active)
        }))
    }

    fn show(
        context: &Context<Actor>,
        filter: &ProjectFilter,
        found: &Found,
    ) -> Result<ProjectsPage, ActionError> {
        let mut projects: Vec<Project> = found.range(&context.caller.tenant)?;
        let last = cut_page(&mut projects, PAGE_SIZE).map(|last| last.id.as_str());
        let next = last
            .or(found.unread::<Project>(&context.caller.tenant))
            .map(|last| context.cursor(&filter.list_name(&context.caller), last));
        Ok(ProjectsPage {
            projects,
            next,
            filter: filter.clone(),
        })
    }

    fn page(page: &ViewPage<'_>, output: &ProjectsPage) -> String {
        let list = pages::ProjectList {
            projects: &output.projects,
            next: output.next.as_deref(),
            archived: output.filter.includes_archived(),
            first_page: output.filter.after.is_none(),
        };
        page.layout
            .map(|layout| pages::project_list(layout, &list))
            .unwrap_or_default()
    }
}
