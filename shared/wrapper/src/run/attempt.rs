//! A request that may run: the function, the transaction, the revalidation.

use crate::http::request::Asked;
use crate::http::trust::Trust;
use crate::log::Note;
use crate::reads;
use crate::run::answer::{Done, Progress};
use crate::run::audit::Entry;
use crate::run::idempotency::Keyed;
use crate::run::limit::Counter;
use crate::run::{chain, mail, revalidate};
use crate::session::fresh;
use crate::session::{self, Live};
use crate::{App, Failure};
use action::{
    Access, Action, ActionError, Caller, Commit, Context, Found, Grant, Item, Operation,
    SessionChange, secret_fields,
};
use lambda_http::Request;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use store::{IdempotencyRecord, OutboxRecord, Rejected};

/// How often a function runs again because data moved before its commit.
const RERUNS: u32 = 3;

/// A request whose caller and input are known, so that it may run.
pub(crate) struct Call<'a, A: Action> {
    pub(crate) app: &'a App,
    pub(crate) request: &'a Request,
    pub(crate) trust: Trust,
    pub(crate) now: i64,
    pub(crate) live: Option<Live>,
    pub(crate) caller: Caller<A::Permission>,
    pub(crate) input: A::Input,
    pub(crate) keyed: Option<Keyed>,
    pub(crate) account: Option<Counter>,
}

/// What one run has committed.
struct Committed {
    data: Value,
    /// The tags under which nothing from before is cached any more, or will not be in seconds.
    revalidated: Vec<String>,
    cookie: Option<String>,
    /// Whether what it wrote is shown on pages.
    changes_pages: bool,
    /// Whether nobody is signed in after it.
    signs_out: bool,
}

