//! Ends the session. Whoever is not signed in is signed out already, and told the same.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, FormPage, Found, Layout, Sample, Scope,
    Subject,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct SignOut;

/// The answer: nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct SignedOut {}

impl Action for SignOut {
    const NAME: &'static str = "sign-out";
    type Permission = Anyone;
    type Input = ();
    type Output = SignedOut;

    fn sample() -> Sample {
        Sample::form(json!({}))
    }

    /// Signing out twice is signing out, so there is no result to keep.
    fn scope((): &()) -> Scope {
        Scope::Unrecorded
    }

    fn run(
        context: &Context<Option<Actor>>,
        (): &(),
        _: &Found,
    ) -> Result<Commit<SignedOut>, ActionError> {
        let commit = match &context.caller {
            None => Commit::nothing(SignedOut {}),
            Some(Actor { tenant, user, .. }) => {
                let subject = Subject {
                    tenant: tenant.clone(),
                    resource: "sessions",
                    id: user.to_string(),
                };
                Commit::new(subject, SignedOut {})
            }
        };
        Ok(commit.close_session())
    }

    fn success_path(_: Option<&Layout>, (): &(), _: &SignedOut) -> String {
        "/sign-in".to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::sign_in(page.state, "")
    }
}
