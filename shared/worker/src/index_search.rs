//! The `index-search` function: adds committed changes to the search index.
//!
//! A schedule starts it. There is no hurry, because a search also finds entities that are not indexed
//! yet, and indexing many changes at once costs less than indexing each alone.

use crate::{EventError, millis_now as now};
use action::Entity;
use serde_json::{Value, json};
use wrapper::App;

/// How many rounds one event makes before it leaves the rest to the next event.
const ROUNDS: usize = 10;

/// Handles a scheduled event.
///
/// # Errors
/// [`EventError`] if the event is of another kind or storage fails. The next event continues.
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
