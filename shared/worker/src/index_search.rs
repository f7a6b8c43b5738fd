//! The `index-search` function: adds committed changes to the search index.
//!
//! A schedule starts it. There is no hurry, because a search also finds entities that are not indexed
//! yet, and indexing many changes at once costs less than indexing each alone.

use crate::{BUDGET, EventError, millis_now as now};
use action::Entity;
use serde_json::{Value, json};
use store::Indexed;
use wrapper::App;

/// Handles a scheduled event.
///
/// # Errors
/// [`EventError`] if the event is of another kind or storage fails. The next event continues.
pub(crate) async fn handle<E: Entity>(app: &App, event: &Value) -> Result<Value, EventError> {
    if event.get("detail-type").and_then(Value::as_str) != Some("Scheduled Event") {
        return Err(EventError::Unknown);
    }
    let run = app.store.index::<E>(now(), BUDGET).await?;
    if run != Indexed::default() {
        (app.config.log)(&wrapper::log::indexed(run.entities, &run.failed));
    }
    Ok(json!({ "indexed": run.entities }))
}
