//! Counts the refused and failed requests of signed-in users. There is at most one counter for each
//! user, action and code, so that nobody can fill the table.

use crate::{App, Failure};
use action::{Actor, Key};
use jiff::{Timestamp, Unit};

/// How long a counter is kept after its last request, in seconds: 30 days.
const RETENTION: i64 = 30 * 86_400;

/// Counts a refusal of this action. The response does not depend on whether that succeeds, and waits
/// only a short time for it.
pub(crate) async fn count(app: &App, actor: Option<&Actor>, action: &str, failure: &Failure) {
    let Some(actor) = actor else { return };
    let (user, code) = (actor.user.as_str(), failure.code.as_str());
    let key = Key::record(
        "refused",
        actor.tenant.as_str(),
        &format!("{user}:{action}:{code}"),
    );
    let about = [("userId", user), ("action", action), ("code", code)];
    let now = Timestamp::now();
    let now = now.round(Unit::Millisecond).unwrap_or(now);
    let counted = app
        .store
        .tally(&key, about, now, now.as_second() + RETENTION);
    match tokio::time::timeout(app.config.best_effort_timeout, counted).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a refusal could not be counted"),
        Err(_) => tracing::warn!("a refusal was not counted in time"),
    }
}
