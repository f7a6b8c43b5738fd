//! The background functions. The table's stream and schedules start them; no user waits for their
//! results.

mod deliver_mail;
mod index_search;
mod revalidate;

pub use deliver_mail::EmailTemplates;

use action::{Entity, Key};
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime};
use store::StoreError;
use wrapper::Function;

/// How long one run works before it leaves the rest to the next. The template gives each function 60 s,
/// so that a run can finish what it is doing.
pub const BUDGET: Duration = Duration::from_secs(40);

/// When a run stops taking up more work.
#[derive(Debug, Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    /// The deadline of a run that starts now.
    fn new() -> Self {
        Self(Instant::now() + BUDGET)
    }

    fn is_over(self) -> bool {
        Instant::now() >= self.0
    }
}

/// The function that purges stale pages after commits, if the actions themselves have not.
#[must_use]
pub const fn revalidate() -> Function {
    Function::background(
        "revalidate",
        |app, event| Box::pin(async { Ok(revalidate::handle(app, event).await?) }),
        true,
    )
}

/// The function that sends stored emails, with the templates of `T`.
#[must_use]
pub const fn deliver_mail<T: EmailTemplates>() -> Function {
    Function::background(
        "deliver-mail",
        |app, event| Box::pin(async { Ok(deliver_mail::handle::<T>(app, event).await?) }),
        false,
    )
}

/// The function that updates the search index of the entities `E`.
#[must_use]
pub const fn index_search<E: Entity + 'static>() -> Function {
    Function::background(
        "index-search",
        |app, event| Box::pin(async { Ok(index_search::handle::<E>(app, event).await?) }),
        false,
    )
}

/// An event was not handled. Lambda delivers it again.
#[derive(Debug, thiserror::Error)]
enum EventError {
    #[error("the event is neither a batch of the table's stream nor a scheduled event")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key of the item in a record of the stream, if its partition key starts with `partition`.
fn key(record: &Value, partition: &str) -> Option<Key> {
    let part = |name: &str| {
        let text = record.pointer(&format!("/dynamodb/Keys/{name}/S"));
        text.and_then(Value::as_str).map(str::to_owned)
    };
    let pk = part("pk").filter(|pk| pk.starts_with(partition))?;
    Some(Key::from_parts(pk, part("sk")?))
}

/// Milliseconds since 1970.
fn millis_now() -> i64 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| {
        i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
    })
}
