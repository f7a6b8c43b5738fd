//! Repeated requests of actions whose input has a secret, or that open a session.

use crate::{Action, ActionError, Caller, Context, Found, Grant};

/// What an action decides when a request is repeated, if its input has a secret or if it opens a session.
/// Neither is kept, so the saved result alone is not enough for a response.
pub trait Secrets: Action {
    /// The input fields that are never shown again, kept or logged.
    const FIELDS: &'static [&'static str] = &[];

    /// Whether a repeated request calls [`Secrets::reopen`] if the user is signed in. If the user is not, it
    /// always does.
    const REOPENS: bool = false;

    /// Whether the secrets of the repeated request are those of the first, given fresh reads.
    /// Without this check, a repetition with another secret would be told that it was done.
    ///
    /// # Errors
    /// [`ActionError`] if that cannot be told.
    fn same_secrets(
        _context: &Context<Caller<Self::Permission>>,
        _input: &Self::Input,
        _found: &Found,
    ) -> Result<bool, ActionError> {
        Ok(true)
    }

    /// The session to open for a repeated request whose first opened one, given fresh reads.
    ///
    /// # Errors
    /// [`ActionError`] if the caller does not prove their identity.
    fn reopen(
        _context: &Context<Caller<Self::Permission>>,
        _input: &Self::Input,
        _found: &Found,
        _output: &Self::Output,
    ) -> Result<Option<Grant>, ActionError> {
        Ok(None)
    }
}

type SameSecrets<A> =
    fn(&Context<CallerOf<A>>, &<A as Action>::Input, &Found) -> Result<bool, ActionError>;
type Reopen<A> = fn(
    &Context<CallerOf<A>>,
    &<A as Action>::Input,
    &Found,
    &<A as Action>::Output,
) -> Result<Option<Grant>, ActionError>;
type CallerOf<A> = Caller<<A as Action>::Permission>;

/// An action's implementation of [`Secrets`] as a value, for [`Action::SECRETS`].
#[derive(Debug)]
pub struct SecretRules<A: Action> {
    /// [`Secrets::FIELDS`].
    pub fields: &'static [&'static str],
    /// [`Secrets::REOPENS`].
    pub reopens: bool,
    /// [`Secrets::same_secrets`].
    pub same_secrets: SameSecrets<A>,
    /// [`Secrets::reopen`].
    pub reopen: Reopen<A>,
}

impl<A: Secrets> SecretRules<A> {
    /// The action's implementation.
    #[must_use]
    pub const fn of_action() -> Option<Self> {
        Some(Self {
            fields: A::FIELDS,
            reopens: A::REOPENS,
            same_secrets: A::same_secrets,
            reopen: A::reopen,
        })
    }
}

/// The names of an action's secret fields.
#[must_use]
pub fn secret_fields<A: Action>() -> &'static [&'static str] {
    A::SECRETS.map_or(&[], |rules| rules.fields)
}
