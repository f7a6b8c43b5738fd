//! Runs a view, from the request to the response.

mod cache;
pub(crate) mod openings;
mod other;

use crate::http::request::RequestInfo;
use crate::http::response::{self, Response, ResponseExt};
use crate::http::trust::Trust;
use crate::http::urlencoded;
use crate::log::LogEntry;
use crate::reads::{self, Loaded, Range, RequestReads, search_range};
use crate::run::limit::Counter;
use crate::run::{answer, mail};
use crate::session::{self, SessionCookie};
use crate::view::cache::{Cacheable, Sharing};
use crate::{App, Failure, error_page};
use action::{
    Access, Actor, Caller, Context, FormState, Found, Layout, OtherOrganization, Reads, UserId,
    View, ViewPage, input,
};
use auth::Token;
use lambda_http::Request;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The characters that are encoded in the value of a query (RFC 3986, section 2.3).
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Runs the view `V` for a request with these parameters in its path.
pub(crate) async fn run<V: View>(
    app: &App,
    request: &Request,
    path_parameters: BTreeMap<String, String>,
    log_entry: &mut LogEntry,
) -> Response {
    let mut parts = ResponseParts::default();
    let output = load_output::<V>(app, request, path_parameters, &mut parts, log_entry).await;
    if output.as_ref().is_err_and(|failure| failure.status >= 500) && parts.layout.is_none() {
        parts.layout = error_page::layout_of_token(app, request);
    }
    match output {
        Ok(output) => respond::<V>(app, request, &output, &parts, log_entry),
        // This response sets no cookie if it is shared. The sign-in page removes the old cookie.
        Err(failure) if failure.status == 401 && !request.wants_json() => {
            error_page::log_failure(&failure, log_entry);
            response::see_other(&sign_in::<V>(app, request))
        }
        Err(failure) if parts.wrong_page.is_some() => {
            error_page::log_failure(&failure, log_entry);
            response::html(failure.status, parts.wrong_page.take().unwrap_or_default())
        }
        Err(failure) => match (&parts.layout, &parts.other) {
            (Some(layout), Some(other)) => {
                let failure = Failure::elsewhere();
                error_page::log_failure(&failure, log_entry);
                response::html(failure.status, (app.site.switch_page)(layout, other))
            }
            (layout, _) => {
                let failure = limit_misses(app, parts.user.as_ref(), failure).await;
                error_page::error_response(app, request, &failure, layout.as_ref(), log_entry)
            }
        },
    }
    .with_cookie(parts.cookie)
}

/// What the response needs besides the output.
#[derive(Debug, Default)]
struct ResponseParts {
    layout: Option<Layout>,
    cookie: Option<String>,
    /// The user, if signed in.
    user: Option<UserId>,
    /// Set if the edge may cache the response.
    cacheable: Option<Cacheable>,
    /// The origin of the product, if the response is not shared.
    origin: Option<String>,
    /// The organisation of the path, if the page is not found because the session is for another
    /// organisation of the user.
    other: Option<OtherOrganization>,
    /// The view's own page for wrong parameters.
    wrong_page: Option<String>,
}

impl ResponseParts {
    fn page(&self) -> ViewPage<'_> {
        ViewPage {
            layout: self.layout.as_ref(),
            key: answer::new_idempotency_key(),
            origin: self.origin.as_deref(),
        }
    }
}

/// A parsed request, before anything is read from storage.
struct ParsedRequest<V: View> {
    token: Option<Token>,
    tenant: Option<String>,
    params: Result<V::Params, Failure>,
    reads: Result<Reads, Failure>,
    /// The parameters as they were sent.
    fields: BTreeMap<String, String>,
}

impl<V: View> ParsedRequest<V> {
    const RANGE: Option<Range> = if V::SEARCHES {
        Some(search_range)
    } else {
        None
    };

    /// Everything that needs no storage.
    fn read(
        app: &App,
        request: &Request,
        path_parameters: BTreeMap<String, String>,
    ) -> Result<Self, Failure> {
        let token = match (
            session::read_cookie(request, &app.config),
            V::Permission::LEAST,
        ) {
            (SessionCookie::Valid(token), _) => Some(token),
            (_, None) => None,
            (_, Some(_)) => return Err(Failure::signed_out()),
        };
        let tenant = path_parameters.get("tenant").cloned();
        let (fields, params) = parameters::<V>(request, path_parameters);
        let caller = V::Permission::admit(token.as_ref().map(|token| token.actor.clone()));
        let reads = match (&params, caller) {
            (Ok(params), Ok(caller)) => {
                V::reads(&app.context(caller, 0), params).map_err(Failure::from)
            }
            _ => Ok(Reads::none()),
        };
        Ok(Self {
            token,
            tenant,
            params,
            reads,
            fields,
        })
    }

