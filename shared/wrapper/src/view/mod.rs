//! A view, from request to answer.

mod cache;

use crate::http::request::Asked as _;
use crate::http::response::{self, Response, With};
use crate::http::trust::Trust;
use crate::http::urlencoded;
use crate::log::Note;
use crate::reads::{self, Gathered, Range, Wanted, searching};
use crate::run::{answer, mail};
use crate::session::{self, Presented};
use crate::view::cache::{Cacheable, Sharing};
use crate::{App, Failure, error_page};
use action::{Access, Actor, Found, Layout, Reads, View, ViewPage, input};
use auth::Token;
use lambda_http::Request;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What stays as it is in a query's value (RFC 3986, section 2.3).
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Shows the view `V` for a request whose path gave these names.
pub(crate) async fn run<V: View>(
    app: &App,
    request: &Request,
    captures: BTreeMap<String, String>,
    note: &mut Note,
) -> Response {
    let mut frame = Frame::default();
    match look::<V>(app, request, captures, &mut frame, note).await {
        Ok(output) => present::<V>(app, request, &output, &frame, note),
        // An answer that others may be given ends nobody's session: the page to sign in does.
        Err(failure) if failure.status == 401 && !request.wants_json() => {
            error_page::note_failure(&failure, note);
            response::see_other(&sign_in::<V>(app, request))
        }
        Err(failure) => error_page::problem(app, request, &failure, frame.layout.as_ref(), note),
    }
    .with_cookie(frame.cookie)
}

/// What goes around the answer.
#[derive(Debug, Default)]
struct Frame {
    layout: Option<Layout>,
    cookie: Option<String>,
    /// What lets the edge keep it.
    cacheable: Option<Cacheable>,
    /// Where the product is, where the answer is not kept.
    origin: Option<String>,
}

/// What a view asks for.
struct Asked<V: View> {
    token: Option<Token>,
    tenant: Option<String>,
    params: Result<V::Params, Failure>,
    reads: Result<Reads, Failure>,
}

impl<V: View> Asked<V> {
    const RANGE: Option<Range> = if V::SEARCHES { Some(searching) } else { None };

    /// Everything that needs no storage.
    fn read(
        app: &App,
        request: &Request,
        captures: BTreeMap<String, String>,
    ) -> Result<Self, Failure> {
        let token = match (
            session::presented(request, &app.config),
            V::Permission::LEAST,
        ) {
            (Presented::Signed(token), _) => Some(token),
            (_, None) => None,
            (_, Some(_)) => return Err(Failure::signed_out()),
        };
        let tenant = captures.get("tenant").cloned();
        let params = parameters::<V>(request, captures);
        let claimed = V::Permission::admit(token.as_ref().map(|token| token.actor.clone()));
        let reads = match (&params, claimed) {
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
        })
    }

    /// The session and the reads. Where the edge may keep the page, its tags are marked before
    /// anything is read that it shows.
    async fn gather(
        &self,
        app: &App,
        sharing: Sharing<'_>,
        json: bool,
        now: i64,
    ) -> Result<(Gathered, Option<Cacheable>), Failure> {
        let reads = self.reads.clone().unwrap_or_default();
        let wanted = Wanted {
            token: self.token.as_ref(),
            layout: !json,
            range: Self::RANGE,
            ..Wanted::default()
        };
        let Sharing::Shared { distribution, key } = sharing else {
            let wanted = Wanted { reads, ..wanted };
            return Ok((wanted.gather(app, now).await?, None));
        };
        let wanted = Wanted {
            at_most: Some(key.role),
            ..wanted
        };
        let (mut gathered, marked) = tokio::try_join!(wanted.gather(app, now), async {
            Ok(Cacheable::mark(app, distribution, reads.tags()).await)
        })?;
        // A session that has ended, or holds less than its token says, gets what is its own.
        let role = gathered.live.as_ref().map(|live| live.actor.role);
        if role.is_some() {
            gathered.found = reads::read(&app.store, &reads, Self::RANGE).await?;
        }
        Ok((gathered, marked.filter(|_| role == Some(key.role))))
    }
}

