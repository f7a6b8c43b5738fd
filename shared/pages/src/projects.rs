//! The pages of projects: the list, which may be cached for many, and the forms, which may not.

use crate::conflict::Conflict;
use crate::dates::day;
use crate::form::{Form, FormSpec, PROJECT_FIELDS};
use crate::layout::{Page, Section, can_write, render};
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
    /// The cursor of the next page, where there is one.
    pub next: Option<&'a str>,
    /// Whether archived projects are among them.
    pub archived: bool,
    /// Whether this page is the newest.
    pub first_page: bool,
}

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectListPage<'a> {
    page: Page<'a>,
    projects: String,
    can_write: bool,
    rows: Vec<Row<'a>>,
    list: &'a ProjectList<'a>,
    form: Form<'a>,
}

/// A project in the list.
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    archived: bool,
    created_at: String,
    added: String,
}

impl<'a> Row<'a> {
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
    page: Page<'a>,
    projects: String,
    heading: &'static str,
    /// What the second form is about, in a sentence.
    about: Option<&'static str>,
    forms: Vec<Form<'a>>,
}

/// One page of the list. Cacheable: it holds nothing about one user, and no key.
#[must_use]
pub fn project_list(layout: &Layout, list: &ProjectList<'_>) -> String {
    let empty = FormState::default();
    render(&ProjectListPage {
        page: Page {
            section: Some(Section::Projects),
            ..Page::new(format!("Projects – {}", layout.organization), Some(layout))
        },
        projects: paths::projects(Some(layout), ""),
        can_write: can_write(layout),
        rows: list.projects.iter().map(Row::new).collect(),
        list,
        form: Form::new(&CREATE, &empty).between(to(Some(layout), "#project-created"), None),
    })
}

/// The page for adding a project. Not cacheable.
#[must_use]
pub fn project_new(layout: Option<&Layout>, form: &FormState) -> String {
    let view = Form::new(&CREATE, form).between(to(layout, "#project-created"), to(layout, ""));
    one(layout, "Add Project", view)
}

/// The page of one project: to rename it, and to archive or restore it. `key` is the page's fresh
/// idempotency key. Not cacheable.
#[must_use]
pub fn project(layout: Option<&Layout>, project: &Project, key: &str) -> String {
    let values = [
        ("id", project.id.to_string()),
        ("version", project.version.to_string()),
        ("name", project.name.to_string()),
    ];
    let named = FormState {
        values: BTreeMap::from(values.map(|(name, value)| (name.to_owned(), value))),
        key: format!("{key}-name"),
        ..FormState::default()
    };
    let moved = FormState {
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
    let second = Form::new(spec, &moved)
        .hidden("id", project.id.as_str())
        .between(to(layout, done), None)
        .quiet();
    render(&ProjectPage {
        page: Page::new("Edit Project", layout),
        projects: paths::projects(layout, ""),
        heading: "Edit Project",
        about: Some(about),
        forms: vec![renaming(layout, &named), second],
    })
}

/// The page for renaming a project, after a refused submit. Not cacheable.
#[must_use]
pub fn project_edit(layout: Option<&Layout>, form: &FormState) -> String {
    one(layout, "Edit Project", renaming(layout, form))
}

/// The page for archiving a project, after a refused submit. Not cacheable.
#[must_use]
pub fn project_archive(layout: Option<&Layout>, form: &FormState) -> String {
    let view = Form::new(&ARCHIVE, form)
        .hidden("id", form.value("id"))
        .between(to(layout, "#project-archived"), to(layout, ""))
        .quiet();
    one(layout, "Archive Project", view)
}

/// The page for restoring a project, after a refused submit. Not cacheable.
#[must_use]
pub fn project_restore(layout: Option<&Layout>, form: &FormState) -> String {
    let view = Form::new(&RESTORE, form)
        .hidden("id", form.value("id"))
        .between(to(layout, "#project-restored"), to(layout, ""))
        .quiet();
    one(layout, "Restore Project", view)
}

fn renaming<'a>(layout: Option<&Layout>, form: &'a FormState) -> Form<'a> {
    let id = form.value("id");
    let edit = action::is_uuid(id).then(|| paths::projects(layout, &format!("/{id}/edit")));
    let conflict = form
        .current
        .as_ref()
        .map(|current| Conflict::new(PROJECT_FIELDS, form, current, edit.clone()));
    let version = match &conflict {
        Some(conflict) => conflict.version.clone(),
        None => form.value("version").to_owned(),
    };
    let mut view = Form::new(&RENAME, form)
        .edited_at(edit)
        .hidden("id", id)
        .hidden("version", version)
        .between(to(layout, "#project-updated"), to(layout, ""));
    view.conflict = conflict;
    view
}

fn one(layout: Option<&Layout>, heading: &'static str, form: Form<'_>) -> String {
    render(&ProjectPage {
        page: Page::new(form.title(heading), layout),
        projects: paths::projects(layout, ""),
        heading,
        about: None,
        forms: vec![form],
    })
}

/// The list, where the organisation is known; with what follows its path.
fn to(layout: Option<&Layout>, rest: &str) -> Option<String> {
    layout.map(|_| paths::projects(layout, rest))
}
