//! Ends the session. Whoever is not signed in is signed out already, and told the same.

use action::{Action, App, FormPage, Function, Scope};
use commit::{ActionError, Actor, Anyone, Chrome, Commit, Context, Found, Subject};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

    fn next(_: Option<&Chrome>, (): &(), _: &SignedOut) -> String {
        "/sign-in".to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::sign_in(page.state, "")
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::action::<SignOut>(app)
}
