//! Resetting a forgotten password with a link in an email.

use crate::Email;
use action::input::trim;
use action::{ActionError, Context, EmailMessage, Found, Key, Record, Secret, Version};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The purpose of the token in the link.
const RESET_PURPOSE: &str = "password-reset";

/// How long a link works.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// The shortest time between two emails to the same address.
const MIN_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// A requested link, whether or not an account has this email. The link's token is made from it
/// with the signing key, so reading the table is not enough to make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordReset {
    /// The id of the link that works: the one that was requested last.
    pub id: String,
    /// The email that the link was requested for.
    pub email: Email,
    /// When the link was requested.
    pub requested_at: Timestamp,
    /// When the table may remove the record, in seconds since 1970.
    #[serde(rename = "expires_at")]
    pub expires_at: i64,
    /// How often a link was requested since the table last removed the record.
    pub version: Version,
}

impl PasswordReset {
    /// The key of the record for this email.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::record("reset", &email.unique(), "reset")
    }

    /// A new link for this email, which replaces the one `before`; `None` if that one is less than
    /// a minute old.
    #[must_use]
    pub fn request(
        id: String,
        email: &Email,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Option<Self> {
        if before.is_some_and(|before| now.duration_since(before.requested_at) < MIN_INTERVAL) {
            return None;
        }
        Some(Self {
            id,
            email: email.clone(),
            requested_at: now,
            expires_at: now.as_second() + LINK_LIFETIME.as_secs(),
            version: before.map_or(Version::FIRST, |before| before.version.next()),
        })
    }

    /// The email with the link. The recipient is the name and the email of an account. `None` if no
    /// account has this email: the message is stored but never sent.
    #[must_use]
    pub fn email(&self, recipient: Option<(&str, &Email)>) -> EmailMessage {
        let (name, email) = recipient.unzip();
        EmailMessage {
            to: email.map(|email| email.as_str().to_owned()),
            template: "password-reset",
            values: BTreeMap::from([("name", name.unwrap_or_default().to_owned())]),
            path: "/reset-password".to_owned(),
            purpose: RESET_PURPOSE,
            token: format!("{} {}", self.id, self.email),
        }
    }

    /// Whether the link works now.
    #[must_use]
    pub fn allows(&self, link: &ResetLink, now: Timestamp) -> bool {
        self.id == link.id && now.duration_since(self.requested_at) < LINK_LIFETIME
    }
}

impl Record for PasswordReset {
    fn key(&self) -> Key {
        Self::key_of(&self.email)
    }

    fn version(&self) -> Version {
        self.version
    }
}

/// The token of a password reset link. Serialises and prints as `[redacted]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "The token of the link")]
pub struct ResetToken(#[schemars(with = "String", length(min = 1))] Secret);

impl ResetToken {
    /// The token, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        trim(self.0.reveal())
    }

    /// The token's content; `None` if the token is not ours or was altered.
    #[must_use]
    pub fn open<C>(&self, context: &Context<C>) -> Option<ResetLink> {
        let text = context.open(RESET_PURPOSE, self.as_str())?;
        let (id, email) = text.split_once(' ')?;
        Some(ResetLink {
            id: id.to_owned(),
            email: Email::parse(email).ok()?,
        })
    }
}

/// The content of a password reset token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetLink {
    id: String,
    /// The email of the account whose password it resets.
    pub email: Email,
}

impl ResetLink {
    /// The stored record, if the link still works; `None` if the link was used or replaced, or is
    /// too old.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if the stored record cannot be read.
    pub fn valid_reset(
        &self,
        found: &Found,
        now: Timestamp,
    ) -> Result<Option<PasswordReset>, ActionError> {
        let record: Option<PasswordReset> = found.record(&PasswordReset::key_of(&self.email))?;
        Ok(record.filter(|record| record.allows(self, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> String {
        format!("id {number}")
    }

    fn email() -> Email {
        Email::parse("Ada@example.com").unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    fn link(reset: &PasswordReset) -> ResetLink {
        ResetLink {
            id: reset.id.clone(),
            email: email(),
        }
    }

    #[test]
    fn a_link_works_for_half_an_hour() {
        let reset = PasswordReset::request(id(1), &email(), None, at(0)).unwrap();
        assert!(reset.allows(&link(&reset), at(29)));
        assert!(!reset.allows(&link(&reset), at(30)));
    }

    #[test]
    fn a_new_link_replaces_the_first_and_needs_a_minute_between_them() {
        let first = PasswordReset::request(id(1), &email(), None, at(0)).unwrap();
        let soon = at(1) - SignedDuration::from_millis(1);
        assert_eq!(
            PasswordReset::request(id(2), &email(), Some(&first), soon),
            None
        );
        let second = PasswordReset::request(id(2), &email(), Some(&first), at(1)).unwrap();
        assert!(!second.allows(&link(&first), at(1)));
        assert_eq!(second.version, first.version.next());
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = ResetToken(Secret::from("secret"));
        assert_eq!(format!("{token:?}"), "ResetToken([redacted])");
        assert_eq!(serde_json::to_string(&token).unwrap(), "\"[redacted]\"");
    }
}
