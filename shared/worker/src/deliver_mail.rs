//! The `deliver-mail` function: sends the emails that commits have stored in the table.
//!
//! Before each attempt it moves the record to a later due time, so that no other run sends the same
//! email. After a successful attempt it removes the record. If it crashes between the two, the email
//! is sent again later: each email arrives at least once. It handles the same two kinds of event as
//! `revalidate`.

use crate::{Deadline, EventError, key, millis_now as now};
use action::{Expect, Item, Key, Operation};
use mail::{Content, MailError, StoredEmail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{Rejected, StoreError};
use wrapper::App;

/// Renders the emails that [`action::EmailMessage`]s ask for.
pub trait EmailTemplates: Send + Sync + 'static {
    /// Fills a template with these values and this link. `None` if there is no such template.
    fn render(template: &str, values: &BTreeMap<String, String>, link: &str) -> Option<Content>;
}

/// How many rounds a sweep makes before it leaves the rest to the next sweep.
const ROUNDS: usize = 20;

/// After how many attempts a refused email is given up. During an outage no email is given up.
const ATTEMPTS: u32 = 5;

/// The result of one event.
#[derive(Debug, Default)]
struct Report {
    sent: usize,
    /// Emails that were removed because no sender is configured.
    dropped: usize,
    failed: usize,
    /// Why the remaining emails wait for a later run.
    left: Option<MailError>,
}

/// Handles an event. Returns the response that Lambda expects for a stream.
///
/// # Errors
/// [`EventError`] if the event is of neither kind or storage fails. Lambda then delivers the event
/// again.
pub(crate) async fn handle<T: EmailTemplates>(
    app: &App,
    event: &Value,
) -> Result<Value, EventError> {
    let (mut report, deadline) = (Report::default(), Deadline::new());
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        let keys = records.iter().filter_map(|record| key(record, "#mail:"));
        let new = app.store.items(keys).await?;
        deliver::<T>(app, new.into_iter().collect(), deadline, &mut report).await?;
    } else if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
        for _ in 0..ROUNDS {
            let stored = |key, item| Some((key, item));
            let due = app.store.due_records("mail", now(), stored, sender);
            let due = due.await?;
            if due.is_empty() || report.left.is_some() || deadline.is_over() {
                break;
            }
            deliver::<T>(app, due, deadline, &mut report).await?;
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

/// Whose flood of emails must not hold up others: the organisation, or else the recipient.
fn sender((_, item): &(Key, Item)) -> String {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let sender = text("tenant").or(text("to"));
    sender.unwrap_or_default().to_owned()
}

/// Sends the stored emails that are due, until SES is unavailable or the time is over.
async fn deliver<T: EmailTemplates>(
    app: &App,
    stored: Vec<(Key, Item)>,
    deadline: Deadline,
    report: &mut Report,
) -> Result<(), StoreError> {
    for (key, item) in stored {
        if report.left.is_some() || deadline.is_over() {
            return Ok(());
        }
        match StoredEmail::from_item(item) {
            // Another run has moved it: a sweep sends it once it is due.
            Ok(email) if email.due_at > now() => {}
            Ok(email) => deliver_one::<T>(app, &key, &email, report).await?,
            Err(error) => {
                tracing::error!(%error, "a stored email cannot be read, and is given up");
                report.failed += 1;
                remove(app, &key).await?;
            }
        }
    }
    Ok(())
}

/// Sends one email, or drops it if it has no recipient or no sender is configured.
async fn deliver_one<T: EmailTemplates>(
    app: &App,
    key: &Key,
    email: &StoredEmail,
    report: &mut Report,
) -> Result<(), StoreError> {
    let Some(to) = &email.to else {
        return remove(app, key).await;
    };
    if !app.mailer.sends() {
        report.dropped += 1;
        return remove(app, key).await;
    }
    let Some(key) = put_off(app, key, email).await? else {
        return Ok(());
    };
    let error = match send::<T>(app, to, email).await {
        Ok(()) => {
            report.sent += 1;
            return remove(app, &key).await;
        }
        Err(error) => error,
    };
    report.failed += 1;
    let (id, template) = (&email.id, &email.template);
    match error {
        MailError::Refused(_) if email.attempts + 1 >= ATTEMPTS => {
            tracing::error!(%error, id, template, "an email is given up");
            remove(app, &key).await
        }
        MailError::Refused(_) => {
            tracing::warn!(%error, id, template, "an email is retried later");
            Ok(())
        }
        MailError::Throttled(_) | MailError::Unavailable(_) => {
            report.left = Some(error);
            Ok(())
        }
    }
}

async fn send<T: EmailTemplates>(
    app: &App,
    to: &str,
    email: &StoredEmail,
) -> Result<(), MailError> {
    let refused = |reason: &str| MailError::Refused(reason.to_owned());
    let origin = email.origin.as_ref();
    let origin = origin.ok_or_else(|| refused("the origin of its link is unknown"))?;
    let link = match email.token.as_str() {
        "" => format!("{origin}{}", email.path),
        text => {
            let token = app.context((), 0).seal(&email.purpose, text);
            format!("{origin}{}?token={token}", email.path)
        }
    };
    let content = T::render(&email.template, &email.values, &link);
    let content = content.ok_or_else(|| refused("there is no such template"))?;
    app.mailer.send(to, &content).await
}

/// Moves the record to the time of its next attempt, in case this attempt fails. Returns its new
/// key, or `None` if another run has moved it.
async fn put_off(app: &App, key: &Key, email: &StoredEmail) -> Result<Option<Key>, StoreError> {
    let later = email.after_attempt(now());
    let operations = [
        Operation::Delete {
            key: key.clone(),
            expect: Expect::Version(email.version),
        },
        later.put(),
    ];
    match app.store.transact(None, &operations).await {
        Ok(()) => Ok(Some(later.key())),
        Err(Rejected::Moved) => Ok(None),
        Err(other) => Err(storage_error(other)),
    }
}

async fn remove(app: &App, key: &Key) -> Result<(), StoreError> {
    let delete = Operation::Delete {
        key: key.clone(),
        expect: Expect::Anything,
    };
    let removed = app.store.transact(None, &[delete]).await;
    removed.map_err(storage_error)
}

fn storage_error(rejected: Rejected) -> StoreError {
    match rejected {
        Rejected::Storage(error) => error,
        // These transactions have no idempotency key and no claims, so this is a bug.
        other => StoreError::Bug(other.to_string()),
    }
}
