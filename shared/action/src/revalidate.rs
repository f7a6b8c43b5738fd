//! Revalidation: after a commit, what is cached under its tags must go.

use crate::App;
use commit::Key;

/// Deals with the tags of a commit, and removes its outbox record once that is done.
///
/// No page is cached yet, so every tag is found not live and there is nothing to purge. A crash
/// before the record is removed leaves it to whoever drains the outbox.
pub(crate) async fn revalidate(app: &App, outbox: &Key) {
    if let Err(error) = app.store.settle(outbox).await {
        tracing::warn!(%error, "an outbox record stays to be drained");
    }
}
