//! An action, from request to answer: the steps in their order.

use crate::audit::{Entry, outbox};
use crate::contract::{Action, Caller, FormPage, Scope};
use crate::event::Request;
use crate::gather::{self, Wanted};
use crate::idempotency::{self, Keyed, Outcome, Recall};
use crate::limit::Counter;
use crate::log::Note;
use crate::session::{self, Live, Presented};
use crate::trust::Trust;
use crate::{App, Failure, Reply, body, origin, render, revalidate};
use commit::{
    Access, ActionError, Chrome, Commit, Context, Form, FormState, Found, IdempotencyKey, Item,
    Operation, SessionChange,
};
use edge::Token;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use store::{Rejected, Saved, StoreError};

/// How often a function runs again because data moved before its commit.
const RERUNS: u32 = 3;

/// Runs the action `A` for a request.
pub(crate) async fn run<A: Action>(app: &App, request: &Request, note: &mut Note) -> Reply {
    let mut progress = Progress::default();
    match attempt::<A>(app, request, &mut progress, note).await {
        Ok(done) => done.reply(request, progress, note),
        Err(failure) => progress.refuse::<A>(app, request, &failure, note),
    }
}

/// What is known so far, for an answer at any point.
#[derive(Debug, Default)]
struct Progress {
    /// The input without its secrets, once it has been parsed.
    values: Option<BTreeMap<String, String>>,
    key: Option<IdempotencyKey>,
    chrome: Option<Chrome>,
    found: Found,
    cookie: Option<String>,
}

/// What an action came to.
struct Done<A: Action> {
    input: A::Input,
    data: Value,
    tags: Vec<String>,
    replayed: bool,
    cookie: Option<String>,
}

/// A request whose caller and input are known, so that it may run.
struct Call<'a, A: Action> {
    app: &'a App,
    request: &'a Request,
    trust: Trust,
    now: i64,
    live: Option<Live>,
    caller: Caller<A::Permission>,
    input: A::Input,
    keyed: Option<Keyed>,
    account: Option<Counter>,
}

