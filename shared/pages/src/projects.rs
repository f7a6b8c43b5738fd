//! The pages of projects: the list, which shared caches may store, and the forms, which may not be
//! cached.

use crate::conflict::Conflict;
use crate::dates::day;
use crate::fields::PROJECT_FIELDS;
use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, Section, can_write, render};
use crate::paths;
use action::{FormState, Layout};
use askama::Template;
use crm::Project;
use std::collections::BTreeMap;

static CREATE: FormSpec = FormSpec {
    action: "create-project",
    submit: "Create Project",
    pending: "Creating…",
    failed: "Failed to create project. Please try again.",
    success: "go",
    fields: PROJECT_FIELDS,
};

static RENAME: FormSpec = FormSpec {
    action: "rename-project",
    submit: "Rename Project",
    pending: "Renaming…",
    failed: "Failed to rename project. Please try again.",
    success: "go",
    fields: PROJECT_FIELDS,
};

static ARCHIVE: FormSpec = FormSpec {
    action: "archive-project",
    submit: "Archive Project",
    pending: "Archiving…",
    failed: "Failed to archive project. Please try again.",
    success: "go",
    fields: &[],
};

static RESTORE: FormSpec = FormSpec {
    action: "restore-project",
    submit: "Restore Project",
    pending: "Restoring…",
    failed: "Failed to restore project. Please try again.",
    success: "go",
    fields: &[],
};

/// One page of the list.
#[derive(Debug, Clone, Copy)]
pub struct ProjectList<'a> {
    /// The projects of this page, newest first.
    pub projects: &'a [Project],
    /// The cursor of the next page, if there is one.
    pub next: Option<&'a str>,
    /// Whether the list includes archived projects.
    pub archived: bool,
    /// Whether this is the page with the newest projects.
    pub first_page: bool,
}

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectListPage<'a> {
    frame: PageFrame<'a>,
    projects: String,
    can_write: bool,
    rows: Vec<ProjectRow<'a>>,
    list: &'a ProjectList<'a>,
    form: Form<'a>,
}

/// A project in the list.
struct ProjectRow<'a> {
    id: &'a str,
    name: &'a str,
    archived: bool,
    created_at: String,
    added: String,
}

impl<'a> ProjectRow<'a> {
    fn new(project: &'a Project) -> Self {
        Self {
            id: project.id.as_str(),
            name: project.name.as_str(),
            archived: project.archived_at.is_some(),
            created_at: project.created_at.to_string(),
            added: day(project.created_at),
        }
    }
}

#[derive(Template)]
#[template(path = "project.html")]
struct ProjectPage<'a> {
    frame: PageFrame<'a>,
    projects: String,
    heading: &'static str,
    /// A sentence about the second form.
    about: Option<&'static str>,
    forms: Vec<Form<'a>>,
}

/// One page of the list. Cacheable: it contains nothing about one user, and no idempotency key.
#[must_use]
pub fn project_list(layout: &Layout, list: &ProjectList<'_>) -> String {
    let empty = FormState::default();
    render(&ProjectListPage {
        frame: PageFrame {
            section: Some(Section::Projects),
            ..PageFrame::new(format!("Projects – {}", layout.organization), Some(layout))
        },
        projects: paths::projects(Some(layout), ""),
        can_write: can_write(layout),
        rows: list.projects.iter().map(ProjectRow::new).collect(),
        list,
        form: Form::new(&CREATE, &empty)
            .next_and_cancel(list_path(Some(layout), "#project-created"), None),
    })
}

/// The page for adding a project. Not cacheable.
#[must_use]
pub fn project_new(layout: Option<&Layout>, state: &FormState) -> String {
    let form = Form::new(&CREATE, state)
        .next_and_cancel(list_path(layout, "#project-created"), list_path(layout, ""));
    single_form_page(layout, "Add Project", form)
}

/// The page of one project, with a form to rename it and one to archive or restore it. `key` is a
/// fresh idempotency key, from which each form's key is made. Not cacheable.
#[must_use]
pub fn project(layout: Option<&Layout>, project: &Project, key: &str) -> String {
    let values = [
        ("id", project.id.to_string()),
        ("version", project.version.to_string()),
        ("name", project.name.to_string()),
    ];
    let rename = FormState {
        values: BTreeMap::from(values.map(|(name, value)| (name.to_owned(), value))),
        key: format!("{key}-name"),
        ..FormState::default()
    };
    let archive = FormState {
        key: format!("{key}-place"),
        ..FormState::default()
    };
    let (spec, done, about) = if project.archived_at.is_some() {
        (
            &RESTORE,
            "#project-restored",
            "It is archived, and shows only where archived projects are shown.",
        )
    } else {
        (
            &ARCHIVE,
            "#project-archived",
            "An archived project is out of the way, and can be restored at any time.",
        )
    };
    let second = Form::new(spec, &archive)
        .hidden("id", project.id.as_str())
        .next_and_cancel(list_path(layout, done), None)
        .quiet();
    render(&ProjectPage {
        frame: PageFrame::new("Edit Project", layout),
        projects: paths::projects(layout, ""),
        heading: "Edit Project",
        about: Some(about),
        forms: vec![rename_form(layout, &rename), second],
    })
}

/// The page for renaming a project, after a refused submit. Not cacheable.
#[must_use]
pub fn project_edit(layout: Option<&Layout>, state: &FormState) -> String {
    single_form_page(layout, "Edit Project", rename_form(layout, state))
}

/// The page for archiving a project, after a refused submit. Not cacheable.
#[must_use]
pub fn project_archive(layout: Option<&Layout>, state: &FormState) -> String {
    let form = Form::new(&ARCHIVE, state)
        .hidden("id", state.value("id"))
        .next_and_cancel(
            list_path(layout, "#project-archived"),
            list_path(layout, ""),
        )
        .quiet();
    single_form_page(layout, "Archive Project", form)
}

/// The page for restoring a project, after a refused submit. Not cacheable.
#[must_use]
pub fn project_restore(layout: Option<&Layout>, state: &FormState) -> String {
    let form = Form::new(&RESTORE, state)
        .hidden("id", state.value("id"))
        .next_and_cancel(
            list_path(layout, "#project-restored"),
            list_path(layout, ""),
        )
        .quiet();
    single_form_page(layout, "Restore Project", form)
}

fn rename_form<'a>(layout: Option<&Layout>, state: &'a FormState) -> Form<'a> {
    let id = state.value("id");
    let edit = action::is_uuid(id).then(|| paths::projects(layout, &format!("/{id}/edit")));
    let conflict = state
        .current
        .as_ref()
        .map(|current| Conflict::new(PROJECT_FIELDS, state, current, edit.clone()));
    let version = match &conflict {
        Some(conflict) => conflict.version.clone(),
        None => state.value("version").to_owned(),
    };
    let mut form = Form::new(&RENAME, state)
        .edit_path(edit)
        .hidden("id", id)
        .hidden("version", version)
        .next_and_cancel(list_path(layout, "#project-updated"), list_path(layout, ""));
    form.conflict = conflict;
    form
}

fn single_form_page(layout: Option<&Layout>, heading: &'static str, form: Form<'_>) -> String {
    render(&ProjectPage {
        frame: PageFrame::new(form.title(heading), layout),
        projects: paths::projects(layout, ""),
        heading,
        about: None,
        forms: vec![form],
    })
}

/// The path of the list followed by `rest`, if the tenant is known.
fn list_path(layout: Option<&Layout>, rest: &str) -> Option<String> {
    layout.map(|_| paths::projects(layout, rest))
}
