//! Runs an action, from the request to the response.

pub(crate) mod account;
pub(crate) mod answer;
mod attempt;
pub(crate) mod audit;
pub(crate) mod chain;
mod guess;
mod idempotency;
pub(crate) mod limit;
pub(crate) mod mail;
mod records;
mod refused;
mod replay;
mod revalidate;

use crate::http::request::RequestInfo;
use crate::http::response::{self, Response};
use crate::http::trust::Trust;
use crate::http::{body, negotiate, origin};
use crate::log::LogEntry;
use crate::reads::{Loaded, RequestReads};
use crate::run::account::AccountLimit;
use crate::run::answer::{Progress, Success};
use crate::run::attempt::Call;
use crate::run::idempotency::KeyedRequest;
use crate::run::limit::Counter;
use crate::session::{self, LiveSession, SessionCookie, device};
use crate::{App, Failure, error_page};
use action::{
    Access, Action, Actor, Caller, Context, Form, IdempotencyKey, Reads, TENANT_FIELD, USER_FIELD,
    input, secret_fields,
};
use auth::{Devices, Token};
use http::Method;
use http::header::ACCEPT;
use lambda_http::Request;
use std::collections::BTreeMap;

/// Runs the action `A` for a request.
pub(crate) async fn run<A: Form>(
    app: &App,
    request: &Request,
    log_entry: &mut LogEntry,
) -> Response {
    if let Some(path) = form_page::<A>(app, request).await {
        return response::see_other(&path);
    }
    let mut progress = Progress::default();
    match handle::<A>(app, request, &mut progress, log_entry).await {
        Ok(success) => success.into_response(request, progress, log_entry),
        Err(failure) => {
            refused::count(
                app,
                progress.context.as_ref().map(|context| &context.caller),
                A::NAME,
                &failure,
            )
            .await;
            if progress.values.is_none() {
                // Nothing was read, not even the session.
                return error_page::response_to(app, request, &failure, log_entry).await;
            }
            if progress.layout.is_none() && failure.status >= 500 {
                progress.layout = error_page::layout_of_token(app, request);
            }
            progress.read_form_page::<A>(app, request, &failure).await;
            progress.form_response::<A>(app, request, &failure, log_entry)
        }
    }
}

/// The page of the action's form, for a browser that opens the address of the action. `None` for every other
/// request.
async fn form_page<A: Form>(app: &App, request: &Request) -> Option<String> {
    let opens = matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.wants_json()
        && negotiate::names_html(request.header(ACCEPT.as_str()));
    if !opens || Trust::establish(request, &app.config).is_err() {
        return None;
    }
    let layout = error_page::layout_of(app, request).await;
    Some(match (&layout, A::Permission::LEAST) {
        (None, Some(_)) => app.site.sign_in.to_owned(),
        _ => A::page_path(layout.as_ref()),
    })
}

/// A parsed request, before anything is read from storage.
struct ParsedRequest<A: Action> {
    now: i64,
    trust: Trust,
    token: Option<Token>,
    key: Result<Option<IdempotencyKey>, Failure>,
    input: Result<A::Input, Failure>,
    /// The organisation whose page has the form, if the form says so.
    tenant: Option<String>,
    /// The user whose page has the form, if the form says so.
    user: Option<String>,
    /// Counts the caller's requests.
    counter: Option<Counter>,
    /// Counts the account's failures.
    account: Option<AccountLimit>,
    /// The accounts that the browser is known to.
    devices: Devices,
    keyed: Option<KeyedRequest>,
    /// The action's reads; `None` if the input is invalid or the token's role is not allowed.
    reads: Option<Reads>,
}

async fn handle<A: Form>(
    app: &App,
    request: &Request,
    progress: &mut Progress,
    log_entry: &mut LogEntry,
) -> Result<Success<A>, Failure> {
    let mut parsed = ParsedRequest::<A>::read(app, request, progress).await?;
    let mut loaded = parsed.request_reads(request).load(app, parsed.now).await?;
    let counts_user = parsed.token.is_some() && A::Permission::LEAST.is_some();
    if loaded.live.is_none() && counts_user {
        loaded.calls = parsed.count_as_signed_out(app, loaded.calls).await?;
    }
    progress.layout.clone_from(&loaded.layout);
    let live = loaded.live.as_ref();
    progress.context = context_of(app, live);
    progress.cookie = session::refresh(app, parsed.token.is_some(), live, parsed.now).await;
    log_entry.set_caller(live.map(|live| &live.actor));
    parsed.run(app, request, loaded, progress, log_entry).await
}

