//! Runs an action's function. If it checks a password, this counts the attempt: the only place that does.

use crate::Failure;
use crate::run::attempt::Call;
use crate::run::limit::Counter;
use action::{Action, ActionError};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl<A: Action> Call<'_, A> {
    /// Runs the action's function, or its check of a repeated request. The run counts as a failure of the
    /// account before its result is known, and no longer once it has succeeded. A panic is an error.
    pub(crate) async fn count_guess<T>(
        &self,
        account: Option<&Counter>,
        run: impl FnOnce() -> Result<T, ActionError>,
    ) -> Result<T, Failure> {
        let attempts = match account {
            Some(account) => Some((account, account.attempt(&self.app.store).await?)),
            None => None,
        };
        let result = catch_unwind(AssertUnwindSafe(run));
        let result = result
            .unwrap_or_else(|_| Err(ActionError::Internal("the function panicked".to_owned())));
        let is_wrong = matches!(
            result,
            Err(ActionError::Unauthenticated(_) | ActionError::WrongPassword { .. })
        );
        match attempts {
            Some((account, attempts)) if is_wrong => account.check(attempts)?,
            Some((account, _)) => account.uncount(&self.app.store).await,
            None => {}
        }
        Ok(result?)
    }
}
