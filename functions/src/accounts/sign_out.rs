//! Ends the session. A user who is not signed in gets the same response.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Empty, Form, FormPage, Found, Layout,
    Reads, Sample, Scope, Session, Subject,
};
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

    fn run(
        context: &Context<Option<Actor>>,
        _: &Empty,
        found: &Found,
    ) -> Result<Commit<Empty>, ActionError> {
        let commit = match &context.caller {
            None => Commit::nothing(Empty {}),
            Some(Actor { tenant, user, .. }) => {
                let subject = Subject {
                    tenant: tenant.clone(),
                    resource: "sessions",
                    id: user.to_string(),
                };
                let sessions: Vec<Session> = found.records("session", user.as_str())?;
                let commit = Commit::new(subject, Empty {});
                match &context.session {
                    Some(own) => crm::end_sign_in(commit, &sessions, own, None),
                    None => commit,
                }
            }
        };
        Ok(commit.close_session())
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
