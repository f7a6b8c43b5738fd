//! What a developer writes to let users do something: an action.

use crate::{Access, ActionError, Commit, Context, Found, Input, Reads, Sample, SecretRules};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the function gets to know of the caller, with the permission `P`.
pub type Caller<P> = <P as Access>::Caller;

/// Something that a user does: validated input in, one commit out. Its page is a [`Form`]; if its
/// input holds a secret, it also implements [`Secrets`].
///
/// [`Form`]: crate::Form
/// [`Secrets`]: crate::Secrets
pub trait Action: Sized + Send + Sync + 'static {
    /// The name in the route `/actions/{name}`, in the audit and in the logs.
    const NAME: &'static str;

    /// Who may run it.
    type Permission: Access;

    /// What [`Action::run`] asks of the caller besides the role, in words for the documentation.
    const RULE: &'static str = "";

    /// Its input.
    type Input: Input;

    /// The canonical record that it answers with. Holds no secret: it is kept for replays.
    type Output: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// `SecretRules::of_action()` if it implements [`Secrets`](crate::Secrets).
    const SECRETS: Option<SecretRules<Self>> = None;

    /// Whether it computes or checks a password's hash, which takes a whole processor: its function
    /// gets one.
    const HASHES_PASSWORD: bool = false;

    /// Whether it is about the user's own account and does the same in every organisation. Then its form
    /// may be sent after the user has switched to another one, and is refused only if another user has
    /// signed in.
    const OF_ACCOUNT: bool = false;

    /// A request that it accepts, if what its placeholders name exists.
    fn sample() -> Sample;

    /// How often it may be run. The context is there to open a token that names an account.
    ///
    /// # Errors
    /// As [`Action::reads`].
    fn rate_limit(_context: &Context<()>, _input: &Self::Input) -> Result<RateLimit, ActionError> {
        Ok(RateLimit::Caller)
    }

    /// Among which requests an idempotency key is unique.
    ///
    /// # Errors
    /// As [`Action::reads`].
    fn scope(_input: &Self::Input) -> Result<Scope, ActionError> {
        Ok(Scope::Caller)
    }

    /// What it needs to read.
    ///
    /// # Errors
    /// An [`ActionError`] if the input names nothing that can exist.
    fn reads(
        _context: &Context<Caller<Self::Permission>>,
        _input: &Self::Input,
    ) -> Result<Reads, ActionError> {
        Ok(Reads::none())
    }

    /// What to read besides, depending on what was read so far. It is called again after each of these
    /// round trips, until it returns nothing new.
    fn more_reads(
        _context: &Context<Caller<Self::Permission>>,
        _input: &Self::Input,
        _found: &Found,
    ) -> Reads {
        Reads::none()
    }

    /// Decides what to write. Pure: everything it knows is in its arguments, everything it does
    /// is in its result. It runs again on fresh reads if the data change before the commit.
    ///
    /// # Errors
    /// An [`ActionError`] if it must not happen. Then nothing is written.
    fn run(
        context: &Context<Caller<Self::Permission>>,
        input: &Self::Input,
        found: &Found,
    ) -> Result<Commit<Self::Output>, ActionError>;

    /// The schema of what [`Action::answer`] makes.
    fn answer_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self::Output>()
    }

    /// Makes the `data` of the response from the saved output. For what must not be saved, such as the
    /// token in a link.
    fn answer(_context: &Context<Caller<Self::Permission>>, saved: Value) -> Value {
        saved
    }
}

/// How often an action may be run in a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateLimit {
    /// As often as the caller may run any action. Requests are counted for the user, or for the IP
    /// address if anyone may run the action.
    Caller,
    /// The same, and at most five failures for this account, whichever client sends them.
    CallerAndAccount(String),
    /// The same, for the account of the caller.
    CallerAndOwnAccount,
    /// The same for this account, but only if the request repeats an earlier one: only then a password is
    /// checked.
    CallerAndRepeatsForAccount(String),
}

/// Among which requests an idempotency key is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The requests of the same user in the same organisation.
    Caller,
    /// The requests of the same user, in any organisation: for an action that opens another one.
    User,
    /// The requests about this subject, such as an email, if the user is not signed in yet.
    Subject(String),
    /// None: the action keeps no record.
    Unrecorded,
}
