//! Resetting a forgotten password with a link in an email.

use crate::{Email, LinkToken};
use action::{ActionError, Context, EmailMessage, Found, Key, Record, Version};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use validator::ValidationError;

/// The purpose of the token in the link.
const RESET_PURPOSE: &str = "password-reset";

/// The message if a link does not work: the same whether it was used or altered, or is too old.
pub const INVALID_RESET_LINK: &str = "This link has expired or has been used. Ask for another one.";

/// How long a link works.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// How many minutes must pass before the second email to the same address. Before the third, fourth
/// and so on it is twice as long each time, so that strangers cannot flood an inbox.
const FIRST_INTERVAL: i64 = 1;

/// The requested links, whether or not an account has this email. Each works for its half hour, so
/// that a stranger who requests another does not make it useless. The token of a link is made from this
/// record with the signing key, so reading the table is not enough to make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordReset {
    /// The id of the link that was requested last.
    pub id: String,
    /// The email that the link was requested for.
    pub email: Email,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// The links before it that still work.
    #[serde(default)]
    earlier: Vec<EarlierLink>,
    /// When the table may remove the record, in seconds since 1970.
    #[serde(rename = "expires_at")]
    pub expires_at: i64,
    /// How often a link was requested since the table last removed the record.
    pub version: Version,
}

/// A link that was requested before the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EarlierLink {
    id: String,
    requested_at: Timestamp,
}

impl PasswordReset {
    /// The key of the record for this email.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::record("reset", &email.unique(), "reset")
    }

    /// A new link for this email, besides those in `before` that still work; `None` if it is too early
    /// for another email.
    #[must_use]
    pub fn request(
        id: String,
        email: &Email,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Option<Self> {
        let earlier = before.map_or_else(Vec::new, |before| before.working_links(now));
        if let Some(before) = before {
            let doublings = earlier.len().saturating_sub(1).min(10);
            let interval = SignedDuration::from_mins(FIRST_INTERVAL << doublings);
            if now.duration_since(before.requested_at) < interval {
                return None;
            }
        }
        Some(Self {
            earlier,
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

    /// The links that work now.
    fn working_links(&self, now: Timestamp) -> Vec<EarlierLink> {
        let last = EarlierLink {
            id: self.id.clone(),
            requested_at: self.requested_at,
        };
        let mut links = self.earlier.clone();
        links.push(last);
        links.retain(|link| now.duration_since(link.requested_at) < LINK_LIFETIME);
        links
    }

    /// Whether the link works now.
    #[must_use]
    pub fn allows(&self, link: &ResetLink, now: Timestamp) -> bool {
        let mut links = self.working_links(now).into_iter();
        links.any(|working| working.id == link.id)
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

/// Refuses a missing token, together with the other fields. For
/// `#[validate(custom(function = reset_token))]`.
///
/// # Errors
/// The same message as for a token that is not valid.
pub fn reset_token(token: &LinkToken) -> Result<(), ValidationError> {
    if token.as_str().is_empty() {
        let error = ValidationError::new("token");
        return Err(error.with_message(INVALID_RESET_LINK.into()));
    }
    Ok(())
}

/// The token of a password reset link.
impl LinkToken {
    /// The token's content; `None` if the token is not ours or was altered.
    #[must_use]
    pub fn password_reset<C>(&self, context: &Context<C>) -> Option<ResetLink> {
        let text = self.content(context, RESET_PURPOSE)?;
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
    /// The stored record, if the link still works; `None` if the password was set since, or the link is
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
    fn a_new_link_leaves_the_first_one_working_for_its_half_hour() {
        let first = PasswordReset::request(id(1), &email(), None, at(0)).unwrap();
        let second = PasswordReset::request(id(2), &email(), Some(&first), at(10)).unwrap();
        assert!(second.allows(&link(&first), at(29)) && second.allows(&link(&second), at(39)));
        assert!(!second.allows(&link(&first), at(30)) && !second.allows(&link(&second), at(40)));
        assert_eq!(second.version, first.version.next());
    }

    /// Whoever asks all the time.
    #[test]
    fn an_address_gets_five_emails_in_half_an_hour_at_most() {
        let mut last: Option<PasswordReset> = None;
        let mut sent = Vec::new();
        for second in 0..30 * 60 {
            let now = at(0) + SignedDuration::from_secs(second);
            if let Some(reset) = PasswordReset::request(id(0), &email(), last.as_ref(), now) {
                sent.push(second / 60);
                last = Some(reset);
            }
        }
        assert_eq!(sent, [0, 1, 3, 7, 15]);
    }

    #[test]
    fn a_record_of_before_earlier_links_were_kept_is_read() {
        let reset = PasswordReset::request(id(1), &email(), None, at(0)).unwrap();
        let mut stored = serde_json::to_value(&reset).unwrap();
        stored.as_object_mut().unwrap().remove("earlier");
        assert_eq!(
            serde_json::from_value::<PasswordReset>(stored).unwrap(),
            reset
        );
    }
}