/// What follows from a valid input.
#[derive(Default)]
struct Plan {
    account: Option<AccountLimit>,
    keyed: Option<KeyedRequest>,
    reads: Option<Reads>,
}

impl Plan {
    fn new<A: Action>(
        app: &App,
        key: Option<&IdempotencyKey>,
        input: &A::Input,
        actor: Option<&Actor>,
        devices: &Devices,
        now: i64,
    ) -> Result<Self, Failure> {
        let config = &app.config;
        let limit = A::rate_limit(&app.context((), 0), input)?;
        let caller = A::Permission::admit(actor.cloned()).ok();
        let reads = caller.map(|caller| A::reads(&app.context(caller, 0), input));
        Ok(Self {
            account: AccountLimit::new(&limit, actor, devices, config, now),
            keyed: KeyedRequest::new::<A>(key, input, actor, config)?,
            reads: reads.transpose()?,
        })
    }
}

impl<A: Action> ParsedRequest<A> {
    /// Everything that needs no storage.
    async fn read(app: &App, request: &Request, progress: &mut Progress) -> Result<Self, Failure> {
        let config = &app.config;
        let now = jiff::Timestamp::now().as_second();
        let trust = check_origin(app, request)?;
        let fields = body::parse(request).await?;
        progress.values = Some(public_values(&fields.0, secret_fields::<A>()));
        let token = token::<A>(app, request)?;
        let actor = token.as_ref().map(|token| &token.actor);
        let key = idempotency::key(request, &fields);
        progress.key = key.clone().ok().flatten();
        let mut input = input::read::<A::Input>(&fields.0).map_err(Failure::from);
        // What anyone may call is counted for the address. Otherwise a new account would lift its limit.
        let counted = actor.filter(|_| A::Permission::LEAST.is_some());
        let counter = Counter::for_caller(counted, &trust, config, now);
        let devices = device::read(request, config, now);
        let plan = match (&key, &input) {
            (Ok(key), Ok(input)) => Plan::new::<A>(app, key.as_ref(), input, actor, &devices, now),
            _ => Ok(Plan::default()),
        };
        // Reported in the place of a wrong input: after the session and the rate limit.
        let Plan {
            account,
            keyed,
            reads,
        } = plan.unwrap_or_else(|failure| {
            input = Err(failure);
            Plan::default()
        });
        Ok(Self {
            now,
            trust,
            token,
            key,
            input,
            tenant: fields.0.get(TENANT_FIELD).cloned(),
            user: fields.0.get(USER_FIELD).cloned(),
            counter,
            account,
            devices,
            keyed,
            reads,
        })
    }

