//! How often an address gets emails that somebody else may cause, and how many an organisation may
//! cause.

use crate::Email;
use action::{Key, Record, TenantId, Version};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How many minutes must pass before the second email to the same address. Before the third, fourth and so
/// on it is twice as long each time.
const FIRST_INTERVAL: i64 = 1;

/// The kinds of email that are counted separately, so that one kind cannot hold up another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailKind {
    /// An invitation.
    Invitation,
    /// A link that confirms the address of an account.
    Confirmation,
    /// A link that moves an account to the address.
    Change,
    /// A link that the account with this address has asked for, to move to another one.
    Requested,
}

impl EmailKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Confirmation => "confirmation",
            Self::Change => "change",
            Self::Requested => "requested",
        }
    }
}

/// When an address got emails of one kind in the last 24 hours, whoever caused them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentEmails {
    kind: EmailKind,
    email: Email,
    sent_at: Vec<Timestamp>,
    /// When the table may remove the record, in seconds since 1970.
    #[serde(rename = "expires_at")]
    expires_at: i64,
    version: Version,
}

impl SentEmails {
    /// The most emails of a kind that an address gets in 24 hours.
    pub const MAX_A_DAY: usize = 10;

    /// The key of the record of this address.
    #[must_use]
    pub fn key_of(kind: EmailKind, email: &Email) -> Key {
        Key::record("emails", &email.unique(), kind.as_str())
    }

    /// The record with one more email, which may be sent if this record is written. `None` if it is too
    /// early for another. `before` is the record that was read.
    #[must_use]
    pub fn with_one_more(
        kind: EmailKind,
        email: &Email,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Option<Self> {
        let mut sent_at = before.map_or_else(Vec::new, |before| before.sent_at.clone());
        sent_at.retain(|sent| now.duration_since(*sent) < DAY);
        if let Some(last) = sent_at.last() {
            let interval = SignedDuration::from_mins(FIRST_INTERVAL << (sent_at.len() - 1).min(10));
            if sent_at.len() >= Self::MAX_A_DAY || now.duration_since(*last) < interval {
                return None;
            }
        }
        sent_at.push(now);
        Some(Self {
            kind,
            email: email.clone(),
            sent_at,
            expires_at: now.as_second() + DAY.as_secs(),
            version: next_version(before),
        })
    }
}

impl Record for SentEmails {
    fn key(&self) -> Key {
        Self::key_of(self.kind, &self.email)
    }

    fn version(&self) -> Version {
        self.version
    }
}

/// How many invitations an organisation has sent by email since a time at most 24 hours ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentInvitations {
    tenant: TenantId,
    since: Timestamp,
    count: u32,
    /// When the table may remove the record, in seconds since 1970.
    #[serde(rename = "expires_at")]
    expires_at: i64,
    version: Version,
}

impl SentInvitations {
    /// The most invitations that an organisation sends by email in 24 hours.
    pub const MAX_A_DAY: u32 = 100;

    /// The key of the organisation's record.
    #[must_use]
    pub fn key_of(tenant: &TenantId) -> Key {
        Key::record("invitations", tenant.as_str(), "sent")
    }

    /// The record with one more email, which may be sent if this record is written. `None` if the
    /// organisation has sent as many as it may. `before` is the record that was read.
    #[must_use]
    pub fn with_one_more(tenant: &TenantId, before: Option<&Self>, now: Timestamp) -> Option<Self> {
        let current = before.filter(|before| now.duration_since(before.since) < DAY);
        let (since, count) = current.map_or((now, 0), |current| (current.since, current.count));
        (count < Self::MAX_A_DAY).then(|| Self {
            tenant: tenant.clone(),
            since,
            count: count + 1,
            expires_at: since.as_second() + DAY.as_secs(),
            version: next_version(before),
        })
    }
}

impl Record for SentInvitations {
    fn key(&self) -> Key {
        Self::key_of(&self.tenant)
    }

    fn version(&self) -> Version {
        self.version
    }
}

fn next_version<R: Record>(before: Option<&R>) -> Version {
    before.map_or(Version::FIRST, |before| before.version().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// Whoever asks all the time.
    #[test]
    fn an_address_gets_ten_emails_a_day_at_growing_intervals() {
        let email = Email::parse("ada@example.com").unwrap();
        let (mut last, mut minutes): (Option<SentEmails>, _) = (None, Vec::new());
        for second in (0..24 * 3_600).step_by(15) {
            let kind = EmailKind::Invitation;
            let next = SentEmails::with_one_more(kind, &email, last.as_ref(), at(second));
            if let Some(next) = next {
                minutes.push(second / 60);
                last = Some(next);
            }
        }
        assert_eq!(minutes, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511]);
    }

    #[test]
    fn an_organisation_sends_so_many_invitations_in_24_hours() {
        let tenant = TenantId::parse("acme").unwrap();
        let (mut last, mut sent) = (None, 0);
        for minute in 0..(24 * 60) {
            let next = SentInvitations::with_one_more(&tenant, last.as_ref(), at(60 * minute));
            sent += u32::from(next.is_some());
            last = next.or(last);
        }
        assert_eq!(sent, SentInvitations::MAX_A_DAY);
        let next = SentInvitations::with_one_more(&tenant, last.as_ref(), at(24 * 3_600));
        assert!(next.is_some_and(|next| next.count == 1));
    }
}
