//! One write of a transaction, and on which condition.

use crate::{ActionError, Key, Version};
use serde_json::Value;

/// What must be true of the stored item for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing in particular.
    Anything,
    /// There is none.
    Absent,
    /// There is one.
    Present,
    /// It has the version that was read.
    Version(Version),
}

/// What to answer where a value that must be unique is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The input field that holds the value.
    pub field: &'static str,
    /// What to tell the user.
    pub message: &'static str,
    /// Whether the caller may learn which record has it.
    pub reveal: bool,
}

impl Conflict {
    /// The error, given the owner that the guard names.
    #[must_use]
    pub fn error(self, owner: Option<String>) -> ActionError {
        ActionError::Duplicate {
            field: self.field,
            message: self.message,
            existing: owner.filter(|_| self.reveal),
        }
    }
}

/// One write of the transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Write the whole item.
    Put {
        /// Where.
        key: Key,
        /// What.
        item: Value,
        /// On which condition.
        expect: Expect,
        /// What to answer where it must be absent and is not; without it the function runs again.
        conflict: Option<Conflict>,
    },
    /// Remove the item.
    Delete {
        /// Where.
        key: Key,
        /// On which condition.
        expect: Expect,
    },
    /// Take a unique value for `owner`; passes where `owner` has it already.
    Claim {
        /// The guard.
        guard: Key,
        /// Whose the value becomes.
        owner: String,
        /// What to answer where another owner has it.
        conflict: Conflict,
    },
    /// Give a unique value back; it must be `owner`'s.
    Release {
        /// The guard.
        guard: Key,
        /// Whose the value is.
        owner: String,
    },
    /// Pass a unique value on from one owner to another.
    HandOver {
        /// The guard.
        guard: Key,
        /// Whose the value is.
        from: String,
        /// Whose it becomes.
        to: String,
    },
    /// The guard stays `owner`'s: a claim and a release of the same key.
    Keep {
        /// The guard.
        guard: Key,
        /// Whose the value is.
        owner: String,
    },
}

impl Operation {
    /// The item that it writes.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } => key,
            Self::Claim { guard, .. }
            | Self::Release { guard, .. }
            | Self::HandOver { guard, .. }
            | Self::Keep { guard, .. } => guard,
        }
    }
}
