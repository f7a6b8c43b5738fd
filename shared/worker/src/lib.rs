//! The functions that work in the background: they are started by the table's stream and by
//! schedules, and nobody waits for their answers.

mod deliver_mail;
mod index_search;
mod revalidate;

pub use deliver_mail::Letters;

use action::{Entity, Key};
use serde_json::Value;
use std::time::SystemTime;
use store::StoreError;
use wrapper::Function;

/// The function that purges what committed changes have made stale, if the actions that made them
/// have not.
#[must_use]
pub const fn revalidate() -> Function {
    Function::background(
        "revalidate",
        |app, event| Box::pin(async { Ok(revalidate::handle(app, event).await?) }),
        true,
    )
}

/// The function that sends the letters that `L` writes.
#[must_use]
pub const fn deliver_mail<L: Letters>() -> Function {
    Function::background(
        "deliver-mail",
        |app, event| Box::pin(async { Ok(deliver_mail::handle::<L>(app, event).await?) }),
        false,
    )
}

/// The function that brings the search index of the entities `E` up to date.
#[must_use]
pub const fn index_search<E: Entity + 'static>() -> Function {
    Function::background(
        "index-search",
        |app, event| Box::pin(async { Ok(index_search::handle::<E>(app, event).await?) }),
        false,
    )
}

/// Why an event was not handled. Lambda brings it again.
#[derive(Debug, thiserror::Error)]
enum EventError {
    #[error("this is neither a batch of the table's stream nor a scheduled event")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key of the item that a stream's record is about, if its partition key begins so.
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
