//! Replays of a request: the saved result, and a new session if the request opened one.

use crate::Failure;
use crate::log::LogEntry;
use crate::reads;
use crate::run::answer::{Progress, Success, output};
use crate::run::attempt::{Call, Cookies};
use crate::run::idempotency::{RecordMatch, SavedResult};
use crate::run::revalidate;
use crate::session::fresh;
use action::{
    Action, ActionError, Expect, Found, Grant, Item, Key, MembershipRecord, Operation, Scope,
};
use serde_json::Value;
use store::Rejected;

/// The secret of a repeated request is not that of the first. It counts as a wrong password, and the
/// response says that the key was used for other input.
const WRONG_SECRET: ActionError = ActionError::Unauthenticated("Wrong email or password");

impl<A: Action> Call<'_, A> {
    pub(crate) fn match_record(&self, item: &Item) -> Option<RecordMatch> {
        self.keyed
            .as_ref()?
            .match_record(item, self.now, &self.app.config)
    }

    /// Fails, unless a request with the same idempotency key has succeeded since. Then it replays that result.
    /// If that cannot be told, it fails because of storage, so that the client tries again.
    pub(crate) async fn fail(
        self,
        failure: Failure,
        progress: &mut Progress,
        log_entry: &mut LogEntry,
    ) -> Result<Success<A>, Failure> {
        let Some(keyed) = &self.keyed else {
            return Err(failure);
        };
        match self.app.store.settled_item(&keyed.record).await {
            Ok(record) => match record.and_then(|record| self.match_record(&record)) {
                Some(matched) => self.replay(matched, progress, log_entry).await,
                None => Err(failure),
            },
            // The request may have been done, so a refusal could be wrong.
            Err(error) => Err(error.into()),
        }
    }

    /// Responds with the saved result, or fails if the key was used for other input.
    pub(crate) async fn replay(
        self,
        matched: RecordMatch,
        progress: &mut Progress,
        log_entry: &mut LogEntry,
    ) -> Result<Success<A>, Failure> {
        let RecordMatch::SameInput(SavedResult {
            data,
            tags,
            outbox_record,
        }) = matched
        else {
            return Err(Failure::reused_key());
        };
        let cookies = self.reopen(&data).await?;
        let cookies = cookies.or_session(progress.cookie.take());
        log_entry.replayed = true;
        let changes_pages = !tags.is_empty();
        let revalidated = revalidate::after_replay(self.app, tags, outbox_record).await;
        Ok(Success {
            response_data: A::answer(&self.app.context(self.caller, 0), data.clone()),
            input: self.input,
            data,
            revalidated,
            replayed: true,
            cookies,
            signs_out: false,
            fresh: changes_pages.then(|| fresh::cookie(&self.app.config)),
        })
    }

    /// Opens a new session if the request opened one, because a saved result contains no session. If the
    /// input has secrets, it checks first that they are the same.
    async fn reopen(&self, data: &Value) -> Result<Cookies, Failure> {
        let Some(secrets) = A::SECRETS else {
            return Ok(Cookies::default());
        };
        let context = self.context(0);
        let first = A::reads(&context, &self.input)?;
        let mut found = reads::read(&self.app.store, &first, None).await?;
        let more = |found: &Found| A::more_reads(&context, &self.input, found);
        reads::read_more(&self.app.store, &first, &mut found, more).await?;
        let is_signed_out = matches!(A::scope(&self.input)?, Scope::Subject(_));
        let opens = secrets.reopens || is_signed_out;
        let output = output::<A>(data)?;
        let check = || -> Result<Option<Grant>, ActionError> {
            if !(secrets.same_secrets)(&context, &self.input, &found)? {
                return Err(WRONG_SECRET);
            }
            match opens {
                true => (secrets.reopen)(&context, &self.input, &found, &output),
                false => Ok(None),
            }
        };
        // Whatever the action's reason is, the request does not prove that it is the same.
        let check = || match check() {
            Err(error) if !matches!(error, ActionError::Internal(_)) => Err(WRONG_SECRET),
            checked => checked,
        };
        let counter = self.account.as_ref().map(|account| &account.counter);
        let grant = self.count_guess(counter, check).await;
        let grant = grant.map_err(|failure| match failure.status {
            401 => Failure::reused_key(),
            _ => failure,
        })?;
        match grant {
            Some(grant) => self.open_again(grant, secrets.reopens).await,
            None => Ok(Cookies::default()),
        }
    }

    /// Opens the session, and returns its cookies. With `needs_own`, the caller's own session must still be
    /// there.
    async fn open_again(&self, grant: Grant, needs_own: bool) -> Result<Cookies, Failure> {
        // The saved role may be outdated: the user may have left since then, or have another role.
        let membership = Key::membership(&grant.tenant, &grant.user);
        let items = self.app.store.items([membership.clone()]).await?;
        let membership = items.get(&membership).and_then(MembershipRecord::read);
        let role = membership.and_then(|membership| membership.active_role());
        let role = role.ok_or_else(Failure::signed_out)?;
        let (operation, cookies) = self.open(&Grant { role, ..grant })?;
        let mut operations = vec![operation];
        if let Some(own) = self.live.as_ref().filter(|_| needs_own) {
            // Otherwise signing out would leave the new session behind.
            operations.push(Operation::Check {
                key: own.key.clone(),
                expect: Expect::Present,
            });
            own.require_membership(&mut operations)?;
        }
        match self.app.store.transact(None, &operations).await {
            Ok(()) => Ok(cookies),
            Err(Rejected::Moved) => Err(self.session_moved(needs_own).await?),
            Err(rejected) => Err(rejected.into()),
        }
    }

    /// Why the new session could not be written: the caller's own session has ended, or it is worth
    /// another try.
    async fn session_moved(&self, needs_own: bool) -> Result<Failure, Failure> {
        let ended = needs_own && self.live.is_some() && self.read_session().await?.is_none();
        Ok(match ended {
            true => Failure::signed_out(),
            false => Rejected::Moved.into(),
        })
    }
}
