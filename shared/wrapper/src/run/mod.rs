//! An action, from request to answer: the steps in their order.

pub(crate) mod answer;
mod attempt;
pub(crate) mod audit;
pub(crate) mod chain;
mod idempotency;
pub(crate) mod limit;
pub(crate) mod mail;
mod refused;
mod replay;
mod revalidate;

use crate::http::request::Asked as _;
use crate::http::response::Response;
use crate::http::trust::Trust;
use crate::http::{body, origin};
use crate::log::Note;
use crate::reads::{Gathered, Wanted};
use crate::run::answer::{Done, Progress};
use crate::run::attempt::Call;
use crate::run::idempotency::Keyed;
use crate::run::limit::Counter;
use crate::session::{self, Presented};
use crate::{App, Failure};
use action::{
    Access, Action, Actor, Form, IdempotencyKey, Reads, TENANT_FIELD, input, secret_fields,
};
use auth::Token;
use http::Method;
use lambda_http::Request;
use std::collections::BTreeMap;

/// Runs the action `A` for a request.
pub(crate) async fn run<A: Form>(app: &App, request: &Request, note: &mut Note) -> Response {
    let mut progress = Progress::default();
    match attempt::<A>(app, request, &mut progress, note).await {
        Ok(done) => done.reply(request, progress, note),
        Err(failure) => {
            refused::count(
                app,
                progress.context.as_ref().map(|context| &context.caller),
                A::NAME,
                &failure,
            )
            .await;
            progress.look_around::<A>(app, request, &failure).await;
            progress.refuse::<A>(app, request, &failure, note)
        }
    }
}

/// What a request asks for, before anything is known of it but itself.
struct Asked<A: Action> {
    now: i64,
    trust: Trust,
    token: Option<Token>,
    key: Result<Option<IdempotencyKey>, Failure>,
    input: Result<A::Input, Failure>,
    /// On whose page the form stands, where it says so.
    tenant: Option<String>,
    /// Counts the caller's requests.
    counter: Option<Counter>,
    /// Counts the account's failures.
    account: Option<Counter>,
    keyed: Option<Keyed>,
    /// What to read, where the token's role may.
    reads: Option<Reads>,
}

async fn attempt<A: Form>(
    app: &App,
    request: &Request,
    progress: &mut Progress,
    note: &mut Note,
) -> Result<Done<A>, Failure> {
    let mut asked = Asked::<A>::read(app, request, progress).await?;
    let mut gathered = asked.wanted(request).gather(app, asked.now).await?;
    if gathered.live.is_none() && asked.token.is_some() {
        gathered.calls = asked.count_as_nobody(app, gathered.calls).await?;
    }
    progress.layout.clone_from(&gathered.layout);
    let live = gathered.live.as_ref();
    progress.context = live.map(|live| {
        let context = app.context(live.actor.clone(), 0);
        context.within(Some(live.key.clone()))
    });
    progress.cookie = session::keep(app, asked.token.is_some(), live, asked.now).await;
    note.tenant = live.map(|live| live.actor.tenant.to_string());
    note.user = live.map(|live| live.actor.user.to_string());
    asked.run(app, request, gathered, progress, note).await
}

/// What follows from a valid input.
#[derive(Default)]
struct Plan {
    account: Option<Counter>,
    keyed: Option<Keyed>,
    reads: Option<Reads>,
}

impl Plan {
    fn new<A: Action>(
        app: &App,
        key: Option<&IdempotencyKey>,
        input: &A::Input,
        actor: Option<&Actor>,
        now: i64,
    ) -> Result<Self, Failure> {
        let config = &app.config;
        let limit = A::rate_limit(&app.context((), 0), input)?;
        let caller = A::Permission::admit(actor.cloned()).ok();
        let reads = caller.map(|caller| A::reads(&app.context(caller, 0), input));
        Ok(Self {
            account: Counter::of_account(&limit, actor, config, now),
            keyed: Keyed::new::<A>(key, input, actor, config)?,
            reads: reads.transpose()?,
        })
    }
}