    /// Reads the session and what the view needs. If the edge may cache the page, its tags are marked
    /// before the view's reads.
    async fn load(
        &self,
        app: &App,
        sharing: Sharing<'_>,
        json: bool,
        now: i64,
    ) -> Result<(Loaded, Option<Cacheable>), Failure> {
        let reads = self.reads.clone().unwrap_or_default();
        let request_reads = RequestReads {
            token: self.token.as_ref(),
            layout: !json,
            range: Self::RANGE,
            ..RequestReads::default()
        };
        let Sharing::Shared { distribution, key } = sharing else {
            let request_reads = RequestReads {
                reads,
                ..request_reads
            };
            return Ok((request_reads.load(app, now).await?, None));
        };
        let request_reads = RequestReads {
            max_role: Some(key.role),
            ..request_reads
        };
        if !Cacheable::is_likely(app, &reads) {
            let request_reads = RequestReads {
                reads,
                ..request_reads
            };
            return Ok((request_reads.load(app, now).await?, None));
        }
        let (mut loaded, opened) = tokio::try_join!(request_reads.load(app, now), async {
            Ok(Cacheable::open(app, distribution, &reads).await)
        })?;
        // If the session has ended or its role is lower than the token's, the page is not cached.
        let role = loaded.live.as_ref().map(|live| live.actor.role);
        if role.is_some() {
            loaded.found = reads::read(&app.store, &reads, Self::RANGE).await?;
        }
        Ok((loaded, opened.filter(|_| role == Some(key.role))))
    }
}

async fn load_output<V: View>(
    app: &App,
    request: &Request,
    path_parameters: BTreeMap<String, String>,
    parts: &mut ResponseParts,
    log_entry: &mut LogEntry,
) -> Result<V::Output, Failure> {
    let trust = Trust::establish(request, &app.config)?;
    let sharing = Sharing::from_trust(&trust);
    let now = jiff::Timestamp::now().as_second();
    let parsed = ParsedRequest::<V>::read(app, request, path_parameters)?;
    let token_actor = parsed.token.as_ref().map(|token| &token.actor);
    let json = request.wants_json();
    if !sharing.matches(token_actor, parsed.tenant.as_deref(), json) {
        return Err(Failure::unknown(
            "the edge's cache key is not this request's",
        ));
    }
    let (loaded, cacheable) = parsed.load(app, sharing, json, now).await?;
    parts.layout = loaded.layout;
    parts.cacheable = cacheable;
    let shared = sharing.is_shared();
    if let Some(tenant) = parsed.tenant.as_deref().filter(|_| shared) {
        log_entry.unaffordable = app.openings.has_no_room(tenant);
        log_entry.purges_left = app.openings.take_left();
    }
    if !shared {
        parts.origin = mail::origin(app, &trust).map(str::to_owned);
        let has_token = parsed.token.is_some();
        parts.cookie = session::refresh(app, has_token, loaded.live.as_ref(), now).await;
    }
    let (actor, session) = loaded.live.map(|live| (live.actor, live.key)).unzip();
    log_entry.set_caller(actor.as_ref());
    parts.user = actor.as_ref().map(|actor| actor.user.clone());
    if let (Some(actor), Some(tenant), false) = (&actor, parsed.tenant.as_deref(), json)
        && *tenant != *actor.tenant.as_str()
    {
        parts.other = other::of_user(app, actor, tenant, || page_path::<V>(request)).await?;
    }
    let caller = admit::<V>(actor, parsed.tenant.as_deref())?;
    let session = session.filter(|_| !shared);
    let context = app.context(caller, 0).with_session(session);
    let (params, reads) = match (parsed.params, parsed.reads) {
        (Ok(params), Ok(reads)) => (params, reads),
        (Err(failure), _) | (_, Err(failure)) => {
            if !json && !failure.fields.is_empty() {
                parts.wrong_page =
                    wrong_page::<V>(app, &context, parts, parsed.fields, &failure).await?;
            }
            return Err(failure);
        }
    };
    log_entry.runs += 1;
    let mut found = loaded.found;
    let more = |found: &Found| {
        let more = V::more_reads(&context, &params, found);
        if shared { more.untagged() } else { more }
    };
    reads::read_more(&app.store, &reads, &mut found, more).await?;
    let output = catch_unwind(AssertUnwindSafe(|| V::show(&context, &params, &found)));
    Ok(output.map_err(|_| Failure::unknown("the view panicked"))??)
}