/// Why one run made no commit.
enum NotCommitted {
    /// Data moved: run again.
    Moved,
    /// The key's record is there.
    Recorded(Item),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for NotCommitted {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<A: Action> Call<'_, A> {
    /// Steps 6 to 8: the function, the transaction, the revalidation; again where data moved.
    pub(crate) async fn commit(
        mut self,
        found: Option<Found>,
        progress: &mut Progress,
        note: &mut Note,
    ) -> Result<Done<A>, Failure> {
        let mut gathered = found;
        for attempt in 0..=RERUNS {
            note.runs += 1;
            let context = self.context(attempt);
            let mut found = match gathered.take() {
                Some(found) => found,
                None => match self.read(&context).await {
                    Ok(found) => found,
                    Err(failure) => return self.fail(failure, progress, note).await,
                },
            };
            let halt = match self.once(&context, &mut found).await {
                Ok(committed) => return Ok(self.done(committed, progress)),
                Err(halt) => halt,
            };
            progress.found = found;
            match halt {
                NotCommitted::Moved => {
                    if let Err(failure) = self.recheck_session().await {
                        return self.fail(failure, progress, note).await;
                    }
                }
                NotCommitted::Failed(failure) => return self.fail(failure, progress, note).await,
                NotCommitted::Recorded(item) => {
                    return match self.recall(&item) {
                        Some(recall) => self.recorded(recall, progress, note).await,
                        // The cancellation did not bring the record along, so it is read.
                        None => self.fail(Rejected::Moved.into(), progress, note).await,
                    };
                }
            }
        }
        self.fail(Rejected::Moved.into(), progress, note).await
    }

    /// Before a rerun: another request may have ended the caller's session, which is one thing that
    /// can have moved.
    async fn recheck_session(&mut self) -> Result<(), Failure> {
        let Some(live) = &self.live else {
            return Ok(());
        };
        let items = self.app.store.items([live.key.clone()]).await?;
        if !items.contains_key(&live.key) {
            self.live = None;
            self.caller = A::Permission::admit(None)?;
        }
        Ok(())
    }

    /// One run: function, transaction, revalidation.
    async fn once(
        &self,
        context: &Context<Caller<A::Permission>>,
        found: &mut Found,
    ) -> Result<Committed, NotCommitted> {
        let first = A::reads(context, &self.input)?;
        let more = |found: &Found| A::more_reads(context, &self.input, found);
        reads::read_more(&self.app.store, &first, found, more).await?;
        let commit = self.decide(context, found).await?;
        if let Some(bug) = commit.bug() {
            return Err(Failure::unknown(bug).into());
        }
        let data = serde_json::to_value(commit.output())
            .map_err(|e| Failure::unknown(format!("the output cannot be serialised: {e}")))?;
        let tags = commit.tags();
        let (mut operations, cookie) = self.session_change(&commit)?;
        operations.extend(self.audited(context, &commit, found)?);
        let tenant = commit.subject().map(|subject| &subject.tenant);
        let emails = commit.emails().iter();
        let emails = emails.map(|email| mail::operation(self.app, &self.trust, tenant, email));
        operations.extend(emails);
        let signs_out = matches!(commit.session(), SessionChange::Close);
        let outbox_record = (!tags.is_empty()).then(|| revalidate::outbox_record(self.app, &tags));
        operations.extend(outbox_record.as_ref().map(OutboxRecord::operation));
        if operations.is_empty() {
            return Ok(Committed {
                data,
                revalidated: tags,
                cookie,
                changes_pages: false,
                signs_out,
            });
        }
        let saved: Option<IdempotencyRecord> = self
            .keyed
            .as_ref()
            .map(|keyed| keyed.save(&data, outbox_record.as_ref(), self.now, &self.app.config));
        match self.app.store.transact(saved.as_ref(), &operations).await {
            Ok(()) => {}
            Err(Rejected::Moved) => return Err(NotCommitted::Moved),
            Err(Rejected::Recorded(item)) => return Err(NotCommitted::Recorded(item)),
            Err(rejected) => return Err(NotCommitted::Failed(rejected.into())),
        }
        let changes_pages = outbox_record.is_some();
        let revalidated = match outbox_record {
            Some(outbox_record) => revalidate::inline(self.app, outbox_record).await,
            None => Vec::new(),
        };
        Ok(Committed {
            data,
            revalidated,
            cookie,
            changes_pages,
            signs_out,
        })
    }

    fn done(self, committed: Committed, progress: &mut Progress) -> Done<A> {
        let Committed {
            data,
            revalidated,
            cookie,
            changes_pages,
            signs_out,
        } = committed;
        Done {
            answer: A::answer(&self.app.context(self.caller, 0), data.clone()),
            input: self.input,
            data,
            revalidated,
            replayed: false,
            cookie: cookie.or(progress.cookie.take()),
            signs_out,
            fresh: changes_pages.then(|| fresh::cookie(&self.app.config)),
        }
    }

    /// Step 6: the function. A panic in it is an error like another. A wrong password counts for
    /// its account.
    async fn decide(
        &self,
        context: &Context<Caller<A::Permission>>,
        found: &Found,
    ) -> Result<Commit<A::Output>, Failure> {
        let attempts = match &self.account {
            Some(account) => Some((account, account.attempt(&self.app.store).await?)),
            None => None,
        };
        let ran = catch_unwind(AssertUnwindSafe(|| A::run(context, &self.input, found)));
        let ran =
            ran.unwrap_or_else(|_| Err(ActionError::Internal("the function panicked".to_owned())));
        let wrong = matches!(
            ran,
            Err(ActionError::Unauthenticated(_) | ActionError::WrongPassword { .. })
        );
        match attempts {
            Some((account, attempts)) if wrong => account.check(attempts)?,
            Some((account, _)) => account.take_back(&self.app.store).await,
            None => {}
        }
        Ok(ran?)
    }

    /// The write that opens or ends the caller's session, and the cookie that goes with it.
    fn session_change(
        &self,
        commit: &Commit<A::Output>,
    ) -> Result<(Vec<Operation>, Option<String>), Failure> {
        match commit.session() {
            SessionChange::Unchanged => Ok((Vec::new(), None)),
            SessionChange::Close => {
                let operation = self.live.iter().map(session::close).collect();
                Ok((operation, Some(session::clear(&self.app.config))))
            }
            SessionChange::EndOthers(generation) => {
                let carry = |live: &Live| session::end_others(live, *generation);
                Ok((self.live.iter().map(carry).collect(), None))
            }
            SessionChange::Open(grant) => {
                let (operation, cookie) = self.open(grant)?;
                Ok((vec![operation], Some(cookie)))
            }
            SessionChange::Replace(grant) => {
                let (operation, cookie) = self.open(grant)?;
                let own = self.live.iter();
                let replaced = own.map(|live| session::replace(live, self.now));
                Ok((replaced.chain([operation]).collect(), Some(cookie)))
            }
        }
    }

    pub(crate) fn open(&self, grant: &Grant) -> Result<(Operation, String), Failure> {
        let own = self.live.as_ref();
        let own = own.filter(|live| live.actor.user == grant.user);
        let origin = session::Origin {
            address: &self.trust.address,
            agent: self.request.header("user-agent"),
            generation: own.map(|live| live.generation),
        };
        session::open(grant, &origin, self.now, &self.app.config)
            .ok_or_else(|| Failure::unknown("no randomness, or nothing that proves the person"))
    }

    /// The circumstances of a run.
    pub(crate) fn context(&self, attempt: u32) -> Context<Caller<A::Permission>> {
        let own = self.live.as_ref().map(|live| live.key.clone());
        self.app.context(self.caller.clone(), attempt).within(own)
    }

    /// The commit's writes with the heads of their audits, and the audit record.
    fn audited(
        &self,
        context: &Context<Caller<A::Permission>>,
        commit: &Commit<A::Output>,
        found: &Found,
    ) -> Result<Vec<Operation>, Failure> {
        let Some(subject) = commit.subject() else {
            return Ok(chain::with_heads(commit.operations(), found, None));
        };
        // Who signs in may do so over a session of somebody else, or of another organisation.
        let who = match commit.session() {
            SessionChange::Open(grant) | SessionChange::Replace(grant) => {
                Some((&grant.user, grant.role))
            }
            SessionChange::Unchanged | SessionChange::Close | SessionChange::EndOthers(_) => {
                let actor = self.live.as_ref().map(|live| &live.actor);
                actor.map(|actor| (&actor.user, actor.role))
            }
        };
        let entry = Entry {
            action: A::NAME,
            subject,
            who,
            trust: &self.trust,
            request: self.request,
            input: serde_json::to_value(&self.input).map_err(|error| {
                Failure::unknown(format!("an input cannot be audited: {error}"))
            })?,
            secrets: secret_fields::<A>(),
            at: context.now,
        };
        let link = chain::link(commit, found)?;
        let written = entry.write(link.as_ref());
        let head = link.as_ref().and_then(|link| link.head.as_ref());
        let mut operations = chain::with_heads(
            commit.operations(),
            found,
            head.zip(written.hash.as_deref()),
        );
        operations.extend(written.operations);
        Ok(operations)
    }

    async fn read(&self, context: &Context<Caller<A::Permission>>) -> Result<Found, Failure> {
        let wanted = A::reads(context, &self.input)?;
        Ok(reads::read(&self.app.store, &wanted, None).await?)
    }
}
