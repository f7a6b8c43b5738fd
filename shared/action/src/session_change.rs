//! What a commit does to the caller's session.

use crate::{Role, TenantId, UserId};

/// The session to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The organisation that it belongs to.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The user's role in the organisation.
    pub role: Role,
    /// The [`Session::generation`](crate::Session) of the new session: that of the account, as it was
    /// read together with the password hash or token that proved who the user is. `None` takes the
    /// generation of the caller's own session, if only that session proves who the user is.
    pub generation: Option<u64>,
}

/// What a commit does to the caller's session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SessionChange {
    /// Nothing.
    #[default]
    Unchanged,
    /// Opens a new session. The response sets its cookie.
    Open(Grant),
    /// Ends the caller's session and opens a new one. The response sets its cookie.
    Replace(Grant),
    /// Ends the caller's session. The response clears its cookie.
    Close,
    /// Ends all sessions of the caller except this one, which moves to this new generation.
    EndOthers(u64),
}
