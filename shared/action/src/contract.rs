//! What a developer writes: an action, or a view.

use commit::{
    Access, ActionError, Actor, Chrome, Commit, Context, FormState, Found, Grant, Input, Reads,
};
use mail::Text;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the permission of `T` gives its function to hold.
pub type Caller<P> = <P as Access>::Caller;

/// Something that a user does: validated input in, one commit out.
pub trait Action: Send + Sync + 'static {
    /// The name in the route `/actions/{name}`, in the audit and in the logs.
    const NAME: &'static str;

    /// Input fields that are never shown again, kept or logged.
    const SECRETS: &'static [&'static str] = &[];

    /// Who may run it.
    type Permission: Access;

    /// What [`Action::run`] asks of the caller besides the role, in words for the documentation.
    const RULE: &'static str = "";

    /// What it is given.
    type Input: Input;

    /// The canonical record that it answers with. Holds no secret: it is kept for replays.
    type Output: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// How often it may be run. The context is there to open a token that names an account.
    fn rate_limit(_context: &Context<()>, _input: &Self::Input) -> RateLimit {
        RateLimit::Caller
    }

    /// Whether a repeated request of somebody signed in opens a session again, by
    /// [`Action::reopen`].
    const REOPENS: bool = false;

    /// Among which requests an idempotency key is unique.
    fn scope(_input: &Self::Input) -> Scope {
        Scope::Caller
    }

    /// What it needs to read.
    fn reads(_context: &Context<Caller<Self::Permission>>, _input: &Self::Input) -> Reads {
        Reads::none()
    }

    /// What it needs to read that only earlier reads can name; each time a further round trip,
    /// until it names nothing new.
    fn more_reads(
        _context: &Context<Caller<Self::Permission>>,
        _input: &Self::Input,
        _found: &Found,
    ) -> Reads {
        Reads::none()
    }

    /// Decides what to write. Pure: everything it knows is in its arguments, everything it does
    /// is in its result. It runs again with fresh reads where data moved before the commit.
    ///
    /// # Errors
    /// An [`ActionError`] where it must not happen; nothing is then written.
    fn run(
        context: &Context<Caller<Self::Permission>>,
        input: &Self::Input,
        found: &Found,
    ) -> Result<Commit<Self::Output>, ActionError>;

    /// The session to open for a replay of a request that opened one, given fresh reads: a saved
    /// result holds no secret, so the session itself cannot be replayed.
    ///
    /// # Errors
    /// [`ActionError`] where the caller does not prove who they are.
    fn reopen(
        _context: &Context<Caller<Self::Permission>>,
        _input: &Self::Input,
        _found: &Found,
        _output: &Self::Output,
    ) -> Result<Option<Grant>, ActionError> {
        Ok(None)
    }

    /// Whether the secrets of a replay are those of the request that it repeats, given fresh
    /// reads. They do not count where one input is told from another, because nothing of them is
    /// kept; so an action with [`Action::SECRETS`] decides here, or a repetition with another
    /// secret would be told that it was done.
    ///
    /// # Errors
    /// [`ActionError`] where that cannot be told.
    fn same_secrets(
        _context: &Context<Caller<Self::Permission>>,
        _input: &Self::Input,
        _found: &Found,
    ) -> Result<bool, ActionError> {
        Ok(true)
    }

    /// What the page of its form shows besides the form, for who is signed in; asked for in steps
    /// as with [`Action::more_reads`].
    fn around(_context: &Context<Actor>, _found: &Found) -> Reads {
        Reads::none()
    }

    /// The answer's `data`, made when it is answered of the output as it was saved: for a link,
    /// say, whose token must not be saved.
    fn answer(_context: &Context<Caller<Self::Permission>>, saved: Value) -> Value {
        saved
    }

    /// Where a browser goes after success: a path, with `chrome` for whoever is signed in then.
    fn next(chrome: Option<&Chrome>, input: &Self::Input, output: &Self::Output) -> String;

    /// The form again, after a refused submit: a whole HTML document.
    fn form(page: &FormPage<'_>) -> String;
}

/// How often an action may be run in a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateLimit {
    /// As often as the caller may run any action: counted per user, or per IP address where
    /// nobody is signed in.
    Caller,
    /// The same, and besides only a few failures for the account of this name, whoever calls.
    CallerAndAccount(String),
    /// The same, where the account is that of who is signed in.
    CallerAndOwnAccount,
}

