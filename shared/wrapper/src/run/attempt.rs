//! Runs an action that passed all checks: the function, the transaction, the revalidation.

use crate::http::request::RequestInfo;
use crate::http::trust::Trust;
use crate::log::LogEntry;
use crate::reads;
use crate::run::account::AccountCounter;
use crate::run::answer::{Progress, Success};
use crate::run::idempotency::KeyedRequest;
use crate::run::revalidate::Revalidated;
use crate::run::{mail, revalidate};
use crate::session::fresh;
use crate::session::{self, LiveSession};
use crate::{App, Failure};
use action::{
    Access, Action, ActionError, Caller, Commit, Context, Expect, Found, Grant, Item, Operation,
    SessionChange,
};
use auth::{Devices, Token};
use lambda_http::Request;
use serde_json::Value;
use store::{OutboxRecord, Rejected};

/// How often a function reruns because data changed before its commit.
const RERUNS: u32 = 3;

/// A request that passed all checks, so that it may run.
pub(crate) struct Call<'a, A: Action> {
    pub(crate) app: &'a App,
    pub(crate) request: &'a Request,
    pub(crate) trust: Trust,
    pub(crate) now: i64,
    pub(crate) token: Option<Token>,
    pub(crate) live: Option<LiveSession>,
    pub(crate) caller: Caller<A::Permission>,
    pub(crate) input: A::Input,
    pub(crate) keyed: Option<KeyedRequest>,
    pub(crate) account: Option<AccountCounter>,
    /// The accounts that the browser is known to.
    pub(crate) devices: Devices,
}

/// What a run committed.
struct Committed {
    data: Value,
    /// What became of the tags before the response.
    revalidated: Revalidated,
    cookies: Cookies,
    /// Whether pages show what it wrote.
    changes_pages: bool,
    /// Whether the caller is signed out afterwards.
    signs_out: bool,
}

/// The cookies that an action sets.
#[derive(Debug, Default)]
pub(crate) struct Cookies {
    /// The session cookie, if it changes.
    pub(crate) session: Option<String>,
    /// The [device cookie](device), if it changes.
    pub(crate) device: Option<String>,
}

