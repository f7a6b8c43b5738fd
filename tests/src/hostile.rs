//! Contacts that cost the search index as much as a contact can.

use crate::fault::random;
use crm::ContactFields;

/// A text of random characters, of `kinds` that begin with `first`.
fn text(count: u64, first: char, kinds: u64) -> String {
    (0..count)
        .filter_map(|_| char::from_u32(u32::from(first) + u32::try_from(random(kinds)).ok()?))
        .collect()
}

/// A text of random Chinese, Japanese and Korean characters.
#[must_use]
pub fn characters(count: u64) -> String {
    text(count, '一', 20_000)
}

/// Fields as long as they may be, with as many grams as possible: more than the index has of one
/// contact.
#[must_use]
pub fn longest() -> ContactFields {
    let label = || text(60, 'a', 26);
    let email = format!("{}@{}.{}.{}", label(), label(), label(), label());
    ContactFields {
        name: characters(100).as_str().into(),
        email: Some(email.as_str().into()),
        company: Some(characters(100).as_str().into()),
        ..ContactFields::default()
    }
}

/// Fields with almost as many grams as the index has of one contact.
#[must_use]
pub fn costliest() -> ContactFields {
    let email = format!("{}@example.com", text(20, 'a', 26));
    ContactFields {
        name: characters(50).as_str().into(),
        email: Some(email.as_str().into()),
        ..ContactFields::default()
    }
}