async fn look<V: View>(
    app: &App,
    request: &Request,
    captures: BTreeMap<String, String>,
    frame: &mut Frame,
    note: &mut Note,
) -> Result<V::Output, Failure> {
    let trust = Trust::establish(request, &app.config)?;
    let sharing = Sharing::of(&trust);
    let now = jiff::Timestamp::now().as_second();
    let asked = Asked::<V>::read(app, request, captures)?;
    let claimed = asked.token.as_ref().map(|token| &token.actor);
    let json = request.wants_json();
    if !sharing.is_right_for(claimed, asked.tenant.as_deref(), json) {
        return Err(Failure::unknown(
            "the edge's cache key is not this request's",
        ));
    }
    let (gathered, cacheable) = asked.gather(app, sharing, json, now).await?;
    frame.layout = gathered.layout;
    frame.cacheable = cacheable;
    let shared = sharing.is_shared();
    if !shared {
        frame.origin = mail::origin(app, &trust).map(str::to_owned);
        let signed = asked.token.is_some();
        frame.cookie = session::keep(app, signed, gathered.live.as_ref(), now).await;
    }
    let (actor, session) = gathered.live.map(|live| (live.actor, live.key)).unzip();
    note.tenant = actor.as_ref().map(|actor| actor.tenant.to_string());
    note.user = actor.as_ref().map(|actor| actor.user.to_string());
    if V::Permission::LEAST.is_some() && actor.is_none() {
        return Err(Failure::signed_out());
    }
    if !is_own(asked.tenant.as_deref(), actor.as_ref()) {
        return Err(Failure::page_not_found());
    }
    let caller = V::Permission::admit(actor)?;
    let params = asked.params?;
    let reads = asked.reads?;
    note.runs += 1;
    let session = session.filter(|_| !shared);
    let context = app.context(caller, 0).within(session);
    let mut found = gathered.found;
    let more = |found: &Found| {
        let more = V::more_reads(&context, &params, found);
        if shared { more.untagged() } else { more }
    };
    reads::read_more(&app.store, &reads, &mut found, more).await?;
    let shown = catch_unwind(AssertUnwindSafe(|| V::show(&context, &params, &found)));
    Ok(shown.map_err(|_| Failure::unknown("the view panicked"))??)
}

/// Whether a path that names an organisation names the caller's.
fn is_own(tenant: Option<&str>, actor: Option<&Actor>) -> bool {
    tenant.is_none_or(|tenant| actor.is_some_and(|actor| actor.tenant.as_str() == tenant))
}

/// The names in the path and the query, as the view's parameters. A name in the path that cannot
/// be right leads to no page.
fn parameters<V: View>(
    request: &Request,
    captures: BTreeMap<String, String>,
) -> Result<V::Params, Failure> {
    let mut fields = urlencoded::parse(request.query().as_bytes())?;
    let in_path: Vec<_> = captures.keys().cloned().collect();
    // A name of the path cannot be given again in the query.
    fields.0.extend(captures);
    input::read(&fields.0).map_err(|error| {
        let failure = Failure::from(error);
        let in_path = in_path.iter().any(|name| failure.fields.contains_key(name));
        if in_path {
            Failure::page_not_found()
        } else {
            failure
        }
    })
}

fn present<V: View>(
    app: &App,
    request: &Request,
    output: &V::Output,
    frame: &Frame,
    note: &mut Note,
) -> Response {
    let keep = |reply: Response| match &frame.cacheable {
        Some(cacheable) => cacheable.apply(reply),
        None => reply,
    };
    if let Some(file) = V::download(output) {
        return keep(response::download(file));
    }
    if request.wants_json() {
        return keep(response::json(200, &json!({ "ok": true, "data": output })));
    }
    if let Some(path) = V::redirect(output) {
        return response::see_other(&path);
    }
    let page = ViewPage {
        layout: frame.layout.as_ref(),
        key: answer::fresh_key(),
        origin: frame.origin.as_deref(),
    };
    match catch_unwind(AssertUnwindSafe(|| V::page(&page, output))) {
        Ok(html) => keep(response::html(200, html)),
        Err(_) => {
            let failure = Failure::unknown("a page's template panicked");
            error_page::problem(app, request, &failure, frame.layout.as_ref(), note)
        }
    }
}

/// Where to sign in and come back from: to the page that a file belongs to, for a file leaves the
/// page as it is on which one has signed in.
fn sign_in<V: View>(app: &App, request: &Request) -> String {
    let query = if request.query().is_empty() {
        String::new()
    } else {
        format!("?{}", request.query())
    };
    let path = request.path().strip_suffix(V::FILE_ENDING);
    let path = path.unwrap_or(request.path());
    let here = format!("{path}{query}");
    format!(
        "{}?return_to={}",
        app.site.sign_in,
        utf8_percent_encode(&here, QUERY_VALUE)
    )
}