/// Why a run committed nothing.
enum NotCommitted {
    /// Data changed since the reads, so the function must rerun.
    DataChanged,
    /// The idempotency record exists already.
    Recorded(Item),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for NotCommitted {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Cookies {
    /// The same, with this session cookie if none is set.
    pub(crate) fn or_session(self, session: Option<String>) -> Self {
        Self {
            session: self.session.or(session),
            ..self
        }
    }
}

impl<A: Action> Call<'_, A> {
    /// Runs the function, writes its commit and revalidates. Reruns the function if data changed.
    pub(crate) async fn commit(
        mut self,
        found: Option<Found>,
        progress: &mut Progress,
        log_entry: &mut LogEntry,
    ) -> Result<Success<A>, Failure> {
        let mut loaded = found;
        for attempt in 0..=RERUNS {
            log_entry.runs += 1;
            let context = self.context(attempt);
            let mut found = match loaded.take() {
                Some(found) => found,
                None => match self.read(&context).await {
                    Ok(found) => found,
                    Err(failure) => return self.fail(failure, progress, log_entry).await,
                },
            };
            let error = match self.try_commit(&context, &mut found).await {
                Ok(committed) => return Ok(self.success(committed, progress)),
                Err(error) => error,
            };
            progress.found = found;
            match error {
                NotCommitted::DataChanged => {
                    if let Err(failure) = self.recheck_session(progress).await {
                        return self.fail(failure, progress, log_entry).await;
                    }
                }
                NotCommitted::Failed(failure) => {
                    return self.fail(failure, progress, log_entry).await;
                }
                NotCommitted::Recorded(item) => {
                    return match self.match_record(&item) {
                        Some(matched) => self.replay(matched, progress, log_entry).await,
                        // The cancellation did not contain the record, so `fail` reads it.
                        None => self.fail(Rejected::Moved.into(), progress, log_entry).await,
                    };
                }
            }
        }
        self.fail(Rejected::Moved.into(), progress, log_entry).await
    }

    /// Checks the caller again before a rerun, because another request may have ended the session or
    /// changed the membership.
    async fn recheck_session(&mut self, progress: &mut Progress) -> Result<(), Failure> {
        if self.live.is_none() {
            return Ok(());
        }
        self.live = self.read_session().await?;
        let live = self.live.as_ref();
        progress.set_caller(self.app, live);
        // A replaced session is only for repeated requests.
        let replaced = live.is_some_and(|live| live.session.replaced);
        if replaced && A::Permission::LEAST.is_some() {
            return Err(Failure::replaced());
        }
        self.caller = A::Permission::admit(live.map(|live| live.actor.clone()))?;
        Ok(())
    }

    /// The caller's session as it is now, if it is live.
    pub(crate) async fn read_session(&self) -> Result<Option<LiveSession>, Failure> {
        let Some(token) = &self.token else {
            return Ok(None);
        };
        let items = self.app.store.items(session::keys(token)).await?;
        Ok(session::check(token, &items, self.now, &self.app.config))
    }

    /// Runs the function once, writes its commit and revalidates.
    async fn try_commit(
        &self,
        context: &Context<Caller<A::Permission>>,
        found: &mut Found,
    ) -> Result<Committed, NotCommitted> {
        let first = A::reads(context, &self.input)?;
        let more = |found: &Found| A::more_reads(context, &self.input, found);
        reads::read_more(&self.app.store, &first, found, more).await?;
        let account = self.account.as_ref();
        let counter = account
            .filter(|account| !account.only_repeats)
            .map(|account| &account.counter);
        let mut moved = false;
        let run = || {
            let result = A::run(context, &self.input, found);
            moved = matches!(result, Err(ActionError::Moved));
            result
        };
        let commit = self.count_guess(counter, run).await;
        if moved {
            return Err(NotCommitted::DataChanged);
        }
        let commit = commit?;
        if let Some(bug) = commit.bug() {
            return Err(Failure::unknown(bug).into());
        }
        let data = serde_json::to_value(commit.output())
            .map_err(|e| Failure::unknown(format!("the output cannot be serialised: {e}")))?;
        let tags = commit.tags();
        let (mut operations, cookies) = self.session_change(&commit)?;
        operations.extend(self.audit_operations(context, &commit, found)?);
        let tenant = commit.subject().map(|subject| &subject.tenant);
        let emails = commit.emails().iter();
        let emails = emails.map(|email| mail::operation(self.app, &self.trust, tenant, email));
        operations.extend(emails);
        let signs_out = matches!(commit.session(), SessionChange::Close);
        let mut outbox_record = None;
        if !operations.is_empty() {
            if let Some(live) = &self.live {
                live.require_membership(&mut operations)?;
            }
            let stale = revalidate::outbox_record(self.app, commit.cached_tags());
            outbox_record = self.write(&operations, &data, &tags, stale).await?;
        }
        let changes_pages = !tags.is_empty();
        let revalidated = revalidate::inline(self.app, tags, outbox_record).await;
        Ok(Committed {
            data,
            revalidated,
            cookies,
            changes_pages,
            signs_out,
        })
    }

    /// Writes the transaction, with the idempotency record of its result. Returns its outbox record, if it
    /// needs one.
    async fn write(
        &self,
        operations: &[Operation],
        data: &Value,
        tags: &[String],
        stale: OutboxRecord,
    ) -> Result<Option<OutboxRecord>, NotCommitted> {
        let app = self.app;
        let save = |keyed: &KeyedRequest| keyed.save(data, tags, self.now, &app.config);
        let record = self.keyed.as_ref().map(save);
        match app.store.commit(record.as_ref(), operations, stale).await {
            Ok(outbox_record) => Ok(outbox_record),
            Err(Rejected::Moved) => Err(NotCommitted::DataChanged),
            Err(Rejected::Recorded(item)) => Err(NotCommitted::Recorded(item)),
            Err(rejected) => Err(NotCommitted::Failed(rejected.into())),
        }
    }

    fn success(self, committed: Committed, progress: &mut Progress) -> Success<A> {
        let Committed {
            data,
            revalidated,
            cookies,
            changes_pages,
            signs_out,
        } = committed;
        Success {
            response_data: A::answer(&self.app.context(self.caller, 0), data.clone()),
            input: self.input,
            data,
            revalidated,
            replayed: false,
            cookies: cookies.or_session(progress.cookie.take()),
            signs_out,
            fresh: changes_pages.then(|| fresh::cookie(&self.app.config)),
        }
    }

    /// The writes that open or end sessions, and the new cookies.
    fn session_change(
        &self,
        commit: &Commit<A::Output>,
    ) -> Result<(Vec<Operation>, Cookies), Failure> {
        let with = |session: Option<String>| Cookies {
            session,
            device: self.kept_device(commit),
        };
        match commit.session() {
            SessionChange::Unchanged => Ok((Vec::new(), Cookies::default())),
            SessionChange::Close => {
                let operation = self.live.iter().map(session::close).collect();
                let cleared = session::clear_cookie(&self.app.config);
                Ok((operation, with(Some(cleared))))
            }
            SessionChange::EndOthers(generation) => {
                let move_session = |live: &LiveSession| session::end_others(live, *generation);
                Ok((self.live.iter().map(move_session).collect(), with(None)))
            }
            SessionChange::Open(grant) => {
                let (operation, cookies) = self.open(grant)?;
                // If the caller signs out at the same moment, the new session must not outlive that.
                let own = self.live.iter().map(|live| Operation::Check {
                    key: live.key.clone(),
                    expect: Expect::Present,
                });
                Ok((own.chain([operation]).collect(), cookies))
            }
            SessionChange::Replace(grant) => {
                let (operation, cookies) = self.open(grant)?;
                let own = self.live.iter();
                let replaced = own.map(|live| session::replace(live, self.now));
                Ok((replaced.chain([operation]).collect(), cookies))
            }
        }
    }

    /// The write that opens a session, and its cookies.
    pub(crate) fn open(&self, grant: &Grant) -> Result<(Operation, Cookies), Failure> {
        let own = self.live.as_ref();
        let own = own.filter(|live| live.actor.user == grant.user);
        let client = session::Client {
            address: &self.trust.address,
            agent: self.request.header("user-agent"),
            own: own.map(|live| &live.session),
        };
        let (operation, cookie) = session::open(grant, &client, self.now, &self.app.config)
            .ok_or_else(|| Failure::unknown("no randomness, or nothing proves who the user is"))?;
        let cookies = Cookies {
            session: Some(cookie),
            device: self.known_device(grant),
        };
        Ok((operation, cookies))
    }

    /// The context of a run.
    pub(crate) fn context(&self, attempt: u32) -> Context<Caller<A::Permission>> {
        let own = self.live.as_ref().map(|live| live.key.clone());
        self.app
            .context(self.caller.clone(), attempt)
            .with_session(own)
    }

    async fn read(&self, context: &Context<Caller<A::Permission>>) -> Result<Found, Failure> {
        let wanted = A::reads(context, &self.input)?;
        Ok(reads::read(&self.app.store, &wanted, None).await?)
    }
}
