//! Who may do a thing. An action names one of the types here as its permission; there is no
//! default, so an action without one does not compile.

use crate::{TenantId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a member of an organisation may do there; each role holds what the ones before it hold.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and edits.
    Member,
    /// Looks after the members too.
    Admin,
    /// Looks after the organisation itself.
    Owner,
}

impl Role {
    /// The role's name, as in a token and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Member, Self::Admin, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

/// The text names no role. Displays as the message for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRole {
    /// There is no text.
    #[error("Role is required")]
    Missing,
    /// There is no role of this name.
    #[error("Unknown role")]
    Unknown,
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        match text {
            "" => Err(InvalidRole::Missing),
            _ => Self::parse(text).ok_or(InvalidRole::Unknown),
        }
    }
}

/// Somebody signed in to one organisation. Holding one is the proof that a key of that
/// organisation may be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The organisation of the session.
    pub tenant: TenantId,
    /// The person.
    pub user: UserId,
    /// The person's role in that organisation.
    pub role: Role,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody is signed in.
    SignedOut,
    /// The role does not reach.
    NotAllowed,
}

/// A permission: who passes, and what the function then holds of them.
pub trait Access: Send + Sync + 'static {
    /// What the function is given: an [`Actor`], or perhaps one where anyone passes.
    type Caller: Clone + Send + Sync + 'static;

    /// The least role that passes; `None` where nobody needs to be signed in.
    const LEAST: Option<Role>;

    /// Lets the caller in.
    ///
    /// # Errors
    /// A [`Refusal`] where they may not pass.
    fn admit(actor: Option<Actor>) -> Result<Self::Caller, Refusal>;
}

/// Everybody, signed in or not.
#[derive(Debug)]
pub struct Anyone;

impl Access for Anyone {
    type Caller = Option<Actor>;
    const LEAST: Option<Role> = None;

    fn admit(actor: Option<Actor>) -> Result<Self::Caller, Refusal> {
        Ok(actor)
    }
}

macro_rules! at_least {
    ($(#[$meta:meta])* $name:ident, $role:expr) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;

        impl Access for $name {
            type Caller = Actor;
            const LEAST: Option<Role> = Some($role);

            fn admit(actor: Option<Actor>) -> Result<Actor, Refusal> {
                let actor = actor.ok_or(Refusal::SignedOut)?;
                if actor.role >= $role { Ok(actor) } else { Err(Refusal::NotAllowed) }
            }
        }
    };
}

at_least! {
    /// Everybody in the organisation.
    Viewers, Role::Viewer
}
at_least! {
    /// Members, admins and owners.
    Members, Role::Member
}
at_least! {
    /// Admins and owners.
    Admins, Role::Admin
}
at_least! {
    /// Owners only.
    Owners, Role::Owner
}
