//! Ends one of the user's sessions, for example on a computer that they no longer use.

use crate::accounts::settings;
use action::{
    Action, ActionError, Actor, Commit, Context, Empty, Form, FormPage, Found, Layout, Reads,
    Sample, Session, Subject, Viewers, lenient,
};
use crm::{Account, AccountSettings};
use pages::SettingsForm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::str::FromStr;
use validator::Validate;

const NOT_FOUND: ActionError = ActionError::NotFound("Session not found or access denied");

/// The action.
#[derive(Debug)]
pub struct EndSession;

/// The session to end. Any text that is not the id of one of the user's sessions is answered as not
/// found.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct SessionRef {
    #[serde(deserialize_with = "lenient")]
    id: Option<SessionId>,
}

/// The id of a session.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(inline)]
struct SessionId(#[schemars(length(max = 100))] String);

impl FromStr for SessionId {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let is_id = (1..=100).contains(&text.len());
        is_id.then(|| Self(text.to_owned())).ok_or(NOT_FOUND)
    }
}

impl Action for EndSession {
    const NAME: &'static str = "end-session";
    const OF_ACCOUNT: bool = true;
    type Permission = Viewers;
    const RULE: &'static str = "only their own sessions";
    type Input = SessionRef;
    type Output = Empty;

    fn sample() -> Sample {
        Sample::form(json!({ "id": "{{other}}" }))
    }

    fn reads(context: &Context<Actor>, _: &SessionRef) -> Result<Reads, ActionError> {
        Ok(Account::caller_reads(&context.caller, &Found::default()))
    }

    fn more_reads(context: &Context<Actor>, _: &SessionRef, found: &Found) -> Reads {
        match Account::of_caller(&context.caller, found) {
            Ok(account) => Reads::none().query(crm::open_sessions(&account.id, context.now)),
            Err(_) => Account::caller_reads(&context.caller, found),
        }
    }

    fn run(
        context: &Context<Actor>,
        input: &SessionRef,
        found: &Found,
    ) -> Result<Commit<Empty>, ActionError> {
        let user = &context.caller.user;
        let sessions: Vec<Session> = found.records("session", user.as_str())?;
        let id = input.id.as_ref().map(|id| id.0.as_str());
        let account = Account::of_caller(&context.caller, found)?;
        let live = |session: &&Session| session.generation == account.session_generation;
        let named = |session: &&Session| Some(&*session.id) == id;
        // If the browser has switched the organisation since the page was loaded, the session is gone and
        // another has replaced it.
        let follows = |session: &&Session| Some(session.sign_in()) == id;
        let mut all = sessions.iter().filter(live);
        let session = all.clone().find(named).or_else(|| all.find(follows));
        let session = session.ok_or(NOT_FOUND)?;
        let key = session.key();
        let subject = Subject {
            tenant: context.caller.tenant.clone(),
            resource: "sessions",
            id: session.id.clone(),
        };
        let commit = Commit::new(subject, Empty {});
        // The caller stays signed in, unless it is the caller's own session.
        let own = context.session.as_ref().filter(|own| **own != key);
        let commit = crm::end_sign_in(commit, &sessions, &key, own);
        Ok(if context.session.as_ref() == Some(&key) {
            commit.close_session()
        } else {
            commit.delete_record(key, None)
        })
    }
}

impl Form for EndSession {
    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        AccountSettings::reads(context, found)
    }

    fn success_path(layout: Option<&Layout>, _: &SessionRef, _: &Empty) -> String {
        pages::paths::settings(layout, "#session-ended")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings::form(page, SettingsForm::End)
    }
}
