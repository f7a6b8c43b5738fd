//! Ends the session. A user who is not signed in gets the same response.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Empty, Form, FormPage, Found, Layout,
    Reads, Sample, Scope, Session, Subject,
};
use crm::Account;
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct SignOut;

impl Action for SignOut {
    const NAME: &'static str = "sign-out";
    type Permission = Anyone;
    type Input = Empty;
    type Output = Empty;

    fn sample() -> Sample {
        Sample::form(json!({}))
    }

    /// Not recorded: signing out twice is the same as signing out once.
    fn scope(_: &Empty) -> Result<Scope, ActionError> {
        Ok(Scope::Unrecorded)
    }

    fn reads(context: &Context<Option<Actor>>, _: &Empty) -> Result<Reads, ActionError> {
        Ok(context.caller.as_ref().map_or_else(Reads::none, |actor| {
            Reads::none().query(crm::open_sessions(&actor.user, context.now))
        }))
    }

    fn more_reads(context: &Context<Option<Actor>>, _: &Empty, found: &Found) -> Reads {
        let Some(actor) = &context.caller else {
            return Reads::none();
        };
        let sessions = found.records::<Session>("session", actor.user.as_str());
        match sessions {
            Ok(sessions) if sessions.len() >= crm::MAX_SESSIONS => {
                Account::caller_reads(actor, found)
            }
            _ => Reads::none(),
        }
    }

    fn run(
        context: &Context<Option<Actor>>,
        _: &Empty,
        found: &Found,
    ) -> Result<Commit<Empty>, ActionError> {
        let (Some(actor), Some(own)) = (&context.caller, &context.session) else {
            return Ok(Commit::nothing(Empty {}).close_session());
        };
        let subject = Subject {
            tenant: actor.tenant.clone(),
            resource: "sessions",
            id: actor.user.to_string(),
        };
        let commit = Commit::new(subject, Empty {}).close_session();
        let sessions: Vec<Session> = found.records("session", actor.user.as_str())?;
        if sessions.len() < crm::MAX_SESSIONS {
            return Ok(crm::end_sign_in(commit, &sessions, own, None));
        }
        // Which of them this browser has opened is not known for all, so all end.
        let account = Account::of_caller(actor, found)?;
        Ok(account.with_sessions_ended().end_sessions(commit, &account))
    }
}

impl Form for SignOut {
    fn success_path(_: Option<&Layout>, _: &Empty, _: &Empty) -> String {
        "/sign-in".to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::sign_in(page.state, "")
    }
}
