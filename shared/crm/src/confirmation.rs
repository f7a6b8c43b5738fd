//! Confirming an email address with a link in an email: that of a new account, or the new one of an
//! account whose email changes.

use crate::{Account, Email, EmailKind, LinkToken, SentEmails};
use action::{ActionError, Commit, Context, EmailMessage, Record, UserId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use validator::ValidationError;

/// The purpose of the token in the link.
const CONFIRMATION_PURPOSE: &str = "confirm-email";

/// How long the link works.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The message if a link does not work: the same whether it was used, altered or replaced, or is too
/// old.
pub const INVALID_CONFIRMATION_LINK: &str =
    "This link has expired or has been used. Ask for another one in your settings.";

/// The content of a confirmation link's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailConfirmation {
    user: UserId,
    /// The account's generation when the link was made, so that a changed password stops a change of
    /// the email.
    generation: u64,
    issued_at: i64,
    current: Email,
    /// The address that the link was sent to.
    pub email: Email,
}

impl EmailConfirmation {
    /// The link's email to `address`: the account's own, or its new one.
    #[must_use]
    pub fn email(account: &Account, address: &Email, now: Timestamp) -> EmailMessage {
        let (id, generation) = (&account.id, account.session_generation);
        let (issued_at, current) = (now.as_second(), &account.email);
        let is_own = current.unique() == address.unique();
        EmailMessage {
            to: Some(address.to_string()),
            template: if is_own {
                "confirm-email"
            } else {
                "change-email"
            },
            values: BTreeMap::from([("name", account.name.to_string())]),
            path: "/confirm-email".to_owned(),
            purpose: CONFIRMATION_PURPOSE,
            token: format!("{id} {generation} {issued_at} {current} {address}"),
        }
    }

    /// Sends the link, unless it is too early for another to this address. Returns whether it is sent.
    /// `before` is the record at [`SentEmails::key_of`] that was read: for [`EmailKind::Confirmation`] if it is
    /// the account's own address, otherwise for [`EmailKind::Change`].
    #[must_use]
    pub fn send<T>(
        commit: Commit<T>,
        account: &Account,
        address: &Email,
        before: Option<&SentEmails>,
        now: Timestamp,
    ) -> (Commit<T>, bool) {
        let kind = match account.email.unique() == address.unique() {
            true => EmailKind::Confirmation,
            false => EmailKind::Change,
        };
        let sent = SentEmails::with_one_more(kind, address, before, now);
        let Some(sent) = sent else {
            return (commit, false);
        };
        let commit = commit
            .put_record(&sent, before.map(Record::version), None)
            .send_email(Self::email(account, address, now));
        (commit, true)
    }

    /// Whether the link was made for this account and still works.
    #[must_use]
    pub fn is_valid_for(&self, account: &Account, now: Timestamp) -> bool {
        let age = SignedDuration::from_secs(now.as_second() - self.issued_at);
        self.user == account.id
            && self.current.unique() == account.email.unique()
            && age < LINK_LIFETIME
            && (self.is_own_address() || self.generation == account.session_generation)
    }

    /// Whether it confirms the address that the account had when the link was made, and does not change
    /// it.
    #[must_use]
    pub fn is_own_address(&self) -> bool {
        self.current.unique() == self.email.unique()
    }
}

/// The token of a confirmation link.
impl LinkToken {
    /// The token's content.
    ///
    /// # Errors
    /// [`ActionError::Validation`] if the token is not ours or was altered.
    pub fn confirmation<C>(&self, context: &Context<C>) -> Result<EmailConfirmation, ActionError> {
        let text = self.content(context, CONFIRMATION_PURPOSE);
        text.and_then(|text| parse(&text))
            .ok_or_else(invalid_confirmation_link)
    }
}

/// Refuses a missing token. For `#[validate(custom(function = confirmation_token))]`.
///
/// # Errors
/// The same message as for a token that is not valid.
pub fn confirmation_token(token: &LinkToken) -> Result<(), ValidationError> {
    match token.as_str() {
        "" => Err(ValidationError::new("token").with_message(INVALID_CONFIRMATION_LINK.into())),
        _ => Ok(()),
    }
}

/// The error if a confirmation link does not work.
#[must_use]
pub fn invalid_confirmation_link() -> ActionError {
    let message = INVALID_CONFIRMATION_LINK.to_owned();
    ActionError::Validation([("token".to_owned(), message)].into())
}

fn parse(text: &str) -> Option<EmailConfirmation> {
    let mut parts = text.splitn(5, ' ');
    let mut next = || parts.next();
    Some(EmailConfirmation {
        user: UserId::parse(next()?).ok()?,
        generation: next()?.parse().ok()?,
        issued_at: next()?.parse().ok()?,
        current: Email::parse(next()?).ok()?,
        email: Email::parse(next()?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn account() -> Account {
        serde_json::from_value(json!({
            "id": "0197a3b0-0000-7000-8000-00000000000f", "name": "Ada", "email": "ada@example.com",
            "passwordHash": "", "organizations": [], "sessionGeneration": 3,
            "createdAt": "2026-01-01T00:00:00Z", "version": 1,
        }))
        .unwrap()
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 3_600 * hours).unwrap()
    }

    fn link(address: &str) -> EmailConfirmation {
        let email = EmailConfirmation::email(&account(), &Email::parse(address).unwrap(), at(0));
        parse(&email.token).unwrap()
    }

    #[test]
    fn a_link_works_for_a_week_and_for_its_account_only() {
        let link = link("ADA@example.com");
        assert!(link.is_own_address() && link.is_valid_for(&account(), at(7 * 24 - 1)));
        assert!(!link.is_valid_for(&account(), at(7 * 24)));
        let id = UserId::parse("0197a3b0-0000-7000-8000-00000000000e").unwrap();
        let other = Account { id, ..account() };
        assert!(!link.is_valid_for(&other, at(0)));
    }

    #[test]
    fn a_changed_password_stops_a_change_of_the_email_but_not_a_confirmation() {
        let after = account().with_sessions_ended();
        assert!(link("ada@example.com").is_valid_for(&after, at(0)));
        let change = link("ada@new.example");
        assert!(!change.is_own_address() && change.is_valid_for(&account(), at(0)));
        assert!(!change.is_valid_for(&after, at(0)));
    }

    #[test]
    fn a_changed_email_makes_earlier_links_useless() {
        let email = Email::parse("ada@new.example").unwrap();
        let moved = Account { email, ..account() };
        assert!(!link("ada@example.com").is_valid_for(&moved, at(0)));
        assert!(!link("ada@new.example").is_valid_for(&moved, at(0)));
    }
}
