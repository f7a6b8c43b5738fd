//! The settings page: several forms, each with its own state and idempotency key.

use crate::account_forms::OneFormPage;
use crate::dates::day;
use crate::fields::{PASSWORD_FIELDS, PROFILE_FIELDS};
use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, Section, render};
use crate::paths;
use action::{FormState, Layout, Role};
use askama::Template;
use crm::{AccountSettings, SessionInfo};

/// One form of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsForm {
    /// Changes the user's name.
    Profile,
    /// Changes the password.
    Password,
    /// Switches to another organization.
    Switch,
    /// Ends one session.
    End,
    /// Ends all sessions.
    Everywhere,
    /// Sends the link that confirms the email again.
    Confirm,
}

static PROFILE: FormSpec = FormSpec {
    action: "update-profile",
    submit: "Save profile",
    pending: "Saving…",
    failed: "Failed to save your profile. Please try again.",
    success: "go",
    fields: PROFILE_FIELDS,
};

static PASSWORD: FormSpec = FormSpec {
    action: "change-password",
    submit: "Change password",
    pending: "Changing…",
    failed: "Failed to change your password. Please try again.",
    success: "go",
    fields: PASSWORD_FIELDS,
};

static SWITCH: FormSpec = FormSpec {
    action: "switch-organization",
    submit: "Switch",
    pending: "Switching…",
    failed: "Failed to switch. Please try again.",
    success: "go",
    fields: &[],
};

static END: FormSpec = FormSpec {
    action: "end-session",
    submit: "End session",
    pending: "Ending…",
    failed: "Failed to end the session. Please try again.",
    success: "go",
    fields: &[],
};

static EVERYWHERE: FormSpec = FormSpec {
    action: "sign-out-everywhere",
    submit: "Sign out everywhere",
    pending: "Signing out…",
    failed: "Failed to sign out. Please try again.",
    success: "go",
    fields: &[],
};

static SEND_CONFIRMATION: FormSpec = FormSpec {
    action: "send-confirmation",
    submit: "Send the link again",
    pending: "Sending…",
    failed: "Failed to send the link. Please try again.",
    success: "go",
    fields: &[],
};

impl SettingsForm {
    const ALL: [Self; 6] = [
        Self::Profile,
        Self::Password,
        Self::Switch,
        Self::End,
        Self::Everywhere,
        Self::Confirm,
    ];

    fn spec(self) -> &'static FormSpec {
        match self {
            Self::Profile => &PROFILE,
            Self::Password => &PASSWORD,
            Self::Switch => &SWITCH,
            Self::End => &END,
            Self::Everywhere => &EVERYWHERE,
            Self::Confirm => &SEND_CONFIRMATION,
        }
    }

    /// The name of its buttons, if each button sends a different value.
    fn choice_field(self) -> Option<&'static str> {
        match self {
            Self::Switch => Some("tenant"),
            Self::End => Some("id"),
            Self::Profile | Self::Password | Self::Everywhere | Self::Confirm => None,
        }
    }

    /// Its state if it has not been sent.
    fn fresh(self, settings: &AccountSettings, key: &str) -> FormState {
        let mut state = FormState {
            key: format!("{key}-{}", self.spec().action),
            ..FormState::default()
        };
        if self == Self::Profile {
            let name = settings.user.name.to_string();
            state.values.insert("name".to_owned(), name);
        }
        state
    }
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage<'a> {
    frame: PageFrame<'a>,
    /// The path of this page.
    here: String,
    settings: &'a AccountSettings,
    sessions: Vec<SessionRow<'a>>,
    profile: Form<'a>,
    password: Form<'a>,
    switch: Form<'a>,
    end: Form<'a>,
    everywhere: Form<'a>,
    confirm: Form<'a>,
    /// Whether the user may rename the organization.
    can_rename: bool,
}

/// A session in the list.
struct SessionRow<'a> {
    id: &'a str,
    agent: &'a str,
    address: &'a str,
    created_at: String,
    since: String,
    last_used_at: String,
    used: String,
    current: bool,
}

impl<'a> SessionRow<'a> {
    fn new(session: &'a SessionInfo) -> Self {
        Self {
            id: &session.id,
            agent: session.agent.as_deref().unwrap_or("Unknown browser"),
            address: session.address.as_deref().unwrap_or("Unknown address"),
            created_at: session.created_at.to_string(),
            since: day(session.created_at),
            last_used_at: session.last_used_at.to_string(),
            used: day(session.last_used_at),
            current: session.current,
        }
    }
}

/// The settings page. `key` is a fresh idempotency key, from which each form's key is made. `sent`
/// is the form that was refused, with its state; the other forms are fresh. If the settings could
/// not be read, the page has only the refused form. Not cacheable.
#[must_use]
pub fn settings(
    layout: Option<&Layout>,
    settings: Option<&AccountSettings>,
    key: &str,
    sent: Option<(SettingsForm, &FormState)>,
) -> String {
    let Some(settings) = settings else {
        return single_form_page(layout, sent);
    };
    let states = SettingsForm::ALL.map(|form| match sent {
        Some((refused, state)) if refused == form => state.clone(),
        _ => form.fresh(settings, key),
    });
    let [profile, password, switch, end, everywhere, confirm] = &states;
    let user = Some(settings.user.id.as_str());
    let view = |form: SettingsForm, state| Form::new(form.spec(), state).of_account(user);
    let title = match sent {
        Some((form, state)) => view(form, state).title("Settings"),
        None => "Settings".to_owned(),
    };
    render(&SettingsPage {
        frame: PageFrame {
            section: Some(Section::Settings),
            ..PageFrame::new(title, layout)
        },
        here: paths::settings(layout, ""),
        settings,
        sessions: settings.sessions.iter().map(SessionRow::new).collect(),
        profile: view(SettingsForm::Profile, profile),
        password: view(SettingsForm::Password, password),
        switch: view(SettingsForm::Switch, switch),
        end: view(SettingsForm::End, end),
        everywhere: view(SettingsForm::Everywhere, everywhere),
        confirm: view(SettingsForm::Confirm, confirm).quiet(),
        can_rename: layout.is_some_and(|layout| layout.role == Role::Owner),
    })
}

/// A page with only the form that was refused.
fn single_form_page(layout: Option<&Layout>, sent: Option<(SettingsForm, &FormState)>) -> String {
    let empty = FormState::default();
    let (form, state) = sent.unwrap_or((SettingsForm::Profile, &empty));
    let mut view = Form::new(form.spec(), state).of_account(None);
    if let Some(field) = form.choice_field() {
        view = view.hidden(field, state.value(field));
    }
    render(&OneFormPage {
        frame: PageFrame::new(view.title("Settings"), layout),
        heading: "Settings",
        intro: None,
        back: layout.map(|_| (paths::settings(layout, ""), "Settings")),
        form: Some(view),
    })
}