/// Among which requests an idempotency key is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of the same user in the same organisation.
    Caller,
    /// Those about this subject, such as an email, where nobody is signed in yet.
    Subject(String),
    /// None: the action keeps no record.
    Unrecorded,
}

/// What a form is shown with after a refused submit.
#[derive(Debug)]
pub struct FormPage<'a> {
    /// Where the caller is signed in.
    pub chrome: Option<&'a Chrome>,
    /// The input and its errors.
    pub state: &'a FormState,
    /// What had been read.
    pub found: &'a Found,
    /// Who is signed in, in which session.
    pub context: Option<&'a Context<Actor>>,
    /// A fresh idempotency key for another form on the page.
    pub key: String,
    /// Opens the tokens in the input, whoever sends it.
    pub tokens: &'a Context<()>,
}

/// Something that a user looks at.
pub trait View: Send + Sync + 'static {
    /// The path, with names in braces for what varies: `/t/{tenant}/contacts/{id}`. A `{tenant}`
    /// must be the caller's.
    const PATH: &'static str;

    /// How the path of a file ends; what comes before is the path of the page that it belongs to.
    const FILE_ENDING: &'static str = "";

    /// Who may look.
    type Permission: Access;

    /// What [`View::show`] asks of the caller besides the role, in words for the documentation.
    const RULE: &'static str = "";

    /// Whether it uses the search index where it reads for a text ([`Query::holding`]). Without, it
    /// reads everything, and finds the same.
    ///
    /// [`Query::holding`]: commit::Query::holding
    const SEARCHES: bool = false;

    /// The names in the path and the query, parsed.
    type Params: Input;

    /// What is shown: the answer's `data` in JSON.
    type Output: Serialize + Send + Sync + 'static;

    /// What it needs to read.
    ///
    /// # Errors
    /// An [`ActionError`] where the parameters ask for nothing that exists.
    fn reads(
        _context: &Context<Caller<Self::Permission>>,
        _params: &Self::Params,
    ) -> Result<Reads, ActionError> {
        Ok(Reads::none())
    }

    /// What it needs to read that only earlier reads can name; each time a further round trip,
    /// until it names nothing new. For a page that the edge keeps only records are read, which
    /// carry no tag: its tags are known before its first read.
    fn more_reads(
        _context: &Context<Caller<Self::Permission>>,
        _params: &Self::Params,
        _found: &Found,
    ) -> Reads {
        Reads::none()
    }

    /// Makes what is shown of what was read.
    ///
    /// # Errors
    /// An [`ActionError`] where there is nothing to show.
    fn show(
        context: &Context<Caller<Self::Permission>>,
        params: &Self::Params,
        found: &Found,
    ) -> Result<Self::Output, ActionError>;

    /// Where to look instead, if not here: a path.
    fn elsewhere(_output: &Self::Output) -> Option<String> {
        None
    }

    /// A file that is answered in place of a page and of JSON.
    fn download(_output: &Self::Output) -> Option<Download> {
        None
    }

    /// The page: a whole HTML document.
    fn page(page: &ViewPage<'_>, output: &Self::Output) -> String;
}

/// A file to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its name: visible ASCII without quotes.
    pub name: String,
    /// Its type, such as `text/csv; charset=utf-8`.
    pub content_type: &'static str,
    /// Its content. An answer of a function holds at most 6 MB.
    pub text: String,
    /// How many records are in it, for the header `X-Record-Count`.
    pub records: usize,
    /// The path of the file that continues it, for the header `Link`
    /// ([RFC 8288](https://www.rfc-editor.org/rfc/rfc8288)).
    pub next: Option<String>,
}

/// What a page is shown with.
#[derive(Debug)]
pub struct ViewPage<'a> {
    /// Where the caller is signed in.
    pub chrome: Option<&'a Chrome>,
    /// A fresh idempotency key for a form on a page that is not cached.
    pub key: String,
    /// Where the product is, such as `https://crm.example.com`, for a link to copy; not known on
    /// a page that the edge keeps.
    pub origin: Option<&'a str>,
}

/// Writes the letters that [`commit::Letter`]s ask for.
pub trait Letters: Send + Sync + 'static {
    /// The letter made from this template with these values and this link; nothing where there
    /// is no such template.
    fn write(template: &str, values: &BTreeMap<String, String>, link: &str) -> Option<Text>;
}