impl<A: Action> Asked<A> {
    /// Steps 1 to 4: everything that needs no storage.
    async fn read(app: &App, request: &Request, progress: &mut Progress) -> Result<Self, Failure> {
        let config = &app.config;
        let now = jiff::Timestamp::now().as_second();
        let trust = receive(app, request)?;
        let fields = body::parse(request).await?;
        progress.values = Some(public_values(&fields.0, secret_fields::<A>()));
        let token = token::<A>(app, request)?;
        let actor = token.as_ref().map(|token| &token.actor);
        let key = idempotency::key(request, &fields);
        progress.key = key.clone().ok().flatten();
        let mut input = input::read::<A::Input>(&fields.0).map_err(Failure::from);
        let counter = Counter::of_caller(actor, &trust, config, now);
        let plan = match (&key, &input) {
            (Ok(key), Ok(input)) => Plan::new::<A>(app, key.as_ref(), input, actor, now),
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
            counter,
            account,
            keyed,
            reads,
        })
    }

    /// What to ask storage for, at once.
    fn wanted(&self, request: &Request) -> Wanted<'_> {
        Wanted {
            token: self.token.as_ref(),
            layout: !request.wants_json(),
            caller: self.counter.as_ref(),
            account: self.account.as_ref(),
            record: self.keyed.as_ref().map(|keyed| &keyed.record),
            reads: self.reads.clone().unwrap_or_default(),
            ..Wanted::default()
        }
    }

    /// Counts for the address what was counted for a person whose session has ended: the cookie
    /// alone is nobody's, and whoever has it takes nothing from them. Nor is it a way around the
    /// person's limit.
    async fn count_as_nobody(&mut self, app: &App, calls: u64) -> Result<u64, Failure> {
        let nobody = Counter::of_caller(None, &self.trust, &app.config, self.now);
        let of_address = async {
            match &nobody {
                Some(counter) => app.store.count(&counter.key, counter.expires_at).await,
                None => Ok(0),
            }
        };
        let taken_back = async {
            if let Some(counter) = &self.counter {
                counter.take_back(&app.store).await;
            }
        };
        let (counted, ()) = tokio::join!(of_address, taken_back);
        let counted = counted?;
        if self
            .counter
            .as_ref()
            .is_some_and(|counter| counter.check(calls).is_err())
        {
            return Ok(calls);
        }
        self.counter = nobody;
        Ok(counted)
    }

    /// Step 5, weighed: who is not signed in, calls too often, is elsewhere by now, may not, or sent
    /// wrong input is refused, in this order. Then the saved result, or the run.
    async fn run(
        self,
        app: &App,
        request: &Request,
        gathered: Gathered,
        progress: &mut Progress,
        note: &mut Note,
    ) -> Result<Done<A>, Failure> {
        let actor = gathered.live.as_ref().map(|live| live.actor.clone());
        if A::Permission::LEAST.is_some() && actor.is_none() {
            return Err(Failure::signed_out());
        }
        if let Some(counter) = &self.counter {
            counter.check(gathered.calls)?;
        }
        let elsewhere = |actor: &Actor| {
            let page = self.tenant.as_deref();
            page.is_some_and(|page| page != actor.tenant.as_str())
        };
        if A::Permission::LEAST.is_some() && actor.as_ref().is_some_and(elsewhere) {
            return Err(Failure::other_organization());
        }
        let caller = A::Permission::admit(actor)?;
        self.key?;
        let input = self.input?;
        if let Some(account) = &self.account {
            account.check_stored(gathered.failures.as_ref())?;
        }
        let call = Call {
            app,
            request,
            trust: self.trust,
            now: self.now,
            live: gathered.live,
            caller,
            input,
            keyed: self.keyed,
            account: self.account,
        };
        let replaced = call.live.as_ref().is_some_and(|live| live.session.replaced);
        // Where the token's role did not reach but the role as it is now does, nothing was read.
        let found = self.reads.map(|_| gathered.found);
        match gathered.record.and_then(|record| call.recall(&record)) {
            Some(recall) => {
                progress.found = found.unwrap_or_default();
                call.recorded(recall, progress, note).await
            }
            // What has been replaced is known for the twins of requests from before.
            None if replaced && A::Permission::LEAST.is_some() => Err(Failure::signed_out()),
            None => call.commit(found, progress, note).await,
        }
    }
}

/// Steps 1 and 2: the method, the origin, the edge's secret.
fn receive(app: &App, request: &Request) -> Result<Trust, Failure> {
    if *request.method() != Method::POST {
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

/// The input as it may be shown again.
fn public_values(fields: &BTreeMap<String, String>, secrets: &[&str]) -> BTreeMap<String, String> {
    let hidden = |name: &str| name == idempotency::FIELD || secrets.contains(&name);
    fields
        .iter()
        .filter(|(name, _)| !hidden(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
