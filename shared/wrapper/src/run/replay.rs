//! A request that was made before: its saved result, and the session that goes with it.

use crate::Failure;
use crate::log::Note;
use crate::reads;
use crate::run::answer::{Done, Progress, output};
use crate::run::attempt::Call;
use crate::run::idempotency::{Outcome, Recall};
use crate::run::revalidate;
use crate::session::fresh;
use action::{Action, ActionError, Found, Grant, Item, Key, MembershipRecord, Scope};
use serde_json::Value;

impl<A: Action> Call<'_, A> {
    pub(crate) fn recall(&self, item: &Item) -> Option<Recall> {
        self.keyed
            .as_ref()?
            .recall(item, self.now, &self.app.config)
    }

    /// The failure, unless a request with the same key has succeeded meanwhile: then its result.
    pub(crate) async fn fail(
        self,
        failure: Failure,
        progress: &mut Progress,
        note: &mut Note,
    ) -> Result<Done<A>, Failure> {
        let Some(keyed) = &self.keyed else {
            return Err(failure);
        };
        match self.app.store.settled_item(&keyed.record).await {
            Ok(record) => match record.and_then(|record| self.recall(&record)) {
                Some(recall) => self.recorded(recall, progress, note).await,
                None => Err(failure),
            },
            Err(error) => {
                tracing::warn!(%error, "the idempotency record could not be read again");
                Err(failure)
            }
        }
    }

    /// What the key's record says: the saved result, or that the key was used for other input.
    pub(crate) async fn recorded(
        self,
        recall: Recall,
        progress: &mut Progress,
        note: &mut Note,
    ) -> Result<Done<A>, Failure> {
        let Recall::Replay(Outcome {
            data,
            tags,
            outbox_record,
        }) = recall
        else {
            return Err(Failure::reused_key());
        };
        let cookie = self.reopen(&data).await?.or(progress.cookie.take());
        note.replayed = true;
        let changes_pages = !tags.is_empty();
        let revalidated = revalidate::replayed(self.app, tags, outbox_record).await;
        Ok(Done {
            answer: A::answer(&self.app.context(self.caller, 0), data.clone()),
            input: self.input,
            data,
            revalidated,
            replayed: true,
            cookie,
            signs_out: false,
            fresh: changes_pages.then(|| fresh::cookie(&self.app.config)),
        })
    }

    /// A replay of what holds a secret proves it again, and of what opened a session opens a new
    /// one.
    async fn reopen(&self, data: &Value) -> Result<Option<String>, Failure> {
        let Some(secrets) = A::SECRETS else {
            return Ok(None);
        };
        let context = self.context(0);
        let first = A::reads(&context, &self.input)?;
        let mut found = reads::read(&self.app.store, &first, None).await?;
        let more = |found: &Found| A::more_reads(&context, &self.input, found);
        reads::read_more(&self.app.store, &first, &mut found, more).await?;
        let doubt = |error| match error {
            ActionError::Internal(detail) => Failure::unknown(detail),
            _ => Failure::reused_key(),
        };
        if !(secrets.same_secrets)(&context, &self.input, &found).map_err(doubt)? {
            return Err(Failure::reused_key());
        }
        let is_signed_out = matches!(A::scope(&self.input)?, Scope::Subject(_));
        if !secrets.reopens && !is_signed_out {
            return Ok(None);
        }
        let output = output::<A>(data)?;
        let grant = (secrets.reopen)(&context, &self.input, &found, &output).map_err(doubt)?;
        let Some(grant) = grant else { return Ok(None) };
        // What was saved is of then: they may have left since, or lost their role.
        let membership = Key::membership(&grant.tenant, &grant.user);
        let items = self.app.store.items([membership.clone()]).await?;
        let membership = items.get(&membership).and_then(MembershipRecord::read);
        let role = membership.and_then(|membership| membership.active_role());
        let role = role.ok_or_else(Failure::signed_out)?;
        let (operation, cookie) = self.open(&Grant { role, ..grant })?;
        self.app.store.transact(None, &[operation]).await?;
        Ok(Some(cookie))
    }
}