/// Why one run made no commit.
enum Halt {
    /// Data moved: run again.
    Moved,
    /// The key's record is there.
    Recorded(Item),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Steps 1 to 5, and then the commit.
async fn attempt<A: Action>(
    app: &App,
    request: &Request,
    progress: &mut Progress,
    note: &mut Note,
) -> Result<Done<A>, Failure> {
    let config = &app.config;
    let now = jiff::Timestamp::now().as_second();
    let trust = receive(app, request)?;
    let fields = body::parse(request, config.body_limit).await?;
    progress.values = Some(public_values::<A>(&fields.0));
    let token = token::<A>(app, request)?;
    let actor = token.as_ref().map(|token| &token.actor);
    let key = idempotency::key(request, &fields);
    progress.key = key.clone().ok().flatten();
    let input = Form::new(&fields.0).parse::<A::Input>();

    let counter = Counter::of_caller(actor, &trust, config, now);
    let mut wanted = Wanted {
        chrome: !request.wants_json(),
        caller: counter.as_ref(),
        ..Wanted::default()
    };
    wanted.token = token.as_ref();
    let (mut keyed, mut account, mut reads_known) = (None, None, false);
    if let (Ok(key), Ok(input)) = (&key, &input) {
        keyed = Keyed::new::<A>(key.as_ref(), input, actor, config);
        account = Counter::of_account(&A::rate_limit(input), config, now);
        if let Ok(caller) = A::Permission::admit(actor.cloned()) {
            wanted.reads = A::reads(&app.context(caller, 0), input);
            reads_known = true;
        }
    }
    wanted.account = account.as_ref();
    wanted.record = keyed.as_ref().map(|keyed| &keyed.record);
    let gathered = wanted.gather(app, now).await?;

    progress.chrome = gathered.chrome;
    progress.cookie = keep_session(app, token.is_some(), gathered.live.as_ref(), now).await;
    let live_actor = gathered.live.as_ref().map(|live| live.actor.clone());
    note.tenant = live_actor.as_ref().map(|actor| actor.tenant.to_string());
    note.user = live_actor.as_ref().map(|actor| actor.user.to_string());
    if A::Permission::LEAST.is_some() && live_actor.is_none() {
        return Err(Failure::signed_out());
    }
    if let Some(counter) = &counter {
        counter.check(gathered.calls)?;
    }
    let caller = A::Permission::admit(live_actor)?;
    key?;
    let input = input.map_err(Failure::validation)?;
    if let Some(account) = &account {
        account.check_stored(gathered.failures.as_ref())?;
    }
    let call = Call {
        app,
        request,
        trust,
        now,
        live: gathered.live,
        caller,
        input,
        keyed,
        account,
    };
    match gathered.record.and_then(|record| call.recall(&record)) {
        Some(recall) => call.recorded(recall, progress, note).await,
        None => {
            call.commit(reads_known.then_some(gathered.found), progress, note)
                .await
        }
    }
}

/// Steps 1 and 2: the method, the origin, the edge's secret.
fn receive(app: &App, request: &Request) -> Result<Trust, Failure> {
    if request.method != "POST" {
        return Err(Failure::method_not_allowed("POST"));
    }
    let config = &app.config;
    let trust = Trust::establish(request, config);
    let own = trust
        .as_ref()
        .ok()
        .and_then(|trust| trust.own_origin.as_deref());
    let allowed = config.allowed_origins.iter().map(String::as_str).chain(own);
    let has_session = request.cookie(session::cookie_name(config.https)).is_some();
    if !origin::may_write(
        request.header("sec-fetch-site"),
        request.header("origin"),
        allowed,
        has_session,
    ) {
        return Err(Failure::wrong_origin());
    }
    trust
}

/// The session's token. Where anyone may call, one that is not ours counts as none, or nobody
/// could sign in over it.
fn token<A: Action>(app: &App, request: &Request) -> Result<Option<Token>, Failure> {
    match (
        session::presented(request, &app.config),
        A::Permission::LEAST,
    ) {
        (Presented::Signed(token), _) => Ok(Some(token)),
        (_, None) => Ok(None),
        (_, Some(_)) => Err(Failure::signed_out()),
    }
}

/// The cookie to answer with: a renewed one, or one that removes a session that has ended.
pub(crate) async fn keep_session(
    app: &App,
    presented: bool,
    live: Option<&Live>,
    now: i64,
) -> Option<String> {
    let Some(live) = live else {
        return presented.then(|| session::clear(&app.config));
    };
    if let Some(end) = live.extend_to
        && let Err(error) = app.store.extend(&live.key, now, end).await
    {
        tracing::warn!(%error, "a session's end could not be moved");
    }
    live.renewal.clone()
}

/// The input as it may be shown again.
fn public_values<A: Action>(fields: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let hidden = |name: &str| name == idempotency::FIELD || A::SECRETS.contains(&name);
    fields
        .iter()
        .filter(|(name, _)| !hidden(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

impl<A: Action> Call<'_, A> {
    /// Steps 6 to 8: the function, the transaction, the revalidation; again where data moved.
    async fn commit(
        self,
        found: Option<Found>,
        progress: &mut Progress,
        note: &mut Note,
    ) -> Result<Done<A>, Failure> {
        let mut gathered = found;
        for attempt in 0..=RERUNS {
            note.runs += 1;
            let context = self.app.context(self.caller.clone(), attempt);
            let mut found = match gathered.take() {
                Some(found) => found,
                None => match self.read(&context).await {
                    Ok(found) => found,
                    Err(error) => return self.fail(error.into(), progress, note).await,
                },
            };
            let halt = match self.once(&context, &mut found).await {
                Ok((data, tags, cookie)) => {
                    let cookie = cookie.or(progress.cookie.take());
                    return Ok(Done {
                        input: self.input,
                        data,
                        tags,
                        replayed: false,
                        cookie,
                    });
                }
                Err(halt) => halt,
            };
            progress.found = found;
            match halt {
                Halt::Moved => {}
                Halt::Failed(failure) => return self.fail(failure, progress, note).await,
                Halt::Recorded(item) => {
                    // A record that stood in the way cannot have expired.
                    let recall = self.recall(&item).unwrap_or(Recall::Reused);
                    return self.recorded(recall, progress, note).await;
                }
            }
        }
        self.fail(Rejected::Moved.into(), progress, note).await
    }

    /// One run: function, transaction, revalidation.
    async fn once(
        &self,
        context: &Context<Caller<A::Permission>>,
        found: &mut Found,
    ) -> Result<(Value, Vec<String>, Option<String>), Halt> {
        let more = A::more_reads(context, &self.input, found);
        if !more.keys.is_empty() || more.query.is_some() {
            let more = gather::read(&self.app.store, &more).await?;
            found.items.extend(more.items);
            found.range.extend(more.range);
        }
        let commit = self.decide(context, found).await?;
        let data = serde_json::to_value(commit.output())
            .map_err(|e| Failure::unknown(format!("the output cannot be serialised: {e}")))?;
        let tags = commit.tags();
        let (mut operations, cookie) = self.session_change(&commit)?;
        operations.extend_from_slice(commit.operations());
        operations.extend(
            commit
                .subject()
                .map(|subject| self.audit(context, subject, &commit)),
        );
        let outbox = (!tags.is_empty()).then(|| outbox(&tags, context.now));
        let outbox_key = outbox.map(|(key, operation)| {
            operations.push(operation);
            key
        });
        if operations.is_empty() {
            return Ok((data, tags, cookie));
        }
        let saved: Option<Saved> = self
            .keyed
            .as_ref()
            .map(|keyed| keyed.save(&data, &tags, self.now, &self.app.config));
        match self.app.store.transact(saved.as_ref(), &operations).await {
            Ok(()) => {}
            Err(Rejected::Moved) => return Err(Halt::Moved),
            Err(Rejected::Recorded(item)) => return Err(Halt::Recorded(item)),
            Err(rejected) => return Err(Halt::Failed(rejected.into())),
        }
        if let Some(key) = outbox_key {
            revalidate::revalidate(self.app, &key).await;
        }
        Ok((data, tags, cookie))
    }

    /// Step 6: the function. A panic in it is an error like another. A failed sign-in counts for
    /// its account.
    async fn decide(
        &self,
        context: &Context<Caller<A::Permission>>,
        found: &Found,
    ) -> Result<Commit<A::Output>, Failure> {
        let ran = catch_unwind(AssertUnwindSafe(|| A::run(context, &self.input, found)));
        match ran.map_err(|_| Failure::unknown("the function panicked"))? {
            Ok(commit) => Ok(commit),
            Err(error @ ActionError::Unauthenticated(_)) => {
                if let Some(account) = &self.account {
                    let failures = self
                        .app
                        .store
                        .count(&account.key, account.expires_at)
                        .await?;
                    account.check(failures)?;
                }
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The write that opens or ends the caller's session, and the cookie that goes with it.
    fn session_change(
        &self,
        commit: &Commit<A::Output>,
    ) -> Result<(Vec<Operation>, Option<String>), Failure> {
        match commit.session() {
            SessionChange::Keep => Ok((Vec::new(), None)),
            SessionChange::Close => {
                let operation = self.live.iter().map(session::close).collect();
                Ok((operation, Some(session::clear(&self.app.config))))
            }
            SessionChange::Open(grant) => {
                let (operation, cookie) = session::open(grant, self.now, &self.app.config)
                    .ok_or_else(|| Failure::unknown("the system gives no randomness"))?;
                Ok((vec![operation], Some(cookie)))
            }
        }
    }

    fn audit(
        &self,
        context: &Context<Caller<A::Permission>>,
        subject: &commit::Subject,
        commit: &Commit<A::Output>,
    ) -> Operation {
        let user = match commit.session() {
            SessionChange::Open(grant) => Some(&grant.user),
            SessionChange::Keep | SessionChange::Close => None,
        };
        Entry {
            action: A::NAME,
            subject,
            user,
            actor: self.live.as_ref().map(|live| &live.actor),
            trust: &self.trust,
            request_id: &self.request.id,
            input: serde_json::to_value(&self.input).unwrap_or(Value::Null),
            at: context.now,
        }
        .operation()
    }

    async fn read(&self, context: &Context<Caller<A::Permission>>) -> Result<Found, StoreError> {
        gather::read(&self.app.store, &A::reads(context, &self.input)).await
    }

    fn recall(&self, item: &Item) -> Option<Recall> {
        self.keyed
            .as_ref()?
            .recall(item, self.now, &self.app.config)
    }

    /// A failure, unless a twin with the same key has succeeded meanwhile: then its result.
    async fn fail(
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
    async fn recorded(
        self,
        recall: Recall,
        progress: &mut Progress,
        note: &mut Note,
    ) -> Result<Done<A>, Failure> {
        let Recall::Replay(Outcome { data, tags }) = recall else {
            return Err(Failure::reused_key());
        };
        let cookie = self.reopen(&data).await?.or(progress.cookie.take());
        note.replayed = true;
        Ok(Done {
            input: self.input,
            data,
            tags,
            replayed: true,
            cookie,
        })
    }

    /// A replay of what opened a session opens a new one, for who proves themselves again.
    async fn reopen(&self, data: &Value) -> Result<Option<String>, Failure> {
        if !matches!(A::scope(&self.input), Scope::Subject(_)) {
            return Ok(None);
        }
        let context = self.app.context(self.caller.clone(), 0);
        let found = self.read(&context).await?;
        let grant = match A::reopen(&self.input, &found, &output::<A>(data)?) {
            Ok(Some(grant)) => grant,
            Ok(None) => return Ok(None),
            Err(ActionError::Internal(detail)) => return Err(Failure::unknown(detail)),
            Err(_) => return Err(Failure::reused_key()),
        };
        let (operation, cookie) = session::open(&grant, self.now, &self.app.config)
            .ok_or_else(|| Failure::unknown("the system gives no randomness"))?;
        self.app.store.transact(None, &[operation]).await?;
        Ok(Some(cookie))
    }
}

fn output<A: Action>(data: &Value) -> Result<A::Output, Failure> {
    serde_json::from_value(data.clone())
        .map_err(|e| Failure::unknown(format!("a result cannot be read: {e}")))
}

impl<A: Action> Done<A> {
    /// Step 9: the answer to success.
    fn reply(self, request: &Request, progress: Progress, note: &mut Note) -> Reply {
        let reply = if request.wants_json() {
            let body = json!({ "ok": true, "data": self.data, "revalidated": self.tags, "requestId": request.id });
            Reply::json(200, &body)
        } else {
            match output::<A>(&self.data) {
                Ok(output) => {
                    Reply::see_other(&A::next(progress.chrome.as_ref(), &self.input, &output))
                }
                Err(failure) => {
                    // The commit is made, so this is still a success.
                    note.detail = failure.detail;
                    Reply::see_other("/")
                }
            }
        };
        let reply = reply.cookie(self.cookie);
        if self.replayed {
            reply.header("idempotency-replayed", "true")
        } else {
            reply
        }
    }
}

impl Progress {
    /// Step 9: the answer to failure. Where the form was read, it comes back with all it held.
    fn refuse<A: Action>(
        self,
        app: &App,
        request: &Request,
        failure: &Failure,
        note: &mut Note,
    ) -> Reply {
        let Some(values) = self.values.filter(|_| !request.wants_json()) else {
            return render::problem(app, request, failure, self.chrome.as_ref(), note)
                .cookie(self.cookie);
        };
        render::note_failure(failure, note);
        let signed_out = failure.status == 401 && A::Permission::LEAST.is_some();
        let used = self.key.filter(|_| failure.status != 422);
        let state = FormState {
            values,
            error: (failure.fields.is_empty() && !signed_out).then(|| failure.error.clone()),
            errors: failure.fields.clone(),
            key: used.map_or_else(fresh_key, |key| key.as_str().to_owned()),
            current: failure.current.clone(),
            existing: failure.existing.clone(),
            signed_out,
        };
        let form = FormPage {
            chrome: self.chrome.as_ref(),
            state: &state,
            found: &self.found,
        };
        let reply = Reply::html(failure.status, A::form(&form)).cookie(self.cookie);
        render::headers(reply, failure)
    }
}

/// A key that nobody has used.
pub(crate) fn fresh_key() -> String {
    uuid::Uuid::new_v4().to_string()
}
