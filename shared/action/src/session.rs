//! A session as it is stored.

use crate::{Key, TenantId, UserId};
use serde::{Deserialize, Serialize};

/// A stored session. The secret that opens it is in the cookie alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// What it is called where it is shown. Says nothing of its secret.
    #[serde(default)]
    pub id: String,
    /// The hash of its secret, under which it is stored.
    #[serde(default)]
    pub hash: String,
    /// The organisation that it is bound to.
    pub tenant: TenantId,
    /// Whose it is.
    pub user: UserId,
    /// In which generation of the person's sessions it was opened. It is live only while that is
    /// the person's generation, so that counting up one record ends however many there are.
    #[serde(default)]
    pub generation: u64,
    /// When it was opened, in seconds since 1970.
    pub created_at: i64,
    /// From which address it was opened; of an IPv6 address its /64.
    #[serde(default)]
    pub address: Option<String>,
    /// What the browser called itself then, cut short.
    #[serde(default)]
    pub agent: Option<String>,
    /// When it ends, in seconds since 1970.
    #[serde(rename = "expires_at")]
    pub expires_at: i64,
}

impl Session {
    /// How long a session lives without being used, in seconds: 30 days.
    pub const IDLE: i64 = 30 * 86_400;

    /// The attribute of one that another has taken the place of: it ends soon, and is not shown.
    pub const REPLACED: &'static str = "replaced";

    /// Where it is.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::session(&self.user, &self.hash)
    }

    /// When it was last seen in use, in seconds since 1970, to the hour: its end moves with use.
    #[must_use]
    pub fn last_used_at(&self) -> i64 {
        (self.expires_at - Self::IDLE).max(self.created_at)
    }
}
