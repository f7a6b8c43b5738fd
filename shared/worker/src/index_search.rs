//! The `index-search` function: brings the search index up to date with what has been committed.
//!
//! It takes the event of a schedule. A search finds what has not been indexed yet all the same, so
//! nothing hurries; and many changes at once cost less than one by one.

use crate::{EventError, millis_now as now};
use action::Entity;
use serde_json::{Value, json};
use wrapper::App;

/// How often one event looks for more before it leaves the rest to the next.
const ROUNDS: usize = 10;

/// Handles an event of a schedule.
///
/// # Errors
/// Where the event is of another kind, or storage fails; the next event goes on.
pub(crate) async fn handle<E: Entity>(app: &App, event: &Value) -> Result<Value, EventError> {
    if event.get("detail-type").and_then(Value::as_str) != Some("Scheduled Event") {
        return Err(EventError::Unknown);
    }
    let (mut entities, mut too_large) = (0, Vec::new());
    for _ in 0..ROUNDS {
        let run = app.store.index::<E>(now()).await?;
        entities += run.entities;
        too_large = run.too_large;
        if run.entities == 0 {
            break;
        }
    }
    if entities > 0 || !too_large.is_empty() {
        (app.config.log)(&wrapper::log::indexed(entities, &too_large));
    }
    Ok(json!({ "indexed": entities }))
}
