//! The writes of a transaction, and their conditions.

use crate::{ActionError, Key, Version};
use serde_json::Value;
use std::collections::BTreeMap;

/// The condition of a write: what must be true of the stored item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// No condition.
    Anything,
    /// The item does not exist.
    Absent,
    /// The item exists.
    Present,
    /// The item has this version, which was read.
    Version(Version),
    /// These attributes are as they were read: `None` for one that was missing.
    Attributes(BTreeMap<&'static str, Option<Value>>),
}

/// The error if a unique value is already taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The input field that holds the value.
    pub field: &'static str,
    /// What to tell the user.
    pub message: &'static str,
    /// Whether the caller may learn which record has the value.
    pub reveal: bool,
}

impl Conflict {
    /// The error, given the owner in the guard.
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
    /// Writes the whole item.
    Put {
        /// The key.
        key: Key,
        /// The item.
        item: Value,
        /// The condition.
        expect: Expect,
        /// The error if the item must not exist and does. Without it, the function runs again.
        conflict: Option<Conflict>,
    },
    /// Deletes the item.
    Delete {
        /// The key.
        key: Key,
        /// The condition.
        expect: Expect,
    },
    /// Writes nothing, but cancels the transaction if the item is not as expected.
    Check {
        /// The key.
        key: Key,
        /// The condition.
        expect: Expect,
    },
    /// Claims a unique value for `owner`. Succeeds if `owner` already has it.
    Claim {
        /// The guard.
        guard: Key,
        /// The new owner.
        owner: String,
        /// The error if another owner has it.
        conflict: Conflict,
    },
    /// Releases a unique value, which `owner` must have.
    Release {
        /// The guard.
        guard: Key,
        /// The owner.
        owner: String,
    },
    /// Transfers a unique value from one owner to another.
    HandOver {
        /// The guard.
        guard: Key,
        /// The owner before.
        from: String,
        /// The new owner.
        to: String,
    },
    /// Keeps the guard with `owner`: a claim and a release of the same guard.
    Keep {
        /// The guard.
        guard: Key,
        /// The owner.
        owner: String,
    },
}

impl Operation {
    /// The key of the item that it writes.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. } => key,
            Self::Claim { guard, .. }
            | Self::Release { guard, .. }
            | Self::HandOver { guard, .. }
            | Self::Keep { guard, .. } => guard,
        }
    }
}