/// The view's own page for wrong parameters, if it has one.
async fn wrong_page<V: View>(
    app: &App,
    context: &Context<Caller<V::Permission>>,
    parts: &ResponseParts,
    values: BTreeMap<String, String>,
    failure: &Failure,
) -> Result<Option<String>, Failure> {
    let found = reads::read(&app.store, &V::wrong_page_reads(context), None).await?;
    let sent = FormState {
        values,
        errors: failure.fields.clone(),
        ..FormState::default()
    };
    let page = parts.page();
    let page = catch_unwind(AssertUnwindSafe(|| {
        V::wrong_page(context, &page, &sent, &found)
    }));
    page.map_err(|_| Failure::unknown("a page's template panicked"))
}

/// Counts a 404 for its user, because nothing of it is cached: guessing ids has a limit, as writing has.
async fn limit_misses(app: &App, user: Option<&UserId>, failure: Failure) -> Failure {
    let Some(user) = user.filter(|_| failure.status == 404) else {
        return failure;
    };
    let now = jiff::Timestamp::now().as_second();
    let Some(counter) = Counter::for_misses(user, &app.config, now) else {
        return failure;
    };
    match app.store.count(&counter.key, counter.expires_at).await {
        Ok(count) => counter.check(count).err().unwrap_or(failure),
        Err(error) => {
            tracing::warn!(%error, "a missing page could not be counted");
            failure
        }
    }
}

/// Checks whether the caller may see the view of the organisation in the path.
fn admit<V: View>(
    actor: Option<Actor>,
    tenant: Option<&str>,
) -> Result<Caller<V::Permission>, Failure> {
    if V::Permission::LEAST.is_some() && actor.is_none() {
        return Err(Failure::signed_out());
    }
    if !is_callers_tenant(tenant, actor.as_ref()) {
        return Err(Failure::page_not_found());
    }
    Ok(V::Permission::admit(actor)?)
}

/// Whether the organisation in the path is the caller's, or the path has none.
fn is_callers_tenant(tenant: Option<&str>, actor: Option<&Actor>) -> bool {
    tenant.is_none_or(|tenant| actor.is_some_and(|actor| actor.tenant.as_str() == tenant))
}

/// Parses the view's parameters from the path and the query: as they were sent, and as the view takes them.
/// An invalid parameter in the path is a 404.
fn parameters<V: View>(
    request: &Request,
    path_parameters: BTreeMap<String, String>,
) -> (BTreeMap<String, String>, Result<V::Params, Failure>) {
    let mut fields = match urlencoded::parse(request.query().as_bytes()) {
        Ok(fields) => fields.0,
        Err(failure) => return (path_parameters, Err(failure)),
    };
    let in_path: Vec<_> = path_parameters.keys().cloned().collect();
    // A parameter in the path wins over one in the query.
    fields.extend(path_parameters);
    let params = input::read(&fields).map_err(|error| {
        let failure = Failure::from(error);
        let in_path = in_path.iter().any(|name| failure.fields.contains_key(name));
        if in_path {
            Failure::page_not_found()
        } else {
            failure
        }
    });
    (fields, params)
}

fn respond<V: View>(
    app: &App,
    request: &Request,
    output: &V::Output,
    parts: &ResponseParts,
    log_entry: &mut LogEntry,
) -> Response {
    let with_caching = |response: Response| match &parts.cacheable {
        Some(cacheable) => cacheable.apply(response),
        None => response,
    };
    if let Some(file) = V::download(output) {
        return with_caching(response::download(file));
    }
    if request.wants_json() {
        return with_caching(response::json(200, &json!({ "ok": true, "data": output })));
    }
    if let Some(path) = V::redirect(output) {
        return response::see_other(&path);
    }
    let page = parts.page();
    match catch_unwind(AssertUnwindSafe(|| V::page(&page, output))) {
        Ok(html) => with_caching(response::html(200, html)),
        Err(_) => {
            let failure = Failure::unknown("a page's template panicked");
            error_page::error_response(app, request, &failure, parts.layout.as_ref(), log_entry)
        }
    }
}

/// The path of the sign-in page that leads back here.
fn sign_in<V: View>(app: &App, request: &Request) -> String {
    format!(
        "{}?return_to={}",
        app.site.sign_in,
        utf8_percent_encode(&page_path::<V>(request), QUERY_VALUE)
    )
}

/// The path to come back to, with its query. For a download it is that of the page of the file, because a
/// download would leave the browser on the page that it came from.
fn page_path<V: View>(request: &Request) -> String {
    let query = if request.query().is_empty() {
        String::new()
    } else {
        format!("?{}", request.query())
    };
    let path = request.path().strip_suffix(V::FILE_ENDING);
    let path = path.unwrap_or(request.path());
    format!("{path}{query}")
}
