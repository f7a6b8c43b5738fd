//! Ends one session of the caller: on a computer that was left behind, say.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Input, Invalid, Layout,
    Reads, Sample, Session, Subject, Viewers,
};
use crm::{Account, Settings};
use pages::SettingsForm;
use serde::{Deserialize, Serialize};
use serde_json::json;

const NOT_FOUND: ActionError = ActionError::NotFound("Session not found or access denied");

/// The action.
#[derive(Debug)]
pub struct EndSession;

/// Which session.
#[derive(Debug, Clone, Serialize)]
pub struct Which {
    id: String,
}

impl Input for Which {
    /// What cannot be an id is no session's: so it is found nowhere.
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let id = form.field("id", |text| Ok::<_, String>(text.to_owned()))?;
        Ok(Self { id })
    }
}

/// The answer: nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {}

impl Action for EndSession {
    const NAME: &'static str = "end-session";
    type Permission = Viewers;
    const RULE: &'static str = "one of their own sessions";
    type Input = Which;
    type Output = Ended;

    fn sample() -> Sample {
        Sample::form(json!({ "id": "{{other}}" }))
    }

    fn reads(context: &Context<Actor>, _: &Which) -> Reads {
        Account::reads_of(&context.caller, &Found::default())
    }

    fn more_reads(context: &Context<Actor>, _: &Which, found: &Found) -> Reads {
        match Account::of(&context.caller, found) {
            Ok(account) => Reads::none().query(crm::live_sessions(&account, context.now)),
            Err(_) => Account::reads_of(&context.caller, found),
        }
    }

    fn run(
        context: &Context<Actor>,
        which: &Which,
        found: &Found,
    ) -> Result<Commit<Ended>, ActionError> {
        let user = &context.caller.user;
        let sessions: Vec<Session> = found.records("session", user.as_str())?;
        let mut sessions = sessions.into_iter();
        let session = sessions.find(|session| !which.id.is_empty() && session.id == which.id);
        let key = session.ok_or(NOT_FOUND)?.key();
        let subject = Subject {
            tenant: context.caller.tenant.clone(),
            resource: "sessions",
            id: which.id.clone(),
        };
        let commit = Commit::new(subject, Ended {});
        Ok(if context.session.as_ref() == Some(&key) {
            commit.close_session()
        } else {
            commit.delete_record(key, None)
        })
    }

    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        Settings::reads(context, found)
    }

    fn success_path(layout: Option<&Layout>, _: &Which, _: &Ended) -> String {
        pages::paths::settings(layout, "#session-ended")
    }

    fn form(page: &FormPage<'_>) -> String {
        let settings = page
            .context
            .map(|context| Settings::of(context, page.found));
        let settings = settings.and_then(Result::ok);
        let sent = Some((SettingsForm::End, page.state));
        pages::settings(page.layout, settings.as_ref(), &page.key, sent)
    }
}
