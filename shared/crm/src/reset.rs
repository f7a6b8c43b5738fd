//! Setting a password anew, for who has forgotten it, by a link in a email.

use crate::Email;
use action::input::trim;
use action::{ActionError, Context, EmailMessage, Found, Key, Record, Secret, Version};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the token in the link is good for.
const RESET_PURPOSE: &str = "password-reset";

/// How long a link works.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// How long after one email there is none to the same address.
const MIN_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// What a link was asked for, whether or not the address has an account. The link is made from it
/// with the signing key, so what is stored is not enough to make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordReset {
    /// Which link works: the one that was asked for last.
    pub id: String,
    /// For which address.
    pub email: Email,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the record may go, in seconds since 1970.
    #[serde(rename = "expires_at")]
    pub expires_at: i64,
    /// How often a link was asked for since the record last went.
    pub version: Version,
}

impl PasswordReset {
    /// Where the one of that address is.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::record("reset", &email.unique(), "reset")
    }

    /// Another link for the address, in place of the one `before`; `None` where that one is too
    /// young.
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

    /// The email with the link, to whoever has an account: a name and an address, or nobody.
    #[must_use]
    pub fn email(&self, to: Option<(&str, &Email)>) -> EmailMessage {
        let (name, email) = to.unzip();
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

/// The token of a link, as it was sent. Serialises and prints as `[redacted]`.
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

    /// The link it is of; `None` where it was not issued.
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

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetLink {
    id: String,
    /// Whose password it sets.
    pub email: Email,
}

impl ResetLink {
    /// The record that allows it now; `None` where it has been used, replaced, or is too old.
    ///
    /// # Errors
    /// [`ActionError::Internal`] where the stored record cannot be read.
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
    fn another_link_replaces_the_first_and_a_minute_lies_between() {
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
    fn a_token_never_prints() {
        let token = ResetToken(Secret::from("secret"));
        assert_eq!(format!("{token:?}"), "ResetToken([redacted])");
        assert_eq!(serde_json::to_string(&token).unwrap(), "\"[redacted]\"");
    }
}