    /// What to read in one round trip.
    fn request_reads(&self, request: &Request) -> RequestReads<'_> {
        RequestReads {
            token: self.token.as_ref(),
            layout: !request.wants_json(),
            caller: self.counter.as_ref(),
            account: self.account.as_ref(),
            record: self.keyed.as_ref().map(|keyed| &keyed.record),
            reads: self.reads.clone().unwrap_or_default(),
            ..RequestReads::default()
        }
    }

    /// Counts the request by its address instead of by its user, because the session has ended. An
    /// old cookie proves nothing, so a client that has one must not use up the user's limit. But if the
    /// user's limit is already exceeded, it still applies. Returns the count to check.
    async fn count_as_signed_out(&mut self, app: &App, calls: u64) -> Result<u64, Failure> {
        let by_address = Counter::for_caller(None, &self.trust, &app.config, self.now);
        let count_address = async {
            match &by_address {
                Some(counter) => app.store.count(&counter.key, counter.expires_at).await,
                None => Ok(0),
            }
        };
        let uncount_user = async {
            if let Some(counter) = &self.counter {
                counter.uncount(&app.store).await;
            }
        };
        let (counted, ()) = tokio::join!(count_address, uncount_user);
        let counted = counted?;
        if self
            .counter
            .as_ref()
            .is_some_and(|counter| counter.check(calls).is_err())
        {
            return Ok(calls);
        }
        self.counter = by_address;
        Ok(counted)
    }

    /// Checks whether the caller may run the action now.
    fn admit(&self, loaded: &Loaded) -> Result<Caller<A::Permission>, Failure> {
        let actor = loaded.live.as_ref().map(|live| live.actor.clone());
        let needs_sign_in = A::Permission::LEAST.is_some();
        if needs_sign_in && actor.is_none() {
            return Err(Failure::signed_out());
        }
        if let Some(counter) = &self.counter {
            counter.check(loaded.calls)?;
        }
        if let Some(actor) = actor.as_ref().filter(|_| needs_sign_in) {
            self.check_page(actor)?;
        }
        Ok(A::Permission::admit(actor)?)
    }

    /// Checks whether the form comes from a page of the caller: of the same organisation, or of the same
    /// user if the action is about the account.
    fn check_page(&self, actor: &Actor) -> Result<(), Failure> {
        let differs = |page: Option<&str>, now: &str| page.is_some_and(|page| page != now);
        if A::OF_ACCOUNT {
            return match differs(self.user.as_deref(), actor.user.as_str()) {
                true => Err(Failure::other_user()),
                false => Ok(()),
            };
        }
        match differs(self.tenant.as_deref(), actor.tenant.as_str()) {
            true => Err(Failure::other_organization()),
            false => Ok(()),
        }
    }

    /// Checks the request, with what was read. It is refused if the caller is signed out, sends too many
    /// requests, has switched to another organisation, is not allowed, or sent an invalid idempotency
    /// key or input, or if the account has too many failures, in this order. Otherwise it is replayed or
    /// runs.
    async fn run(
        self,
        app: &App,
        request: &Request,
        loaded: Loaded,
        progress: &mut Progress,
        log_entry: &mut LogEntry,
    ) -> Result<Success<A>, Failure> {
        let caller = self.admit(&loaded)?;
        self.key?;
        let input = self.input?;
        let account = loaded.account;
        if let Some(account) = account.as_ref().filter(|account| !account.only_repeats) {
            account.check()?;
        }
        let call = Call {
            app,
            request,
            trust: self.trust,
            now: self.now,
            token: self.token,
            live: loaded.live,
            caller,
            input,
            keyed: self.keyed,
            account,
            devices: self.devices,
        };
        let replaced = call.live.as_ref().is_some_and(|live| live.session.replaced);
        // Nothing was read if only the role as it is now is allowed, but not the token's.
        let found = self.reads.map(|_| loaded.found);
        match loaded.record.and_then(|record| call.match_record(&record)) {
            Some(matched) => {
                progress.found = found.unwrap_or_default();
                call.replay(matched, progress, log_entry).await
            }
            // A replaced session is only for repeated requests.
            None if replaced && A::Permission::LEAST.is_some() => Err(Failure::replaced()),
            None => call.commit(found, progress, log_entry).await,
        }
    }
}

/// The context of a live session's user.
fn context_of(app: &App, live: Option<&LiveSession>) -> Option<Context<Actor>> {
    live.map(|live| {
        let context = app.context(live.actor.clone(), 0);
        context.with_session(Some(live.key.clone()))
    })
}

/// Checks the method, the origin and the origin secret.
fn check_origin(app: &App, request: &Request) -> Result<Trust, Failure> {
    if *request.method() != Method::POST {
        return Err(Failure::method_not_allowed("POST"));
    }
    let config = &app.config;
    let trust = Trust::establish(request, config);
    let own_origin = trust
        .as_ref()
        .ok()
        .and_then(|trust| trust.own_origin.as_deref());
    let allowed = config
        .allowed_origins
        .iter()
        .map(String::as_str)
        .chain(own_origin);
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

/// The session's token. If anyone may call, an invalid cookie counts as none, because otherwise the
/// user could not sign in again.
fn token<A: Action>(app: &App, request: &Request) -> Result<Option<Token>, Failure> {
    match (
        session::read_cookie(request, &app.config),
        A::Permission::LEAST,
    ) {
        (SessionCookie::Valid(token), _) => Ok(Some(token)),
        (_, None) => Ok(None),
        (_, Some(_)) => Err(Failure::signed_out()),
    }
}

/// The input without its secrets, which a form may show again.
fn public_values(fields: &BTreeMap<String, String>, secrets: &[&str]) -> BTreeMap<String, String> {
    let hidden = |name: &str| name == idempotency::FIELD || secrets.contains(&name);
    fields
        .iter()
        .filter(|(name, _)| !hidden(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
