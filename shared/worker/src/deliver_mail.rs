//! The `deliver-mail` function: sends the letters that commits have left in the table.
//!
//! A letter is put off before each attempt to send it, so that no other run sends it meanwhile,
//! and removed after one that succeeded. A crash between the two sends it again later: it arrives
//! at least once. It takes the same kinds of event as `revalidate` does.

use crate::{EventError, key, millis_now as now};
use action::{Expect, Item, Key, Operation, Version};
use mail::{MailError, Text};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{Rejected, StoreError};
use wrapper::App;

/// Writes the letters that [`action::Letter`]s ask for.
pub trait Letters: Send + Sync + 'static {
    /// The letter made from this template with these values and this link; nothing if there is no
    /// such template.
    fn write(template: &str, values: &BTreeMap<String, String>, link: &str) -> Option<Text>;
}

/// How many letters of each partition one look takes.
const PER_SHARD: i32 = 25;

/// How often a sweep looks for more before it leaves the rest to the next.
const ROUNDS: usize = 20;

/// How long a letter waits after its first attempt, in milliseconds: longer than SES may take.
const FIRST_WAIT: i64 = 10_000;

/// How long it waits at most.
const LONGEST_WAIT: i64 = 900_000;

/// After how many attempts a letter that is refused is given up. One that meets an outage never
/// is.
const ATTEMPTS: u32 = 5;

/// A letter as stored.
#[derive(Debug, Deserialize)]
struct Stored {
    id: String,
    to: Option<String>,
    template: String,
    values: BTreeMap<String, String>,
    path: String,
    purpose: String,
    token: String,
    origin: Option<String>,
    attempts: u32,
    version: Version,
}

/// What became of the letters.
#[derive(Debug, Default)]
struct Report {
    sent: usize,
    dropped: usize,
    failed: usize,
    /// Why the rest is left for later.
    left: Option<MailError>,
}

/// Handles an event, and answers as Lambda wants it for a stream.
///
/// # Errors
/// Where the event is of neither kind, or storage fails; Lambda then brings the event again.
pub(crate) async fn handle<L: Letters>(app: &App, event: &Value) -> Result<Value, EventError> {
    let mut report = Report::default();
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        let keys = records.iter().filter_map(|record| key(record, "#mail:"));
        let written = app.store.items(keys).await?;
        let due = |item: &Item| {
            let due_at = item.get("dueAt").and_then(Value::as_i64);
            due_at.is_none_or(|due_at| due_at <= now())
        };
        let due = written.into_iter().filter(|(_, item)| due(item)).collect();
        deliver::<L>(app, due, &mut report).await?;
    } else if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
        for _ in 0..ROUNDS {
            let due = app.store.due_records("mail", now(), PER_SHARD).await?;
            if due.is_empty() || report.left.is_some() {
                break;
            }
            deliver::<L>(app, due, &mut report).await?;
        }
    } else {
        return Err(EventError::Unknown);
    }
    if report.sent + report.dropped + report.failed > 0 {
        let left = report.left.as_ref().map(ToString::to_string);
        let line = wrapper::log::delivered(report.sent, report.dropped, report.failed, left);
        (app.config.log)(&line);
    }
    Ok(json!({ "batchItemFailures": [], "sent": report.sent }))
}

async fn deliver<L: Letters>(
    app: &App,
    due: Vec<(Key, Item)>,
    report: &mut Report,
) -> Result<(), StoreError> {
    for (key, item) in due {
        if report.left.is_some() {
            return Ok(());
        }
        match serde_json::from_value::<Stored>(Value::Object(item.clone())) {
            Ok(letter) => one::<L>(app, &key, item, &letter, report).await?,
            Err(error) => {
                tracing::error!(%error, "a stored letter cannot be read, and is given up");
                report.failed += 1;
                remove(app, &key).await?;
            }
        }
    }
    Ok(())
}

/// Sends one letter, or drops it.
async fn one<L: Letters>(
    app: &App,
    key: &Key,
    item: Item,
    letter: &Stored,
    report: &mut Report,
) -> Result<(), StoreError> {
    let Some(to) = &letter.to else {
        return remove(app, key).await;
    };
    if !app.mailer.sends() {
        report.dropped += 1;
        return remove(app, key).await;
    }
    let Some(key) = put_off(app, key, item, letter).await? else {
        return Ok(());
    };
    let error = match send::<L>(app, to, letter).await {
        Ok(()) => {
            report.sent += 1;
            return remove(app, &key).await;
        }
        Err(error) => error,
    };
    report.failed += 1;
    let (id, template) = (&letter.id, &letter.template);
    match error {
        MailError::Refused(_) if letter.attempts + 1 >= ATTEMPTS => {
            tracing::error!(%error, id, template, "a letter is given up");
            remove(app, &key).await
        }
        MailError::Refused(_) => {
            tracing::warn!(%error, id, template, "a letter is tried again later");
            Ok(())
        }
        MailError::Throttled(_) | MailError::Unavailable(_) => {
            report.left = Some(error);
            Ok(())
        }
    }
}

async fn send<L: Letters>(app: &App, to: &str, letter: &Stored) -> Result<(), MailError> {
    let refused = |reason: &str| MailError::Refused(reason.to_owned());
    let origin = letter.origin.as_ref();
    let origin = origin.ok_or_else(|| refused("it is not known where its link leads"))?;
    let token = app.context((), 0).seal(&letter.purpose, &letter.token);
    let link = format!("{origin}{}?token={token}", letter.path);
    let text = L::write(&letter.template, &letter.values, &link);
    let text = text.ok_or_else(|| refused("there is no such template"))?;
    app.mailer.send(to, &text).await
}

/// Moves the letter to when it is tried again, unless it is sent now. Gives where it is then;
/// nothing where another run has it.
async fn put_off(
    app: &App,
    key: &Key,
    mut item: Item,
    letter: &Stored,
) -> Result<Option<Key>, StoreError> {
    let wait = LONGEST_WAIT.min(FIRST_WAIT << letter.attempts.min(16));
    let due_at = now() + wait;
    item.insert("dueAt".to_owned(), json!(due_at));
    item.insert(
        "attempts".to_owned(),
        json!(letter.attempts.saturating_add(1)),
    );
    item.insert("version".to_owned(), json!(letter.version.next()));
    let (partition, _) = key.parts();
    let later = Key::from_parts(partition.to_owned(), format!("{due_at:013}:{}", letter.id));
    let moved = [
        Operation::Delete {
            key: key.clone(),
            expect: Expect::Version(letter.version),
        },
        Operation::Put {
            key: later.clone(),
            item: Value::Object(item),
            expect: Expect::Absent,
            conflict: None,
        },
    ];
    match app.store.transact(None, &moved).await {
        Ok(()) => Ok(Some(later)),
        Err(Rejected::Moved) => Ok(None),
        Err(other) => Err(storage(other)),
    }
}

async fn remove(app: &App, key: &Key) -> Result<(), StoreError> {
    let delete = Operation::Delete {
        key: key.clone(),
        expect: Expect::Anything,
    };
    app.store.transact(None, &[delete]).await.map_err(storage)
}

fn storage(rejected: Rejected) -> StoreError {
    match rejected {
        Rejected::Storage(error) => error,
        // Nothing here claims or is keyed.
        other => StoreError::Bug(other.to_string()),
    }
}
