//! The page that a link into another organization of the user opens.

use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, render};
use crate::paths;
use action::{FormState, Layout, OtherOrganization};
use askama::Template;

static SWITCH: FormSpec = FormSpec {
    action: "switch-organization",
    submit: "Switch organization",
    pending: "Switching…",
    failed: "Failed to switch. Please try again.",
    success: "go",
    fields: &[],
};

#[derive(Template)]
#[template(path = "switch.html")]
struct SwitchPage<'a> {
    frame: PageFrame<'a>,
    heading: &'static str,
    current: &'a str,
    other: &'a str,
    form: Form<'a>,
}

/// The page that offers to switch to the organization of a link, and then leads to the page of the link.
/// Not cacheable.
#[must_use]
pub fn switch(layout: &Layout, other: &OtherOrganization) -> String {
    let heading = "This page is in another of your organizations";
    let state = FormState {
        key: other.key.clone(),
        ..FormState::default()
    };
    let form = Form::new(&SWITCH, &state)
        .hidden("tenant", other.tenant.as_str())
        .hidden("return_to", other.path.as_str())
        .of_account(Some(other.user.as_str()))
        .primary()
        .next_and_cancel(None, Some(paths::contacts(Some(layout), "")));
    render(&SwitchPage {
        frame: PageFrame::new(heading, Some(layout)),
        heading,
        current: &layout.organization,
        other: &other.name,
        form,
    })
}
