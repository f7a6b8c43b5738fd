//! Permissions. An action names one of the types here as its permission. There is no default, so an
//! action without a permission does not compile.

use crate::{TenantId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The role of a member in an organisation. Each role may do what the roles before it may do.
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
    /// Also manages the members.
    Admin,
    /// Also manages the organisation itself.
    Owner,
}

impl Role {
    /// The name of the role, as in tokens and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role with this name.
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

/// A user who is signed in to an organisation. Code that has an `Actor` may build keys of that
/// organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The organisation that the session belongs to.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The user's role in that organisation.
    pub role: Role,
}

/// Why a permission refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The user is not signed in.
    SignedOut,
    /// The user's role is too low.
    NotAllowed,
}

/// A permission: who may run an action or a view, and what its function learns about the caller.
pub trait Access: Send + Sync + 'static {
    /// What the function gets: an [`Actor`], or an `Option` of one if anyone may call.
    type Caller: Clone + Send + Sync + 'static;

    /// The lowest role that is allowed; `None` if the caller need not be signed in.
    const LEAST: Option<Role>;

    /// Checks the caller.
    ///
    /// # Errors
    /// A [`Refusal`] if the caller is not allowed.
    fn admit(actor: Option<Actor>) -> Result<Self::Caller, Refusal>;
}

/// Everyone, signed in or not.
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
    /// Every member of the organisation, whatever the role.
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
    /// Owners.
    Owners, Role::Owner
}
