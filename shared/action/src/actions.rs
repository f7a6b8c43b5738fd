//! What a developer writes to let users do something: an action.

use crate::{
    Access, ActionError, Actor, Commit, Context, FormState, Found, Grant, Input, Layout, Reads,
    Sample,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

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

    /// Whether it computes or checks a password's hash, which takes a whole processor: its function
    /// gets one.
    const HASHES_PASSWORD: bool = false;

    /// A request that it accepts, if what its placeholders name exists.
    fn sample() -> Sample;

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
    fn form_reads(_context: &Context<Actor>, _found: &Found) -> Reads {
        Reads::none()
    }

    /// The answer's `data`, made when it is answered of the output as it was saved: for a link,
    /// say, whose token must not be saved.
    fn answer(_context: &Context<Caller<Self::Permission>>, saved: Value) -> Value {
        saved
    }

    /// Where a browser goes after success: a path, with `layout` for whoever is signed in then.
    fn success_path(layout: Option<&Layout>, input: &Self::Input, output: &Self::Output) -> String;

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
    pub layout: Option<&'a Layout>,
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
